"""Heron: exact requests, and what each response means."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from linkadmin.providers.errors import (
    Busy,
    Duplicate,
    InvalidInput,
    KeysRejected,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Unsupported,
)
from linkadmin.providers.types import Cause, FieldKind, LinkRef, NewLink, Observation, RemoteLink, Secret

from .conftest import Script, heron_at, reply
from .shapes import HERON_LINK, ITEM

Serve = Callable[..., Script]

LOGIN_REQUIRED = "[ITEM_LOGIN_REQUIRED] the login details of this item have changed"
CREATED = {**HERON_LINK, "type": "plaid_assets_report"}
NEW_LINK = NewLink(
    "cust-0001", "Blue Fern Bakery", "", {"item_id": ITEM, "access_token": Secret("access-sandbox-de3ce8ef")}
)


def create(serve: Serve, status: int, body: object, **headers: str) -> RemoteLink:
    return heron_at(serve(reply(status, body, **headers)).url).create_link(NEW_LINK)


def refused_create(serve: Serve, status: int, description: object, **headers: str) -> ProviderError:
    body = {"code": status, "name": "Reason Phrase", "description": description}
    with pytest.raises(ProviderError) as caught:
        create(serve, status, body, **headers)
    return caught.value


def observed(serve: Serve, **changes: object) -> Observation:
    body = {"links": [{**CREATED, "status_message": None, **changes}]}
    return heron_at(serve(reply(200, body)).url).read_link(LinkRef(ITEM, "cust-0001")).observation


def test_a_link_is_created_with_four_flat_fields(serve: Serve) -> None:
    script = serve(reply(201, {"link": CREATED}))
    heron_at(script.url).create_link(NEW_LINK)
    (sent,) = script.received
    assert (sent.method, sent.path) == ("POST", "/api/integrations/itg_Ws3nQ7hVb2kLx9TzPm4aYd/links")
    assert sent.headers["x-api-key"] == "key_0123456789abcdef"
    assert sent.headers["content-type"] == "application/json"
    assert "authorization" not in sent.headers
    assert sent.body == {
        "access_token": "access-sandbox-de3ce8ef",
        "end_user_id": "cust-0001",
        "end_user_name": "Blue Fern Bakery",
        "item_id": ITEM,
    }


@pytest.mark.parametrize("status", [200, 201])
def test_a_created_link_is_read_from_its_envelope(serve: Serve, status: int) -> None:
    link = create(serve, status, {"link": CREATED})
    assert (link.remote_id, link.kind, link.data_source_id) == (
        ITEM,
        "plaid_assets_report",
        "dso_4GkWmT7cYzQ2nHsV9bLxRe",
    )
    assert link.created_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_item_id_and_status_are_enough(serve: Serve) -> None:
    link = create(serve, 201, {"link": {"item_id": ITEM, "status": "pending"}})
    assert (link.remote_id, link.observation.cause, link.created_at) == (ITEM, Cause.PENDING, None)


@pytest.mark.parametrize("body", [{}, {"link": []}, {"link": {"item_id": ITEM}}, {"link": {"status": "active"}}, [], 5])
def test_a_created_link_that_cannot_be_read_leaves_the_outcome_open(serve: Serve, body: object) -> None:
    with pytest.raises(OutcomeUnknown):
        create(serve, 201, body)


def test_working_with_an_error_beside_it_is_a_conflict(serve: Serve) -> None:
    seen = create(serve, 201, {"link": CREATED}).observation
    assert (seen.cause, seen.conflict) == (Cause.LOGIN_REQUIRED, True)
    assert (seen.raw_status, seen.raw_code, seen.raw_words) == ("active", "ITEM_LOGIN_REQUIRED", LOGIN_REQUIRED)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"status": "pending"}, Cause.PENDING),
        ({"status": "active"}, Cause.WORKING),
        ({"status": "active", "status_message": "all is well"}, Cause.WORKING),
        ({"status": "syncing"}, Cause.SYNCING),
        ({"status": "syncing", "last_successful_sync": None}, Cause.FIRST_SYNC),
        ({"status": "erroring", "status_message": LOGIN_REQUIRED}, Cause.LOGIN_REQUIRED),
        ({"status": "erroring", "status_message": "  [ITEM_LOCKED]"}, Cause.ITEM_LOCKED),
        ({"status": "erroring", "status_message": "[ACCOUNTS_LIMIT] slow down"}, Cause.TOO_MANY_CALLS),
        ({"status": "erroring", "status_message": "[TRIAL_CONNECTION_LIMIT] no"}, Cause.PLAN_USED_UP),
        ({"status": "erroring", "status_message": "[SOME_FUTURE_CODE] new"}, Cause.ERROR_UNRECOGNIZED),
        ({"status": "erroring", "status_message": "sync failed"}, Cause.ERROR_UNNAMED),
        ({"status": "erroring", "status_message": None}, Cause.ERROR_UNNAMED),
        ({"status": "erroring", "status_message": ["odd"]}, Cause.ERROR_UNNAMED),
        ({"status": "sync_disabled"}, Cause.SWITCHED_OFF),
        ({"status": "deleted_in_plaid"}, Cause.GONE),
        ({"status": "unknown"}, Cause.SOURCE_UNKNOWN),
        ({"status": "dreaming"}, Cause.UNRECOGNIZED),
    ],
)
def test_each_status_and_code_has_its_cause(serve: Serve, changes: dict[str, object], cause: Cause) -> None:
    seen = observed(serve, **changes)
    assert seen.cause is cause
    assert not seen.conflict


def test_the_last_sync_is_the_last_good_data(serve: Serve) -> None:
    assert observed(serve, last_successful_sync="2026-11-20T04:12:00").last_good_at == datetime(
        2026, 11, 20, 4, 12, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("kind", "fresh_for"),
    [("plaid_integration", timedelta(days=3)), ("plaid_assets_report", timedelta(days=90)), ("new", None)],
)
def test_only_a_connection_that_is_pulled_daily_grows_stale(
    serve: Serve, kind: str, fresh_for: timedelta | None
) -> None:
    assert create(serve, 201, {"link": {**CREATED, "type": kind}}).fresh_for == fresh_for


def test_a_link_is_read_from_its_customers_list(serve: Serve) -> None:
    script = serve(reply(200, {"links": [{**CREATED, "item_id": "other"}, CREATED]}))
    link = heron_at(script.url).read_link(LinkRef(ITEM, "cust/1 ü"))
    assert link.remote_id == ITEM
    assert script.received[0].path == "/api/end_users/cust%2F1%20%C3%BC/integration_links"


def test_a_link_that_is_not_listed_is_missing(serve: Serve) -> None:
    with pytest.raises(NotFound) as caught:
        heron_at(serve(reply(200, {"links": []})).url).read_link(LinkRef(ITEM, "cust-0001"))
    assert caught.value.observation == Observation(cause=Cause.MISSING)


def test_a_lost_create_is_looked_for_by_item(serve: Serve) -> None:
    unknown = {"code": 404, "name": "Not Found", "description": "End user not found"}
    heron = heron_at(serve(reply(200, {"links": [CREATED]}), reply(200, {"links": []}), reply(404, unknown)).url)
    found = [heron.find_link(remote_id=ITEM, end_user_id="cust-0001", institution="") for _ in range(3)]
    assert [len(links) for links in found] == [1, 0, 0]


ODD = [5, {}, {**CREATED, "item_id": "other", "status": None}, {**CREATED, "item_id": "a b"}]


def test_an_odd_record_does_not_hide_the_link_beside_it(serve: Serve) -> None:
    script = serve(reply(200, {"links": [*ODD, CREATED]}))
    with capture_logs() as events:
        assert heron_at(script.url).read_link(LinkRef(ITEM, "cust-0001")).remote_id == ITEM
    (skipped,) = [event for event in events if event["event"] == "provider.records_skipped"]
    assert skipped == {"event": "provider.records_skipped", "log_level": "warning", "skipped": 4, "read": 1}


def test_an_odd_record_of_another_item_does_not_keep_a_link_from_being_missing(serve: Serve) -> None:
    heron = heron_at(serve(reply(200, {"links": ODD[2:]})).url)
    assert heron.find_link(remote_id=ITEM, end_user_id="cust-0001", institution="") == []
    with pytest.raises(NotFound):
        heron.read_link(LinkRef(ITEM, "cust-0001"))


@pytest.mark.parametrize("odd", ["x", {}, {"item_id": 5}, {"item_id": ""}, {**CREATED, "status": None}])
def test_an_odd_record_that_may_be_the_link_proves_nothing(serve: Serve, odd: object) -> None:
    heron = heron_at(serve(reply(200, {"links": [odd, {**CREATED, "item_id": "other"}]})).url)
    with pytest.raises(OutcomeUnknown):
        heron.find_link(remote_id=ITEM, end_user_id="cust-0001", institution="")
    with pytest.raises(OutcomeUnknown):
        heron.read_link(LinkRef(ITEM, "cust-0001"))


@pytest.mark.parametrize("body", [{"links": None}, {"links": {}}, {"links": ["x"]}, {}, []])
def test_a_list_that_cannot_be_read_is_no_empty_list(serve: Serve, body: object) -> None:
    with pytest.raises(OutcomeUnknown):
        heron_at(serve(reply(200, body)).url).find_link(remote_id=ITEM, end_user_id="cust-0001", institution="")


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        (400, InvalidInput, None),
        (401, KeysRejected, None),
        (403, KeysRejected, None),
        (404, NotFound, Cause.WRONG_ID),
        (409, Duplicate, None),
        (413, Rejected, None),
        (429, Busy, None),
        (500, OutcomeUnknown, None),
        (503, OutcomeUnknown, None),
    ],
)
def test_each_status_of_a_rejection_has_its_class(
    serve: Serve, status: int, kind: type[ProviderError], cause: Cause | None
) -> None:
    error = refused_create(serve, status, "their words")
    assert type(error) is kind
    assert (error.observation.cause if error.observation else None) is cause
    assert (error.failure.status, error.failure.code, error.failure.words) == (status, "Reason Phrase", "their words")


@pytest.mark.parametrize("status", [409, 422])
def test_an_item_that_is_known_already_is_a_duplicate(serve: Serve, status: int) -> None:
    error = refused_create(serve, status, "a link with this item_id exists")
    assert type(error) is Duplicate


@pytest.mark.parametrize(
    ("description", "fields"),
    [
        ({"json": {"item_id": ["Missing data."]}}, {"item_id": "Missing data."}),
        ({"json": {"end_user_id": ["Too long.", "Odd."]}}, {"end_user_id": "Too long."}),
        ({"json": {"integration": {"_schema": ["invalid combination"]}}}, {"integration": "invalid combination"}),
        ({"json": {"_schema": ["whole object"]}}, {"": "whole object"}),
        ({"query": {"end_user_id_or_heron_id": ["Required."]}}, {"end_user_id_or_heron_id": "Required."}),
        ({}, {}),
        ({"json": 5}, {"": ""}),
    ],
)
def test_wrong_fields_are_named(serve: Serve, description: object, fields: dict[str, str]) -> None:
    error = refused_create(serve, 422, description)
    assert isinstance(error, InvalidInput)
    assert error.failure.fields == fields


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"message": "try again"}'])
def test_a_rejection_of_another_shape_is_judged_by_its_status(serve: Serve, body: bytes) -> None:
    with pytest.raises(KeysRejected):
        create(serve, 401, body)


@pytest.mark.usefixtures("still")
def test_a_rate_limit_says_when_it_ends(serve: Serve) -> None:
    error = refused_create(serve, 429, "100 per 1 minute", x_ratelimit_reset=str(int(time.time()) + 40))
    assert error.failure.retry_after == 40


@pytest.mark.parametrize("reset", ["", "soon", "-5"])
def test_a_rate_limit_without_a_readable_reset_tells_nothing(serve: Serve, reset: str) -> None:
    assert refused_create(serve, 429, "100 per 1 minute", x_ratelimit_reset=reset).failure.retry_after is None


@pytest.mark.parametrize(("status", "seconds"), [(401, None), (403, 900)])
def test_only_a_wrong_key_waits_for_a_person(serve: Serve, status: int, seconds: float | None) -> None:
    error = refused_create(serve, status, "their words", retry_after="30")
    assert isinstance(error, KeysRejected)
    assert error.failure.retry_after == seconds


def test_a_create_that_is_answered_with_another_item_is_no_success(serve: Serve) -> None:
    script = serve(reply(201, {"link": {**CREATED, "item_id": "item-of-another"}}))

    with pytest.raises(OutcomeUnknown):
        heron_at(script.url).create_link(NEW_LINK)


def test_words_that_echo_the_access_token_are_withheld(serve: Serve) -> None:
    error = refused_create(serve, 400, "access-sandbox-de3ce8ef is no token")
    assert error.failure.words == "withheld"


def test_the_form_asks_for_what_plaid_gave(serve: Serve) -> None:
    item, token, report = heron_at("https://app.herondata.io").create_fields(None)
    assert (report.name, report.secret, report.required, report.advanced) == ("asset_report_token", True, False, True)
    assert (item.name, item.secret) == ("item_id", False)
    assert (token.name, token.secret, token.kind) == ("access_token", True, FieldKind.PASSWORD)


@pytest.mark.parametrize("item_id", [ITEM, "a.b:c=d-e_9", "a b", "a/b", "ñ", "x" * 120, "x" * 121])
def test_the_form_takes_just_the_item_ids_that_can_be_read_back(serve: Serve, item_id: str) -> None:
    heron = heron_at(serve(reply(201, {"link": {**CREATED, "item_id": item_id}})).url)
    field = heron.create_fields(None)[0]
    try:
        asked = replace(NEW_LINK, values={**NEW_LINK.values, "item_id": item_id})
        read_back = heron.create_link(asked).remote_id == item_id
    except OutcomeUnknown:
        read_back = False
    taken = re.search(field.pattern, item_id) is not None and len(item_id) <= field.max_length
    assert taken is read_back


def test_staff_cannot_repair_a_link_of_heron_by_typing(serve: Serve) -> None:
    heron = heron_at("https://app.herondata.io")
    assert heron.update_fields(None) == ()
    with pytest.raises(Unsupported):
        heron.update_credentials(LinkRef(ITEM, "cust-0001"), {})


def test_the_connection_test_needs_a_good_key(serve: Serve) -> None:
    script = serve(reply(200, {"hello": "world"}), reply(401, {"code": 401, "name": "Unauthorized", "description": ""}))
    heron = heron_at(script.url)
    assert heron.test_connection().detail == "hello world"
    assert script.received[0].path == "/api/hello_world/authenticated"
    with pytest.raises(KeysRejected):
        heron.test_connection()
