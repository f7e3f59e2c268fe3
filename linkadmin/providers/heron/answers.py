"""Parses Heron's responses about links, and its errors.

Raises ValueError for a response without the record or list it should have.

https://docs.herondata.io/api-reference
"""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from itertools import chain, islice

from linkadmin.providers.error_bodies import entry_of, items_of
from linkadmin.providers.errors import (
    Busy,
    Duplicate,
    ErrorEntry,
    Failure,
    InvalidInput,
    KeysRejected,
    NotFound,
    ProviderError,
    Rejected,
    forbidden,
)
from linkadmin.providers.http.admission import Rate
from linkadmin.providers.http.answer import LONGEST_SENSIBLE, MAX_RETRY_AFTER, Answer
from linkadmin.providers.reading import (
    MAX_FIELDS,
    Unusable,
    Why,
    count,
    listed,
    mapping,
    moment,
    records,
    required_list,
    required_mapping,
)
from linkadmin.providers.records import Accepted, RemotePage, Removed, ReportsRefreshed, expect_id, named
from linkadmin.providers.types import Cause, ConnectionReport, Observation, RemoteLink

from .plaid_codes import CAUSES, cause_of

# Plaid syncs at least daily. An asset report is a snapshot: only very old ones need attention.
FRESH_FOR: Mapping[str, timedelta] = {
    "plaid_integration": timedelta(days=3),
    "plaid_assets_report": timedelta(days=90),
}

# https://docs.herondata.io/api-reference/integrations/get-integration-links
STATUS_CAUSES: Mapping[str, Cause] = {
    "pending": Cause.PENDING,
    "active": Cause.WORKING,
    "syncing": Cause.SYNCING,
    "sync_disabled": Cause.SWITCHED_OFF,
    "deleted_in_plaid": Cause.GONE,
    "unknown": Cause.SOURCE_UNKNOWN,
}
# https://docs.herondata.io/api-reference/errors
STATUS_ERRORS: Mapping[int, type[ProviderError]] = {
    400: InvalidInput,
    401: KeysRejected,
    404: NotFound,
    409: Duplicate,
    422: InvalidInput,
    429: Busy,
}

_FIELD_NAMES = frozenset({"access_token", "asset_report_token", "end_user_id", "end_user_name", "item_id"})
_KINDS = {kind: kind for kind in ("plaid_assets_report", "plaid_integration")}
# Heron uses the status phrase as the error's name.
_PHRASES = frozenset(status.phrase for status in HTTPStatus)
CLOCKS_APART = 60.0  # seconds, at most, between Heron's clock and ours
STATUSES = frozenset({*STATUS_CAUSES, "erroring"})
# "[ITEM_LOGIN_REQUIRED] the login details of this item have changed"
_BRACKETED = re.compile(r"\s*\[([A-Z0-9_]+)\]")


class PartlyRefreshed(Rejected):
    """Some reports are regenerated and some aren't. Heron returns an error status for that."""

    def __init__(self, failure: Failure, refreshed: ReportsRefreshed) -> None:
        super().__init__(failure)
        self.refreshed = refreshed


def report(answer: Answer) -> ConnectionReport:
    greeting = answer.words(required_mapping(answer.data).get("hello"), limit=100)
    return ConnectionReport(detail=f"hello {greeting}", duration_ms=answer.duration_ms)


def link(answer: Answer, *, envelope: str = "link", expected_id: str = "") -> RemoteLink:
    item = required_mapping(required_mapping(answer.data).get(envelope))
    found = _link(answer, item, known={expected_id})
    return expect_id(found, expected_id) if expected_id else found


def batch(answer: Answer, *, requested: frozenset[str]) -> list[RemoteLink]:
    links, odd = records(required_list(required_mapping(answer.data).get("links")), partial(_link, answer))
    missing = requested - {link.remote_id for link in links}
    # A missing link counts as gone or never created: a malformed record must not prove that.
    if any(record.may_be_one_of(missing, "item_id") for record in odd):
        raise ValueError("a link may be a record that cannot be read")
    return links


def link_page(answer: Answer) -> RemotePage[RemoteLink]:
    links, odd = listed(required_mapping(answer.data).get("links"), partial(_link, answer))
    left_out = named(answer, odd, "item_id")
    return RemotePage(items=tuple(links), number=1, is_last=True, total=len(links), left_out=left_out)


def accepted(answer: Answer, *, expected_id: str) -> Accepted:
    return Accepted(link=link(answer, expected_id=expected_id), request_id=answer.request_id)


def switched_off(answer: Answer) -> Removed:
    return Removed(Cause.SWITCHED_OFF, request_id=answer.request_id)


def refreshed(answer: Answer) -> ReportsRefreshed:
    said = required_mapping(answer.data)
    processed, failed = count(said.get("processed_links")), required_list(said.get("failed_links"))
    if processed is None:
        raise ValueError("the number of links is missing")
    return ReportsRefreshed(
        processed=processed,
        failed=tuple(answer.identifier(item) or answer.words(item) for item in failed),
        request_id=answer.request_id,
    )


def observe(answer: Answer, item: Mapping[str, object], *, synced_at: object) -> Observation:
    status, message = answer.term(item.get("status"), STATUSES), item.get("status_message")
    bracketed = _BRACKETED.match(message) if isinstance(message, str) else None
    code = answer.term(bracketed[1], CAUSES) if bracketed else ""
    last_good_at = moment(synced_at)
    return Observation(
        cause=_cause(status, code, synced=last_good_at is not None),
        raw_status=status,
        raw_code=code,
        raw_words=answer.words(message),
        last_good_at=last_good_at,
        conflict=status == "active" and bool(code),
    )


def refusal(operation: str, answer: Answer, *, about_link: bool) -> ProviderError:
    """`about_link`: the response may say something about the link's health."""
    body = mapping(answer.data)
    description = body.get("description", body.get("message"))
    entries = _entries(answer, description)
    failure = Failure(
        operation=operation,
        status=answer.status,
        code=entries[0].code if entries else "",
        words=entries[0].words if entries and not entries[0].field else "",
        request_id=answer.request_id,
        retry_after=_pause(answer),
        fields=_field_errors(answer, description)
        or {entry.field: entry.words for entry in reversed(entries) if entry.field},
        entries=entries,
        body=answer.body,
    )
    if answer.status == HTTPStatus.FORBIDDEN:  # Heron's own errors have a name
        return forbidden(failure, names_reason=bool(failure.code))
    error = STATUS_ERRORS.get(answer.status, Rejected)
    if error is NotFound and about_link:
        return error(failure, Observation(cause=Cause.WRONG_ID, raw_words=failure.words))
    return error(failure)


def rate(call: str, answer: Answer) -> Rate | None:
    names = ("x-ratelimit-limit", "x-ratelimit-remaining")
    calls, left = (count(answer.headers.get(name)) for name in names)
    ends_in = _until_reset(answer)
    return None if not calls or left is None or ends_in is None else Rate(call, ends_in, calls, left)


def _link(answer: Answer, item: Mapping[str, object], *, known: Container[str] = ()) -> RemoteLink:
    item_id = answer.identifier(item.get("item_id"), known=known)
    if not item_id:
        raise Unusable(Why.ID_UNUSABLE if item.get("item_id") else Why.NO_ID)
    if not isinstance(item.get("status"), str):
        raise Unusable(Why.INCOMPLETE)
    return RemoteLink(
        remote_id=item_id,
        observation=observe(answer, item, synced_at=item.get("last_successful_sync")),
        kind=_KINDS.get(str(item.get("type"))) or answer.identifier(item.get("type"), longest=40),
        data_source_id=answer.identifier(item.get("data_source_heron_id"), longest=80),
        created_at=moment(item.get("created")),
        updated_at=moment(item.get("last_updated")),
        last_accessed_at=moment(item.get("last_successful_sync")),
        fresh_for=FRESH_FOR.get(str(item.get("type"))),
        request_id=answer.request_id,
    )


def _cause(status: str, code: str, *, synced: bool) -> Cause:
    if status in ("erroring", "active") and code:
        return cause_of(code) or Cause.ERROR_UNRECOGNIZED
    if status == "erroring":
        return Cause.ERROR_UNNAMED
    if status == "syncing" and not synced:
        return Cause.FIRST_SYNC
    return STATUS_CAUSES.get(status, Cause.UNRECOGNIZED)


def _pause(answer: Answer) -> float | None:
    if answer.status == HTTPStatus.UNAUTHORIZED:  # a wrong key stays wrong
        return None
    until_reset = _until_reset(answer) if answer.status == HTTPStatus.TOO_MANY_REQUESTS else None
    return answer.retry_after if until_reset is None else until_reset


def _until_reset(answer: Answer) -> float | None:
    # https://docs.herondata.io/faqs/rate-limits-429-errors: when the window resets, in seconds since 1970
    reset = count(answer.headers.get("x-ratelimit-reset"))
    seconds = None if reset is None else reset - answer.received_at.timestamp()
    if seconds is None or not -CLOCKS_APART <= seconds <= LONGEST_SENSIBLE:  # another unit, or another clock
        return None
    return min(max(seconds, 1.0), MAX_RETRY_AFTER)


def _entries(answer: Answer, description: object) -> tuple[ErrorEntry, ...]:
    # In Heron's envelope, or in any shape from a proxy in front of it.
    name = answer.term(mapping(answer.data).get("name"), _PHRASES)
    is_envelope = bool(name) or description is not None
    items = items_of({"description": description} if is_envelope else answer.data)
    entries = [entry_of(answer, item, codes=_PHRASES, fields=_FIELD_NAMES) for item in items]
    if is_envelope and not isinstance(description, str):
        entries.insert(0, ErrorEntry())
    if is_envelope and entries:
        entries[0] = replace(entries[0], code=name)
    return tuple(entry for entry in entries if entry.code or entry.words)


def _field_errors(answer: Answer, description: object) -> dict[str, str]:
    # Under "" those about the whole request.
    found: dict[str, str] = {}
    places = mapping(description).values()  # "json" or "query"
    for name, said in islice(chain.from_iterable(map(_leaves, places)), MAX_FIELDS):
        found.setdefault(answer.term(name, _FIELD_NAMES), answer.words(said))
    return found


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, name if key == "_schema" else key)
    elif isinstance(value, list):
        for child in value:
            yield from _leaves(child, name)
    else:
        yield name, value
