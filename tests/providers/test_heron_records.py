"""Heron: customers, data sources, connectors and webhook subscriptions."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from linkadmin.providers.errors import InvalidInput, NotFound, OutcomeUnknown, ProviderError
from linkadmin.providers.records import RemoteAccount, RemoteConnector, RemoteWebhook
from linkadmin.providers.types import Cause

from .conftest import Script, heron_at, reply

Serve = Callable[..., Script]

CUSTOMER = {
    "heron_id": "eus_8vTqLk2ZmWc5RnHy3PbXsd",
    "end_user_id": "cust-0001",
    "name": "Blue Fern Bakery",
    "status": "processed",
    "created": "2026-09-01T10:00:00",
    "last_updated": "2026-11-19T06:00:00",
    "data_sources": [{"type": "integration_link", "status": "erroring"}, {"type": "pdf", "status": "processed"}],
}
SOURCE = {
    "heron_id": "dso_4GkWmT7cYzQ2nHsV9bLxRe",
    "type": "integration_link",
    "status": "active",
    "is_enabled": True,
    "metadata": {"integration_item_id": "item-1", "last_successful_sync": "2026-11-14T04:12:00"},
    "data_source_accounts": [
        {"account_id": "202348", "enabled": False, "num_transactions": 120, "min_date": "2026-01-01", "max_date": None}
    ],
}
WEBHOOK = {
    "heron_id": "wbh_2nKqVt8ZcXw4LmRs7HbPyd",
    "topic": "integration_link.erroring",
    "url": "https://links.example.test/hooks/heron/",
    "is_enabled": True,
    "headers": {"Authorization": "canary-header"},
}
OUR_WEBHOOK = RemoteWebhook(str(WEBHOOK["heron_id"]), str(WEBHOOK["topic"]), str(WEBHOOK["url"]))


def unreadable(serve: Serve, body: object, call: Callable[[Any], object]) -> bool:
    with pytest.raises(ProviderError) as caught:
        call(heron_at(serve(reply(200, body)).url))
    return type(caught.value) is OutcomeUnknown


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({}, ""),
        ({"name": "Blue Fern", "status": "failed"}, "&name=Blue+Fern&status=failed"),
        ({"end_user_id": "cust-0001", "heron_id": "eus_1"}, "&end_user_id=cust-0001&heron_id=eus_1"),
        ({"order_by": "created_desc", "is_portfolio": "false"}, "&order_by=created_desc&is_portfolio=false"),
        ({"limit": "9", "include_tags": "true", "name": " "}, ""),
    ],
)
def test_customers_are_searched_with_how_their_sources_stand(serve: Serve, filters: dict[str, str], query: str) -> None:
    meta = {"page": 2, "pages": 3, "limit": 100, "total": 230, "next_url": "https://elsewhere.example"}
    script = serve(reply(200, {"_meta": meta, "end_users": [CUSTOMER, 5]}))
    page = heron_at(script.url).list_end_users(filters, page=2)
    assert ([one.end_user_id for one in page.items], page.number, page.is_last, page.total) == (
        ["cust-0001"],
        2,
        False,
        230,
    )
    path, _, sent = script.received[0].path.partition("?")
    assert (path, set(sent.split("&"))) == (
        "/api/end_users",
        {"page=2", "limit=100", "include_data_sources=true", *filter(None, query.split("&"))},
    )


@pytest.mark.parametrize(
    ("meta", "is_last"),
    [({"pages": 1}, True), ({"pages": 2}, False), ({}, True), (None, True), ({"pages": "soon"}, True)],
)
def test_the_last_page_of_customers_is_known(serve: Serve, meta: object, is_last: bool) -> None:
    script = serve(reply(200, {"_meta": meta, "end_users": [CUSTOMER]}))
    assert heron_at(script.url).list_end_users({}).is_last is is_last


def test_a_full_page_of_customers_without_a_count_is_not_the_last(serve: Serve) -> None:
    script = serve(reply(200, {"end_users": [CUSTOMER] * 100}))
    assert not heron_at(script.url).list_end_users({}).is_last


def test_a_customer_is_read_with_the_causes_of_its_sources(serve: Serve) -> None:
    script = serve(reply(200, {"end_user": CUSTOMER}))
    found = heron_at(script.url).read_end_user("cust-0001")
    assert script.received[0].path == "/api/end_users/cust-0001"
    assert (found.remote_id, found.status) == ("eus_8vTqLk2ZmWc5RnHy3PbXsd", "processed")
    assert found.created_at == datetime(2026, 9, 1, 10, tzinfo=UTC)
    assert [(source.kind, source.observation.cause) for source in found.sources] == [
        ("integration_link", Cause.ERROR_UNNAMED),
        ("pdf", Cause.WORKING),
    ]
    assert "Fern" not in repr(found)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("active", Cause.WORKING),
        ("syncing", Cause.SYNCING),
        ("erroring", Cause.ERROR_UNNAMED),
        ("sync_disabled", Cause.SWITCHED_OFF),
        ("deleted_in_plaid", Cause.GONE),
        ("unknown", Cause.SOURCE_UNKNOWN),
        ("parsing", Cause.DATA_PREPARING),
        ("failed", Cause.ERROR_UNNAMED),
        ("transactions_unloaded", Cause.SWITCHED_OFF),
        ("dreaming", Cause.UNRECOGNIZED),
        (None, Cause.SOURCE_UNKNOWN),
    ],
)
def test_each_status_of_a_source_has_its_cause(serve: Serve, status: object, cause: Cause) -> None:
    body = {"end_user": {**CUSTOMER, "data_sources": [{"type": "integration_link", "status": status}]}}
    (source,) = heron_at(serve(reply(200, body)).url).read_end_user("cust-0001").sources
    assert source.observation.cause is cause


def test_a_customer_is_found_by_herons_own_id_too(serve: Serve) -> None:
    script = serve(reply(200, {"end_user": CUSTOMER}))
    assert heron_at(script.url).read_end_user(str(CUSTOMER["heron_id"])).end_user_id == "cust-0001"


@pytest.mark.parametrize(
    "body",
    [
        {"end_user": {**CUSTOMER, "end_user_id": "cust-0002", "heron_id": "eus_2"}},
        {"end_user": {**CUSTOMER, "end_user_id": "cust-0001\u202e"}},
        {"end_user": {}},
        {},
    ],
)
def test_another_customer_is_no_answer(serve: Serve, body: object) -> None:
    assert unreadable(serve, body, lambda heron: heron.read_end_user("cust-0001"))


def test_an_unknown_customer_is_not_found_and_blames_no_link(serve: Serve) -> None:
    script = serve(reply(404, {"code": 404, "name": "Not Found", "description": "End user not found"}))
    with pytest.raises(NotFound) as caught:
        heron_at(script.url).read_end_user("cust-0001")
    assert caught.value.observation is None


@pytest.mark.parametrize(("name", "more"), [("Blue Fern Bakery", {"name": "Blue Fern Bakery"}), ("", {})])
def test_a_customer_is_created_in_an_envelope(serve: Serve, name: str, more: dict[str, str]) -> None:
    script = serve(reply(201, {"end_user": {**CUSTOMER, "status": "new"}}))
    assert heron_at(script.url).create_end_user("cust-0001", name).status == "new"
    (sent,) = script.received
    assert (sent.method, sent.path) == ("POST", "/api/end_users")
    assert sent.body == {"end_user": {"end_user_id": "cust-0001", **more}}


def test_a_customer_is_renamed_and_nothing_else_of_theirs_is_sent(serve: Serve) -> None:
    script = serve(reply(200, {"end_user": {**CUSTOMER, "name": "Blue Fern Bakeries"}}))
    assert heron_at(script.url).rename_end_user("cust-0001", "Blue Fern Bakeries").name == "Blue Fern Bakeries"
    (sent,) = script.received
    assert (sent.method, sent.path) == ("PUT", "/api/end_users")
    assert sent.body == {"end_user": {"end_user_id": "cust-0001", "name": "Blue Fern Bakeries"}}


def test_the_processing_status_of_a_customer_is_one_word(serve: Serve) -> None:
    script = serve(reply(200, {"status": "processing"}))
    assert heron_at(script.url).read_processing("cust-0001") == "processing"
    assert script.received[0].path == "/api/end_users/cust-0001/processing_status"
    assert unreadable(serve, {"status": None}, lambda heron: heron.read_processing("cust-0001"))


def test_sources_tell_their_link_their_span_and_their_last_sync(serve: Serve) -> None:
    script = serve(reply(200, [5, SOURCE]))
    (source,) = heron_at(script.url).list_data_sources("cust-0001")
    assert script.received[0].path == "/api/end_users/cust-0001/data_sources"
    assert (source.remote_link_id, source.enabled) == ("item-1", True)
    assert source.synced_at == source.observation.last_good_at == datetime(2026, 11, 14, 4, 12, tzinfo=UTC)
    assert source.accounts == (RemoteAccount("202348", False, 120, date(2026, 1, 1), None),)


def test_a_source_may_tell_next_to_nothing(serve: Serve) -> None:
    script = serve(reply(200, [{"heron_id": "dso_1", "metadata": None, "data_source_accounts": "none"}]))
    (source,) = heron_at(script.url).list_data_sources("cust-0001")
    assert (source.remote_link_id, source.enabled, source.accounts) == ("", True, ())


@pytest.mark.parametrize("enabled", [True, False])
def test_a_source_is_switched_by_one_field(serve: Serve, enabled: bool) -> None:
    script = serve(reply(200, {**SOURCE, "is_enabled": enabled}))
    source_id = str(SOURCE["heron_id"])
    assert heron_at(script.url).switch_data_source(source_id, enabled=enabled).enabled is enabled
    (sent,) = script.received
    assert (sent.method, sent.path, sent.body) == ("PUT", f"/api/data_sources/{source_id}", {"is_enabled": enabled})


def test_another_source_is_no_answer(serve: Serve) -> None:
    assert unreadable(serve, SOURCE, lambda heron: heron.switch_data_source("dso_other", enabled=True))


def test_connectors_have_no_keys(serve: Serve) -> None:
    keys = {"client_id": "canary-id", "client_secret": "canary-secret", "client_auth": {"key": "canary-auth"}}
    row = {"heron_id": "itg_1", "name": "Plaid production", "type": "plaid", "resource": "transaction", **keys}
    script = serve(reply(200, {"integrations": [row, {**keys, "name": "odd"}]}))
    connectors = heron_at(script.url).list_connectors()
    assert connectors == [RemoteConnector("itg_1", "Plaid production", "transaction", "plaid")]
    assert script.received[0].path == "/api/integrations"
    assert "canary" not in repr(connectors)


def test_webhooks_have_no_headers(serve: Serve) -> None:
    script = serve(reply(200, {"webhooks": [WEBHOOK]}))
    assert heron_at(script.url).list_webhooks() == [OUR_WEBHOOK]
    assert script.received[0].path == "/api/webhooks"


@pytest.mark.parametrize(
    "changes", [{"url": "https://a.example/\u202e"}, {"url": "https://a.example/" + "a" * 500}, {"topic": None}]
)
def test_a_webhook_that_could_not_be_sent_back_as_it_came_is_left_out(serve: Serve, changes: dict[str, object]) -> None:
    script = serve(reply(200, {"webhooks": [{**WEBHOOK, **changes}, WEBHOOK]}))
    assert heron_at(script.url).list_webhooks() == [OUR_WEBHOOK]


def test_the_topics_are_listed(serve: Serve) -> None:
    script = serve(reply(200, {"topics": ["integration_link.erroring", 5, "a b", "end_user.created"]}))
    assert heron_at(script.url).list_webhook_topics() == ["integration_link.erroring", "end_user.created"]
    assert script.received[0].path == "/api/webhooks/topics"


def test_a_webhook_is_added_for_one_topic(serve: Serve) -> None:
    script = serve(reply(201, {"webhook": WEBHOOK}))
    assert heron_at(script.url).add_webhook(OUR_WEBHOOK.topic, OUR_WEBHOOK.url) == OUR_WEBHOOK
    (sent,) = script.received
    assert (sent.method, sent.path) == ("POST", "/api/webhooks")
    assert sent.body == {"topic": OUR_WEBHOOK.topic, "url": OUR_WEBHOOK.url, "is_enabled": True}


def test_a_rejected_webhook_url_is_an_error_at_its_field(serve: Serve) -> None:
    body = {"code": 422, "name": "Unprocessable Entity", "description": {"json": {"url": ["Not a valid URL."]}}}
    with pytest.raises(InvalidInput) as caught:
        heron_at(serve(reply(422, body)).url).add_webhook("end_user.created", "x")
    assert caught.value.failure.fields == {"url": "Not a valid URL."}


def test_a_webhook_is_paused_with_all_of_it(serve: Serve) -> None:
    script = serve(reply(200, {"webhook": {**WEBHOOK, "is_enabled": False}}))
    assert not heron_at(script.url).switch_webhook(OUR_WEBHOOK, enabled=False).enabled
    (sent,) = script.received
    assert (sent.method, sent.path) == ("PUT", f"/api/webhooks/{OUR_WEBHOOK.remote_id}")
    assert sent.body == {"topic": OUR_WEBHOOK.topic, "url": OUR_WEBHOOK.url, "is_enabled": False}


def test_a_webhook_is_removed(serve: Serve) -> None:
    script = serve(reply(204))
    heron_at(script.url).remove_webhook(OUR_WEBHOOK.remote_id)
    (sent,) = script.received
    assert (sent.method, sent.path) == ("DELETE", f"/api/webhooks/{OUR_WEBHOOK.remote_id}")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda heron: heron.list_end_users({}), "end_users"),
        (lambda heron: heron.list_connectors(), "integrations"),
        (lambda heron: heron.list_webhooks(), "webhooks"),
        (lambda heron: heron.list_webhook_topics(), "topics"),
    ],
)
@pytest.mark.parametrize("rows", [[5], [{}], None, {}])
def test_a_list_that_cannot_be_read_is_no_empty_list(
    serve: Serve, call: Callable[[Any], object], name: str, rows: object
) -> None:
    assert unreadable(serve, {name: rows}, call)


@pytest.mark.parametrize("body", [[5], [{}], {}, None])
def test_sources_that_cannot_be_read_are_not_none(serve: Serve, body: object) -> None:
    assert unreadable(serve, body, lambda heron: heron.list_data_sources("cust-0001"))
