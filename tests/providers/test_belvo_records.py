"""Belvo: institutions, one by one and by search, and consents of open finance links."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from linkadmin.providers.errors import OutcomeUnknown
from linkadmin.providers.types import Cause, LinkRef

from .conftest import Script, belvo_at, reply

Serve = Callable[..., Script]

LINK = LinkRef("30cb4806-6e00-48a4-91c9-ca55968576c8", "cust-0001")
BANK = {
    "id": 1004,
    "name": "erebor_mx_retail",
    "display_name": "Erebor Bank",
    "logo": "https://statics.example/erebor.svg",
    "website": "https://www.erebor.example/",
    "resources": ["ACCOUNTS", None],
}
CONSENT = {
    "id": "0d3ffb69-f83b-456e-ad8e-208d0998d71d",
    "display_name": "Jack Oswald White",
    "document_number": "76109277673",
    "belvo_institution_name": "ofmockbank_br_retail",
    "expired_at": "2027-02-27T13:01:41.941Z",
    "created_at": "2026-02-09T08:45:50.406032Z",
    "status": "AUTHORISED",
    "link": LINK.remote_id,
}


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({}, ""),
        ({"display_name": "Banco, S.A."}, "&display_name=Banco%2C+S.A."),
        ({"country_code": "MX"}, "&country_code=MX"),
        ({"country_code": "MX,BR", "name": "a,b"}, "&country_code__in=MX%2CBR&name__in=a%2Cb"),
        ({"type": ("bank",), "status": ("healthy", "down")}, "&type=bank&status__in=healthy%2Cdown"),
        ({"resources__allin": ("ACCOUNTS", "OWNERS")}, "&resources__allin=ACCOUNTS%2COWNERS"),
        ({"website": "https://www.erebor.mx"}, "&website=https%3A%2F%2Fwww.erebor.mx"),
    ],
)
def test_institutions_are_searched_by_what_was_filled(serve: Serve, filters: dict[str, Any], query: str) -> None:
    script = serve(reply(200, {"count": 1, "next": None, "results": [BANK]}))
    page = belvo_at(script.url).find_institutions(filters, page=3)
    assert ([bank.name for bank in page.items], page.number, page.total) == (["erebor_mx_retail"], 3, 1)
    assert script.received[0].path == f"/api/institutions/?page=3&page_size=100{query}"


def test_an_institution_is_read_by_its_number(serve: Serve) -> None:
    script = serve(reply(200, BANK))
    bank = belvo_at(script.url).read_institution("1004")
    assert (bank.remote_id, bank.display_name, bank.resources) == ("1004", "Erebor Bank", ("ACCOUNTS",))
    assert script.received[0].path == "/api/institutions/1004/"


@pytest.mark.parametrize("body", [{**BANK, "id": 1005}, {**BANK, "id": None}, {"id": 1004}, []])
def test_another_institution_is_no_answer(serve: Serve, body: object) -> None:
    with pytest.raises(OutcomeUnknown):
        belvo_at(serve(reply(200, body)).url).read_institution("1004")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://statics.example/a.svg", "https://statics.example/a.svg"),
        ("http://statics.example/a.svg", ""),
        ("javascript:alert(1)", ""),
        ("https://statics.example/" + "a" * 300, ""),
        (5, ""),
        (None, ""),
    ],
)
def test_a_url_of_an_institution_is_stored_as_text_if_it_is_safe_to_show(
    serve: Serve, address: object, kept: str
) -> None:
    script = serve(reply(200, {**BANK, "logo": address, "website": address}))
    bank = belvo_at(script.url).read_institution("1004")
    assert (bank.logo_url, bank.website) == (kept, kept)


def test_the_consents_of_a_link_are_read_without_whose_they_are(serve: Serve) -> None:
    older = {**CONSENT, "id": "older", "created_at": "2025-02-09T08:45:50Z", "status": "EXPIRED"}
    others = [{**CONSENT, "id": "another", "link": "another-link"}, {**CONSENT, "id": "nobodys", "link": None}]
    pages = [{"results": [*others, older], "next": "more"}, {"results": [CONSENT], "next": None}]
    script = serve(*(reply(200, page) for page in pages))
    found = belvo_at(script.url).list_consents(LINK)
    assert [consent.remote_id for consent in found] == [CONSENT["id"], "older"]
    assert "Jack" not in repr(found)
    assert "76109277673" not in repr(found)
    assert [sent.path for sent in script.received] == [
        f"/api/consents/?page={number}&page_size=1000&link={LINK.remote_id}"
        "&omit=display_name%2Cdocument_number%2Cpermissions"
        for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("status", "cause", "renew_by"),
    [
        ("AUTHORISED", Cause.WORKING, date(2027, 2, 27)),
        ("AWAITING_AUTHORISATION", Cause.CONSENT_UNFINISHED, None),
        ("AWAITING_AUTHORISATION_CONFIRMATION", Cause.CONSENT_UNFINISHED, None),
        ("REJECTED", Cause.CONSENT_REJECTED, None),
        ("EXPIRED", Cause.PORTAL_CONSENT_EXPIRED, None),
        ("DREAMING", Cause.UNRECOGNIZED, None),
        (None, Cause.UNRECOGNIZED, None),
    ],
)
def test_each_status_of_a_consent_has_its_cause(
    serve: Serve, status: str | None, cause: Cause, renew_by: date | None
) -> None:
    body = {"results": [{**CONSENT, "status": status}], "next": None}
    (consent,) = belvo_at(serve(reply(200, body)).url).list_consents(LINK)
    seen = consent.observation
    assert (seen.cause, seen.renew_by, seen.raw_status) == (cause, renew_by, status or "")
    assert consent.expires_at == datetime(2027, 2, 27, 13, 1, 41, 941000, tzinfo=UTC)


def test_a_consent_without_an_end_need_not_be_renewed(serve: Serve) -> None:
    endless = {**CONSENT, "expired_at": None, "undefined_consent_expiration": True}
    body = {"results": [endless], "next": None}
    (consent,) = belvo_at(serve(reply(200, body)).url).list_consents(LINK)
    assert (consent.expires_at, consent.observation.renew_by) == (None, None)


@pytest.mark.parametrize(
    ("fields", "is_found"),
    [
        ({"link": None, "link_id": LINK.remote_id}, True),
        ({"link": {"id": LINK.remote_id}}, True),
        ({"link": None}, False),
        ({"link": 5}, False),
        ({"link": {}}, False),
    ],
)
def test_the_link_of_a_consent_is_found_under_any_of_its_names(
    serve: Serve, fields: dict[str, object], is_found: bool
) -> None:
    body = {"results": [{**CONSENT, **fields}], "next": None}
    found = belvo_at(serve(reply(200, body)).url).list_consents(LINK)
    assert [consent.remote_id for consent in found] == ([CONSENT["id"]] if is_found else [])


@pytest.mark.parametrize("results", [["x"], [{**CONSENT, "id": None}], None])
def test_consents_that_cannot_be_read_are_not_none(serve: Serve, results: object) -> None:
    with pytest.raises(OutcomeUnknown):
        belvo_at(serve(reply(200, {"results": results, "next": None})).url).list_consents(LINK)
