"""Belvo: calls on links other than sign-ins, and lists of links."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from linkadmin.providers.errors import (
    Busy,
    CodeRequired,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    ProviderError,
)
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.records import Accepted, Removed
from linkadmin.providers.types import Cause, LinkRef, NewLink, ReturnUrls, Secret, Value

from .conftest import Script, belvo_at, reply

Serve = Callable[..., Script]

LINK_ID = "30cb4806-6e00-48a4-91c9-ca55968576c8"
LINK = LinkRef(LINK_ID, "cust-0001")
GOOD_LINK = {
    "id": LINK_ID,
    "institution": "erebor_mx_retail",
    "access_mode": "recurrent",
    "status": "valid",
    "credentials_storage": "store",
    "stale_in": "365d",
    "fetch_resources": ["ACCOUNTS", "OWNERS"],
}
REQUEST_ID = "b5d0106ac9cc43d5b36199fe831f6bbe"
WANTED = {"code": "token_required", "session": "2675b703b9d4451f8d4861a3eee54449", "expiry": 720, "link": LINK_ID}


def test_a_link_has_its_fetched_data_and_retention(serve: Serve) -> None:
    link = belvo_at(serve(reply(200, GOOD_LINK)).url).read_link(LINK)
    assert (link.storage, link.stale_in, link.resources) == ("store", "365d", ("ACCOUNTS", "OWNERS"))


@pytest.mark.parametrize("odd", [None, 5, {}, "a" * 500])
def test_odd_settings_of_a_link_are_left_out(serve: Serve, odd: object) -> None:
    body = {**GOOD_LINK, "credentials_storage": odd, "stale_in": odd, "fetch_resources": [odd] if odd == 5 else odd}
    link = belvo_at(serve(reply(200, body)).url).read_link(LINK)
    assert (link.storage, link.stale_in, link.resources) == ("", "", ())


def test_the_options_of_a_new_link_are_sent_with_a_list_of_what_to_fetch(serve: Serve) -> None:
    script = serve(reply(201, GOOD_LINK))
    options: dict[str, Value] = {
        "fetch_resources": ("ACCOUNTS", "OWNERS"),
        "credentials_storage": "90d",
        "stale_in": "30d",
    }
    belvo_at(script.url).create_link(NewLink("cust-0001", "", "erebor_mx_retail", {"username": Secret("u"), **options}))
    sent = script.received[0].body
    assert sent["fetch_resources"] == ["ACCOUNTS", "OWNERS"]
    assert (sent["credentials_storage"], sent["stale_in"]) == ("90d", "30d")


@pytest.mark.parametrize(
    ("values", "body"),
    [({}, None), ({"resources": ()}, None), ({"resources": ("OWNERS",)}, {"fetch_resources": ["OWNERS"]})],
)
def test_a_fetch_is_requested_with_what_was_chosen(serve: Serve, values: dict[str, Any], body: object) -> None:
    script = serve(reply(202, {"request_id": REQUEST_ID}))
    assert belvo_at(script.url).refresh_data(LINK, values) == Accepted(request_id=REQUEST_ID)
    (sent,) = script.received
    assert (sent.method, sent.path, sent.body) == ("POST", f"/api/links/{LINK_ID}/refresh/", body)


def test_a_fetch_that_comes_too_early_tells_how_long_to_wait(serve: Serve) -> None:
    words = "The link has already been refreshed. Please wait 7 minutes before trying again."
    script = serve(reply(409, [{"code": "link_refreshed", "message": words}]))
    with pytest.raises(Busy) as caught:
        belvo_at(script.url).refresh_data(LINK, {})
    assert (caught.value.failure.retry_after, caught.value.observation) == (420.0, None)


@pytest.mark.parametrize("body", [[], 5, b"<html>"])
def test_a_fetch_whose_answer_cannot_be_read_is_open(serve: Serve, body: object) -> None:
    with pytest.raises(OutcomeUnknown):
        belvo_at(serve(reply(202, body)).url).refresh_data(LINK, {})


@pytest.mark.parametrize(
    ("values", "body"),
    [
        ({"access_mode": "recurrent"}, {"access_mode": "recurrent"}),
        ({"stale_in": "30d", "access_mode": "", "resources": ()}, {"stale_in": "30d"}),
        ({"resources": ("ACCOUNTS",), "storage": "90d"}, {"fetch_resources": ["ACCOUNTS"]}),
    ],
)
def test_only_the_settings_that_are_given_are_changed(
    serve: Serve, values: dict[str, Any], body: dict[str, object]
) -> None:
    script = serve(reply(200, GOOD_LINK))
    assert belvo_at(script.url).change_settings(LINK, values).stale_in == "365d"
    (sent,) = script.received
    assert (sent.method, sent.path, sent.body) == ("PATCH", f"/api/links/{LINK_ID}/", body)


def test_a_change_of_settings_may_ask_for_a_code(serve: Serve) -> None:
    script = serve(reply(428, [WANTED]))
    with pytest.raises(CodeRequired) as caught:
        belvo_at(script.url).change_settings(LINK, {"access_mode": "recurrent"})
    assert (caught.value.challenge.remote_link_id, caught.value.challenge.expires_in) == (LINK_ID, 720)


def test_a_change_without_stored_credentials_is_rejected_without_blame(serve: Serve) -> None:
    script = serve(reply(400, [{"code": "invalid_access_mode_switch", "message": "no stored credentials"}]))
    with pytest.raises(InvalidInput) as caught:
        belvo_at(script.url).change_settings(LINK, {"access_mode": "recurrent"})
    assert caught.value.observation is None


@pytest.mark.parametrize(
    ("values", "mode", "answer", "removed"),
    [
        ({}, None, reply(204), Removed(Cause.REMOVED)),
        ({"how": "at_once"}, None, reply(204), Removed(Cause.REMOVED)),
        (
            {"how": "in_background"},
            "async",
            reply(202, {"request_id": REQUEST_ID}),
            Removed(Cause.REMOVED, finished=False, request_id=REQUEST_ID),
        ),
    ],
)
def test_a_link_is_removed_at_once_or_in_the_background(
    serve: Serve, values: dict[str, Any], mode: str | None, answer: Any, removed: Removed
) -> None:
    script = serve(answer)
    assert belvo_at(script.url).remove_link(LINK, values) == removed
    (sent,) = script.received
    assert (sent.method, sent.path, sent.body) == ("DELETE", f"/api/links/{LINK_ID}/", None)
    assert sent.headers.get("x-belvo-request-mode") == mode


def test_a_link_that_is_gone_already_is_not_found(serve: Serve) -> None:
    script = serve(reply(404, [{"code": "not_found", "message": "Not found."}]))
    with pytest.raises(NotFound) as caught:
        belvo_at(script.url).remove_link(LINK, {})
    assert caught.value.observation is not None
    assert caught.value.observation.cause is Cause.NOT_FOUND


def test_only_removals_at_once_count_against_their_small_quota(serve: Serve) -> None:
    script = serve(reply(429), reply(429))
    operations = []
    for values in ({}, {"how": "in_background"}):
        with pytest.raises(Busy) as caught:
            belvo_at(script.url).remove_link(LINK, values)
        operations.append(caught.value.failure.operation)
    scopes = {quota.scope for quota in belvo_at(script.url).quotas}
    assert [operation.removeprefix("belvo.") in scopes for operation in operations] == [True, False]


def test_a_repair_address_leads_to_the_widget_in_the_customers_language(serve: Serve) -> None:
    script = serve(reply(200, {"access": "head.body+/=.sign", "refresh": "for-twenty-years"}))
    address = belvo_at(script.url).create_repair_url(LINK, {"locale": "pt"})
    widget = f"{script.url}/widget.belvo.io/"  # the stand-in's
    assert address.url.reveal() == f"{widget}?access_token=head.body%2B%2F%3D.sign&locale=pt"
    assert (address.expires_in, "head" in repr(address)) == (600, False)
    (sent,) = script.received
    assert (sent.method, sent.path) == ("POST", "/api/token/")
    assert sent.body == {
        "id": "our-secret-id",
        "password": "our-secret-password",
        "scopes": "read_institutions,write_links,read_links",
        "link_id": LINK_ID,
    }


def test_widget_gets_the_urls_to_lead_back_to(serve: Serve) -> None:
    script = serve(reply(200, {"access": "a", "refresh": "r"}))
    urls = ReturnUrls("https://links.example.com/repair/done/", "https://links.example.com/repair/left/")

    belvo_at(script.url).create_repair_url(LINK, {}, urls)

    assert script.received[0].body["widget"] == {
        "callback_urls": {"success": urls.done, "exit": urls.left, "event": urls.left}
    }


@pytest.mark.parametrize("base_url", ["https://api.belvo.com", "https://sandbox.belvo.com"])
def test_belvos_own_pages_are_at_belvos_own_hosts(base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    belvo = belvo_at(base_url)
    answered = Answer(200, {}, data={"access": "a"}, readable=True, duration_ms=1, received_at=datetime.now(UTC))
    monkeypatch.setattr(belvo._http, "call", lambda *_, read, **__: read(answered))

    widget = belvo.create_repair_url(LINK, {})
    portal = belvo.create_repair_url(LinkRef(LINK_ID, "cust-0001", "openfinance"), {})

    assert widget.url.reveal() == "https://widget.belvo.io/?access_token=a"
    assert portal.url.reveal() == "https://meuportal.belvo.com/?mode=landing"


@pytest.mark.parametrize("body", [{}, {"access": ""}, {"access": 5}, {"access": "a" * 9000}, [], {"refresh": "x"}])
def test_an_answer_without_a_token_is_no_address(serve: Serve, body: object) -> None:
    with pytest.raises(OutcomeUnknown):
        belvo_at(serve(reply(200, body)).url).create_repair_url(LINK, {})


def test_keys_that_come_back_are_withheld_and_no_token_is_logged(serve: Serve) -> None:
    refusal = reply(400, [{"code": "invalid", "message": "our-secret-password is wrong", "field": "password"}])
    belvo = belvo_at(serve(refusal, reply(200, {"access": "canary-access", "refresh": "canary-refresh"})).url)
    with capture_logs() as events:
        with pytest.raises(InvalidInput) as caught:
            belvo.create_repair_url(LINK, {})
        belvo.create_repair_url(LINK, {})
    assert (caught.value.failure.words, caught.value.failure.fields) == ("withheld", {"password": "withheld"})
    assert "canary" not in str(events)


@pytest.mark.parametrize("integration_type", ["openfinance", "openbanking"])
def test_open_finance_is_repaired_in_the_consent_portal_without_a_token(serve: Serve, integration_type: str) -> None:
    script = serve(reply(200, {"access": "a", "refresh": "r"}))
    link = LinkRef(LINK_ID, "cust-0001", integration_type)
    address = belvo_at(script.url).create_repair_url(link, {"locale": "pt"})
    assert address.url.reveal() == f"{script.url}/meuportal.belvo.com/?mode=landing"
    assert script.received == []


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({}, ""),
        ({"id": LINK_ID}, f"&id={LINK_ID}"),
        ({"id": "one, two,"}, "&id__in=one%2Ctwo"),
        ({"external_id": "cust-0001", "institution": "a,b"}, "&external_id=cust-0001&institution__in=a%2Cb"),
        ({"institution_user_id": "ezFox=,YwuT="}, "&institution_user_id__in=ezFox%3D%2CYwuT%3D"),
        ({"status": ("invalid",)}, "&status=invalid"),
        ({"status": ("invalid", "unconfirmed")}, "&status__in=invalid%2Cunconfirmed"),
        ({"access_mode": "single", "refresh_rate": "24h"}, "&access_mode=single&refresh_rate=24h"),
        (
            {"created_at__gte": "2026-05-01", "created_at__lte": "2026-05-31"},
            "&created_at__gte=2026-05-01&created_at__lte=2026-05-31",
        ),
        (
            {"created_at": "2026-05-01", "created_at__gt": "2026-05-02", "created_at__lt": "2026-05-03"},
            "&created_at=2026-05-01&created_at__gt=2026-05-02&created_at__lt=2026-05-03",
        ),
        ({"created_at__range": "2026-05-01,2026-05-31"}, "&created_at__range=2026-05-01%2C2026-05-31"),
        ({"created_by__not_in": "one,two"}, "&created_by__not_in=one%2Ctwo"),
        ({"status": " ", "page_size": "9", "colour": "red"}, ""),
    ],
)
def test_links_are_searched_by_what_was_filled(serve: Serve, filters: dict[str, Any], query: str) -> None:
    script = serve(reply(200, {"count": 0, "next": None, "results": []}))
    belvo_at(script.url).list_links(filters)
    assert script.received[0].path == f"/api/links/?page=1&page_size=100{query}"


def test_a_page_of_links_is_requested_by_its_number_on_our_own_host(serve: Serve) -> None:
    elsewhere = serve(reply(200, {"results": []}))
    script = serve(reply(200, {"count": 230, "next": f"{elsewhere.url}/?page=3", "results": [GOOD_LINK]}))
    page = belvo_at(script.url).list_links({}, page=2)
    assert ([link.remote_id for link in page.items], page.number, page.is_last, page.total) == (
        [LINK_ID],
        2,
        False,
        230,
    )
    assert script.received[0].path == "/api/links/?page=2&page_size=100"
    assert elsewhere.received == []


@pytest.mark.parametrize(
    ("body", "is_last", "total"),
    [
        ({"count": 1, "next": None, "results": [GOOD_LINK]}, True, 1),
        ({"results": [GOOD_LINK]}, True, None),
        ({"count": "1", "next": "more", "results": []}, True, 1),
        ({"count": -1, "next": "more", "results": ["x", GOOD_LINK]}, False, None),
    ],
)
def test_the_last_page_and_the_total_are_known(serve: Serve, body: object, is_last: bool, total: int | None) -> None:
    page = belvo_at(serve(reply(200, body)).url).list_links({})
    assert (page.is_last, page.total) == (is_last, total)


@pytest.mark.parametrize("results", [["x"], [{}, {"id": LINK_ID}], None, {}])
def test_a_page_that_cannot_be_read_is_no_empty_page(serve: Serve, results: object) -> None:
    with pytest.raises(OutcomeUnknown):
        belvo_at(serve(reply(200, {"results": results, "next": None})).url).list_links({})


@pytest.mark.parametrize(
    "call",
    [
        lambda belvo: belvo.list_links({}),
        lambda belvo: belvo.find_institutions({}),
        lambda belvo: belvo.read_institution("1004"),
        lambda belvo: belvo.list_consents(LINK),
    ],
)
def test_what_is_not_asked_about_a_link_says_nothing_of_its_health(serve: Serve, call: Callable[..., object]) -> None:
    script = serve(reply(404, [{"code": "not_found", "message": "Not found."}]))
    with pytest.raises(ProviderError) as caught:
        call(belvo_at(script.url))
    assert (type(caught.value), caught.value.observation) == (NotFound, None)
