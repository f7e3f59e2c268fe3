"""Heron: calls on links other than creating them, and lists of links."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Busy, Duplicate, InvalidInput, NotFound, OutcomeUnknown, ProviderError
from linkadmin.providers.reading import MAX_FIELDS
from linkadmin.providers.records import Reach, Removed, ReportsRefreshed
from linkadmin.providers.types import Cause, FieldKind, LinkRef, Secret

from .conftest import RecordingAdmission, Script, heron_at, reply

Serve = Callable[..., Script]

ITEM = "M5eVJqLnv3tbzdngLDp9FL5OlDNxlNhlE55op"
LINK = LinkRef(ITEM, "cust-0001")
LINKS_PATH = "/api/integrations/itg_Ws3nQ7hVb2kLx9TzPm4aYd/links"
ACTIVE = {"item_id": ITEM, "status": "active", "type": "plaid_integration"}
ERASED = {"code": 404, "name": "Not Found", "description": "Integration not found"}


def refused(serve: Serve, status: int, body: object, call: Callable[[Any], object]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        call(heron_at(serve(reply(status, body)).url))
    return caught.value


def test_one_link_is_synced_and_tells_how_it_stands(serve: Serve) -> None:
    script = serve(
        reply(200, {"link": {**ACTIVE, "status": "syncing", "last_successful_sync": "2026-11-18T04:10:00Z"}})
    )
    accepted = heron_at(script.url).refresh_data(LINK, {})
    assert accepted.link is not None
    assert accepted.link.observation.cause is Cause.SYNCING
    (sent,) = script.received
    assert (sent.method, sent.path, sent.body) == ("POST", f"{LINKS_PATH}/{ITEM}/refresh", None)


@pytest.mark.parametrize("body", [{}, {"link": {**ACTIVE, "item_id": "another"}}, {"link": []}, []])
def test_the_sync_of_another_link_is_no_answer(serve: Serve, body: object) -> None:
    assert type(refused(serve, 200, body, lambda heron: heron.refresh_data(LINK, {}))) is OutcomeUnknown


def test_a_new_token_is_put_in_the_envelope_that_heron_names_after_customers(serve: Serve) -> None:
    script = serve(reply(200, {"integration_link": ACTIVE}))
    link = heron_at(script.url).replace_token(LINK, {"access_token": Secret("access-new")})
    assert link.observation.cause is Cause.WORKING
    (sent,) = script.received
    assert (sent.method, sent.path) == ("PUT", f"/api/integration_links/{ITEM}")
    assert sent.body == {"end_user": {"access_token": "access-new"}}


def test_a_rejected_token_is_an_error_at_its_field_and_never_shown(serve: Serve) -> None:
    description = {"json": {"end_user": {"access_token": ["access-new is no token"]}}}
    body = {"code": 422, "name": "Unprocessable Entity", "description": description}
    values = {"access_token": Secret("access-new")}
    error = refused(serve, 422, body, lambda heron: heron.replace_token(LINK, values))
    assert (type(error), error.failure.fields) == (InvalidInput, {"access_token": "withheld"})


def test_a_new_token_is_a_secret_field() -> None:
    (token,) = heron_at("https://app.herondata.io").token_fields
    assert (token.name, token.secret, token.kind) == ("access_token", True, FieldKind.PASSWORD)


def test_all_links_of_a_customer_are_switched_off_together(serve: Serve) -> None:
    script = serve(reply(204))
    heron = heron_at(script.url)
    assert heron.remove_link(LinkRef(ITEM, "cust 1"), {}) == Removed(Cause.SWITCHED_OFF)
    assert heron.removal_reach is Reach.CUSTOMER
    (sent,) = script.received
    assert (sent.method, sent.path) == ("DELETE", f"{LINKS_PATH}?end_user_id_or_heron_id=cust+1")


def test_links_of_a_customer_whom_heron_does_not_know_cannot_be_switched_off(serve: Serve) -> None:
    error = refused(serve, 404, ERASED, lambda heron: heron.remove_link(LINK, {}))
    assert error.observation is not None
    assert (type(error), error.observation.cause) == (NotFound, Cause.WRONG_ID)


def test_links_of_nobody_are_not_switched_off(serve: Serve) -> None:
    script = serve(reply(204, None))
    with pytest.raises(InvalidInput):
        heron_at(script.url).remove_link(LinkRef(ITEM, ""), {})
    assert script.received == []


def test_of_a_rejection_without_end_only_so_many_fields_are_stored(serve: Serve) -> None:
    body = {"code": 422, "description": {f"place {number}": {f"field {number}": ["no"]} for number in range(1_000)}}
    error = refused(serve, 422, body, lambda heron: heron.replace_token(LINK, {"access_token": Secret("access-new")}))
    assert len(error.failure.fields) == MAX_FIELDS


@pytest.mark.parametrize(("end_user_id", "query"), [("cust-0001", "?end_user_id_or_heron_id=cust-0001"), ("", "")])
def test_reports_are_regenerated_for_one_customer_or_for_all(serve: Serve, end_user_id: str, query: str) -> None:
    script = serve(reply(200, {"failed_links": [], "processed_links": 2}))
    assert heron_at(script.url).regenerate_reports(end_user_id) == ReportsRefreshed(processed=2)
    (sent,) = script.received
    assert (sent.method, sent.path, sent.body) == ("PUT", f"{LINKS_PATH}{query}", None)


def test_reports_of_which_some_failed_are_an_answer(serve: Serve) -> None:
    script = serve(reply(422, {"failed_links": [ITEM, "an odd one"], "processed_links": 3}))
    assert heron_at(script.url).regenerate_reports("") == ReportsRefreshed(processed=3, failed=(ITEM, "an odd one"))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (422, {"code": 422, "name": "Unprocessable Entity", "description": "odd"}, InvalidInput),
        (422, {"processed_links": "many", "failed_links": []}, OutcomeUnknown),
        (422, {"processed_links": 3}, OutcomeUnknown),
        (200, {"processed_links": 3}, OutcomeUnknown),
        (200, {}, OutcomeUnknown),
        (500, {"processed_links": 3, "failed_links": []}, OutcomeUnknown),
    ],
)
def test_any_other_answer_to_reports_is_what_it_is(
    serve: Serve, status: int, body: object, kind: type[ProviderError]
) -> None:
    assert type(refused(serve, status, body, lambda heron: heron.regenerate_reports("cust-0001"))) is kind


def test_a_rejection_for_want_of_reports_blames_no_link(serve: Serve) -> None:
    error = refused(serve, 404, ERASED, lambda heron: heron.regenerate_reports(""))
    assert (type(error), error.failure.reason, error.observation) == (NotFound, "no_reports", None)
    assert error.failure.words == "Integration not found"


@pytest.mark.parametrize(
    ("filters", "path"),
    [
        ({"end_user_id": "cust-0001"}, f"{LINKS_PATH}?end_user_id_or_heron_id=cust-0001"),
        ({"end_user_id": "cust-0001", "everywhere": "no"}, f"{LINKS_PATH}?end_user_id_or_heron_id=cust-0001"),
        ({"end_user_id": " cust/1 ", "everywhere": "yes"}, "/api/end_users/%20cust%2F1%20/integration_links"),
    ],
)
def test_links_are_listed_here_or_everywhere(serve: Serve, filters: dict[str, str], path: str) -> None:
    script = serve(reply(200, {"links": [ACTIVE, "odd"]}))
    page = heron_at(script.url).list_links(filters)
    assert ([link.remote_id for link in page.items], page.number, page.is_last, page.total) == ([ITEM], 1, True, 1)
    assert (script.received[0].method, script.received[0].path) == ("GET", path)


def test_links_everywhere_need_a_customer(serve: Serve) -> None:
    script = serve(reply(200, {"links": []}))
    with pytest.raises(InvalidInput):
        heron_at(script.url).list_links({"everywhere": "yes"})
    assert script.received == []


def test_a_search_for_links_requires_whose_they_are() -> None:
    fields = heron_at("https://app.herondata.io").link_filters
    assert [(field.name, field.required) for field in fields] == [("end_user_id", True), ("everywhere", False)]


@pytest.mark.parametrize("body", [{"links": ["x"]}, {"links": [{"item_id": ITEM}]}, {"links": None}, {}, []])
def test_links_that_cannot_be_read_are_not_none(serve: Serve, body: object) -> None:
    assert type(refused(serve, 200, body, lambda heron: heron.list_links({"end_user_id": "c"}))) is OutcomeUnknown


def test_a_customer_whom_heron_does_not_know_says_nothing_about_a_link(serve: Serve) -> None:
    error = refused(serve, 404, ERASED, lambda heron: heron.list_links({"end_user_id": "c"}))
    assert (type(error), error.observation) == (NotFound, None)


def read(heron: Provider) -> object:
    return heron.read_link(LINK)


def reported_rate(serve: Serve, status: int, call: Callable[[Any], object] = read, **headers: str) -> Any:
    admission = RecordingAdmission(retries=0)
    script = serve(reply(status, {"links": [ACTIVE]}, **headers))
    heron = type(heron_at(script.url))(
        base_url=script.url,
        options={"integration_id": "itg_1"},
        secrets={"api_key": Secret("key_0123456789abcdef")},
        allow_loopback=True,
        admission=admission,
    )
    try:
        call(heron)
    except Busy:
        assert status == 429
    (result,) = admission.results
    return result.rate


@pytest.mark.usefixtures("still")
def test_every_answer_tells_how_many_calls_are_left(serve: Serve) -> None:
    headers = {
        "x_ratelimit_limit": "100",
        "x_ratelimit_remaining": "97",
        "x_ratelimit_reset": str(int(time.time()) + 40),
    }
    rate = reported_rate(serve, 200, **headers)
    assert (rate.scope, rate.calls, rate.left) == ("read_link", 100, 97)
    assert rate.ends_in == 40


@pytest.mark.parametrize(
    ("call", "scope"),
    [
        (lambda heron: heron.find_link(remote_id=ITEM, end_user_id="c", institution=""), "read_link"),
        (lambda heron: heron.list_links({"end_user_id": "c", "everywhere": "yes"}), "read_link"),
        (lambda heron: heron.list_links({"end_user_id": "c"}), "list_links"),
        (lambda heron: heron.read_links([LINK]), "list_links"),
    ],
)
def test_reported_limit_covers_all_calls_to_that_endpoint(
    serve: Serve, call: Callable[[Any], object], scope: str
) -> None:
    headers = {"x_ratelimit_limit": "100", "x_ratelimit_remaining": "97"}
    headers["x_ratelimit_reset"] = str(int(time.time()) + 40)

    assert reported_rate(serve, 200, call, **headers).scope == scope
    assert reported_rate(serve, 429, call, x_ratelimit_reset=headers["x_ratelimit_reset"]).scope == scope


@pytest.mark.parametrize("name", ["x_ratelimit_limit", "x_ratelimit_remaining", "x_ratelimit_reset"])
def test_a_rate_limit_reported_in_part_is_ignored(serve: Serve, name: str) -> None:
    headers = {
        "x_ratelimit_limit": "100",
        "x_ratelimit_remaining": "97",
        "x_ratelimit_reset": str(int(time.time()) + 40),
    }
    assert reported_rate(serve, 200, **{**headers, name: "soon"}) is None


@pytest.mark.usefixtures("still")
def test_a_call_that_came_too_soon_holds_back_its_own_kind(serve: Serve) -> None:
    rate = reported_rate(serve, 429, x_ratelimit_reset=str(int(time.time()) + 40))
    assert (rate.scope, rate.calls) == ("read_link", 0)
    assert rate.ends_in == 40


def test_a_customer_who_is_known_already_is_a_duplicate(serve: Serve) -> None:
    body = {"code": 409, "name": "Conflict", "description": "end user exists"}
    assert type(refused(serve, 409, body, lambda heron: heron.create_end_user("cust-0001", ""))) is Duplicate
