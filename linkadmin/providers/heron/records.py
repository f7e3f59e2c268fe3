"""Parses Heron's customers, data sources, connectors and webhook subscriptions.

Raises ValueError for a response without the record or list it should have.

https://docs.herondata.io/api-reference
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from linkadmin.providers.http.answer import Answer
from linkadmin.providers.reading import (
    Unusable,
    Why,
    all_records,
    count,
    day,
    listed,
    mapping,
    mappings,
    moment,
    required_list,
    required_mapping,
)
from linkadmin.providers.records import (
    RemoteAccount,
    RemoteConnector,
    RemoteDataSource,
    RemoteEndUser,
    RemotePage,
    RemoteSource,
    RemoteWebhook,
    expect_id,
    named,
)
from linkadmin.providers.types import Cause, Observation

from .answers import observe

# Statuses of files and other sources; `observe` has those of links.
_FILE_CAUSES: Mapping[str, Cause] = {
    "new": Cause.DATA_PREPARING,
    "parsing": Cause.DATA_PREPARING,
    "human_reviewing": Cause.DATA_PREPARING,
    "parsed": Cause.WORKING,
    "processed": Cause.WORKING,
    "approved": Cause.WORKING,
    "transactions_loaded": Cause.WORKING,
    "transactions_unloaded": Cause.SWITCHED_OFF,
    "rejected": Cause.ERROR_UNNAMED,
    "failed": Cause.ERROR_UNNAMED,
}
_MAX_URL = 500  # characters


def end_user(answer: Answer, *, expected_id: str = "") -> RemoteEndUser:
    found = _end_user(answer, required_mapping(required_mapping(answer.data).get("end_user")))
    if expected_id and expected_id not in {found.end_user_id, found.remote_id}:
        raise ValueError("another customer was answered")
    return found


def end_user_page(answer: Answer, *, number: int, limit: int) -> RemotePage[RemoteEndUser]:
    said = required_mapping(answer.data)
    users, meta = required_list(said.get("end_users")), mapping(said.get("_meta"))
    pages = count(meta.get("pages"))
    found, odd = listed(users, partial(_end_user, answer))
    return RemotePage(
        items=tuple(found),
        number=number,
        is_last=len(users) < limit if pages is None else number >= pages,
        total=count(meta.get("total")),
        left_out=named(answer, odd, "end_user_id", "heron_id"),  # never by name: not everyone may see customers' names
    )


def processing(answer: Answer) -> str:
    if status := answer.words(required_mapping(answer.data).get("status")):
        return status
    raise ValueError("the status is missing")


def data_sources(answer: Answer) -> list[RemoteDataSource]:
    return all_records(answer.data, partial(_data_source, answer))


def data_source(answer: Answer, *, expected_id: str, default_enabled: bool) -> RemoteDataSource:
    return expect_id(
        _data_source(answer, {"is_enabled": default_enabled, **required_mapping(answer.data)}), expected_id
    )


def connectors(answer: Answer) -> list[RemoteConnector]:
    return all_records(required_mapping(answer.data).get("integrations"), partial(_connector, answer))


def webhooks(answer: Answer) -> list[RemoteWebhook]:
    return all_records(required_mapping(answer.data).get("webhooks"), partial(_webhook, answer))


def webhook(answer: Answer, *, expected_id: str = "", default_enabled: bool = True) -> RemoteWebhook:
    item = required_mapping(required_mapping(answer.data).get("webhook"))
    found = _webhook(answer, {"is_enabled": default_enabled, **item})
    return expect_id(found, expected_id) if expected_id else found


def topics(answer: Answer) -> list[str]:
    topic_list = required_list(required_mapping(answer.data).get("topics"))
    found = [topic for topic in map(answer.identifier, topic_list) if topic]
    if topic_list and not found:
        raise ValueError("no topic can be read")
    return found


def nothing(answer: Answer) -> None:
    # The status says everything.
    pass


def _end_user(answer: Answer, item: Mapping[str, object]) -> RemoteEndUser:
    end_user_id = answer.customer_id(item.get("end_user_id"))
    if not end_user_id:
        raise Unusable(Why.ID_UNUSABLE if item.get("end_user_id") else Why.NO_ID)
    return RemoteEndUser(
        end_user_id=end_user_id,
        remote_id=answer.identifier(item.get("heron_id")),
        name=answer.name(item.get("name")),
        status=answer.words(item.get("status")),
        created_at=moment(item.get("created")),
        updated_at=moment(item.get("last_updated")),
        sources=tuple(_source(answer, brief) for brief in mappings(item.get("data_sources"))),
        request_id=answer.request_id,
    )


def _source(answer: Answer, item: Mapping[str, object]) -> RemoteSource:
    seen = _standing(answer, item, synced_at=None)
    # Without the time of the last sync, we can't recognize a first one.
    seen = replace(seen, cause=Cause.SYNCING) if seen.cause is Cause.FIRST_SYNC else seen
    return RemoteSource(kind=answer.words(item.get("type")), observation=seen)


def _data_source(answer: Answer, item: Mapping[str, object]) -> RemoteDataSource:
    source_id = answer.identifier(item.get("heron_id"))
    if not source_id:
        raise ValueError("a source without an id")
    about = mapping(item.get("metadata"))
    return RemoteDataSource(
        remote_id=source_id,
        kind=answer.words(item.get("type")),
        observation=_standing(answer, item, synced_at=about.get("last_successful_sync")),
        enabled=item.get("is_enabled") is not False,
        remote_link_id=answer.identifier(about.get("integration_item_id")),
        synced_at=moment(about.get("last_successful_sync")),
        accounts=tuple(_account(answer, account) for account in mappings(item.get("data_source_accounts"))),
        request_id=answer.request_id,
    )


def _standing(answer: Answer, item: Mapping[str, object], *, synced_at: object) -> Observation:
    # Files have statuses of their own; other sources use those of links.
    status = answer.term(item.get("status"), _FILE_CAUSES)
    if status in _FILE_CAUSES:
        return Observation(_FILE_CAUSES[status], raw_status=status, last_good_at=moment(synced_at))
    if not status:
        return Observation(Cause.SOURCE_UNKNOWN)
    return observe(answer, item, synced_at=synced_at)


def _account(answer: Answer, item: Mapping[str, object]) -> RemoteAccount:
    return RemoteAccount(
        remote_id=answer.words(item.get("account_id")),
        enabled=item.get("enabled") is not False,
        transactions=count(item.get("num_transactions")),
        first=day(item.get("min_date")),
        last=day(item.get("max_date")),
    )


def _connector(answer: Answer, item: Mapping[str, object]) -> RemoteConnector:
    # The account's Plaid keys may be in the response, so other fields aren't read.
    connector_id = answer.identifier(item.get("heron_id"))
    if not connector_id:
        raise ValueError("a connector without an id")
    return RemoteConnector(
        remote_id=connector_id,
        name=answer.name(item.get("name")),
        resource=answer.words(item.get("resource")),
        kind=answer.words(item.get("type")),
    )


def _webhook(answer: Answer, item: Mapping[str, object]) -> RemoteWebhook:
    # Headers may contain secrets, so they aren't read.
    webhook_id, topic = answer.identifier(item.get("heron_id")), answer.identifier(item.get("topic"))
    url = _exact(answer, item.get("url"), _MAX_URL)  # sent back unchanged when the subscription is paused or resumed
    if not webhook_id or not topic or not url:
        raise ValueError("a subscription without id, topic or address")
    return RemoteWebhook(
        remote_id=webhook_id,
        topic=topic,
        url=url,
        enabled=item.get("is_enabled") is not False,
        request_id=answer.request_id,
    )


def _exact(answer: Answer, value: object, longest: int) -> str:
    return value if isinstance(value, str) and len(value) <= longest and answer.words(value) == value else ""
