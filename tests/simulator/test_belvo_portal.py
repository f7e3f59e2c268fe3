"""Belvo's consent portal: who gets in, and what happens to their consents."""

from typing import Any

import pytest
import requests

from linkadmin.simulator.server import Simulator

from .conftest import Belvo, MovableClock
from .receiver import Receiver

ENGLISH = {"Accept-Language": "en-US,en;q=0.9"}
EXPIRED, ENDING, ANOTHER = "10000000004", "10000000005", "12345678901"


@pytest.fixture
def portal(simulator: Simulator) -> str:
    return f"{simulator.url}/meuportal.belvo.com/"


def connect(belvo: Belvo, cpf: str = EXPIRED, institution: str = "ofmockbank_br_retail", **more: str) -> str:
    body = {"institution": institution, "username": cpf, "external_id": f"cus-{cpf}", **more}
    return str(belvo("POST", "/api/links/", body).json()["id"])


def consent(belvo: Belvo, link: str) -> dict[str, Any]:
    (found,) = belvo("GET", f"/api/consents/?link={link}").json()["results"]
    return dict(found)


def send(url: str, **values: str) -> requests.Response:
    return requests.post(url, values, timeout=60, headers=ENGLISH)


def signed_in(portal: str, cpf: str = EXPIRED, **more: str) -> requests.Response:
    """Sign in, and confirm at the bank."""
    return send(send(portal, cpf=cpf, **more).url)


def test_sign_in_page_lists_who_has_something_to_renew(portal: str, belvo: Belvo) -> None:
    expired, ending, working = (
        consent(belvo, connect(belvo, cpf))["document_number"] for cpf in (EXPIRED, ENDING, ANOTHER)
    )

    page = requests.get(f"{portal}?mode=landing", timeout=60, headers=ENGLISH).text

    assert [document in page for document in (expired, ending, working)] == [True, True, False]
    assert "cus-10000000004" in page


@pytest.mark.parametrize("typed", ["10000000004", "100.000.000-04", "document_number"])
def test_cpf_of_the_connection_or_of_the_api_gets_in(portal: str, belvo: Belvo, typed: str) -> None:
    link = connect(belvo)
    connect(belvo, ANOTHER)

    page = signed_in(portal, consent(belvo, link).get(typed, typed)).text

    assert page.count("<h2") == 1
    assert "Expired" in page


def test_unknown_cpf_sees_nothing(portal: str, belvo: Belvo) -> None:
    connect(belvo)

    page = send(portal, cpf="99999999999")

    assert page.url == portal
    assert "No consents were found" in page.text


def test_company_signs_in_with_its_number_as_well(portal: str, belvo: Belvo) -> None:
    connect(belvo, ANOTHER, "araucaria_br_business", username2="12345678000195")

    person, company = send(portal, cpf=ANOTHER), signed_in(portal, ANOTHER, cnpj="12.345.678/0001-95")

    assert "No consents were found" in person.text
    assert "Banco Araucária Empresas" in company.text


def test_nothing_is_shown_before_the_bank_has_confirmed_who_it_is(portal: str, belvo: Belvo) -> None:
    link = connect(belvo)

    page = send(portal, cpf=EXPIRED)

    assert "Confirm it&#x27;s you" in page.text
    assert link not in page.text


def test_renewing_authorizes_a_year_and_brings_data(
    simulator: Simulator, portal: str, belvo: Belvo, receiver: Receiver
) -> None:
    link, page = connect(belvo), signed_in(portal)
    simulator.webhooks(belvo_url=receiver.url())

    renewed = send(page.url, link=link, renew="")

    assert "Consent renewed" in renewed.text
    assert (consent(belvo, link)["status"], consent(belvo, link)["expired_at"][:10]) == ("AUTHORISED", "2027-09-21")
    assert simulator.delivered()
    assert {got.body["webhook_code"] for got in receiver.got} == {"historical_update"}


def test_withdrawing_ends_the_consent(portal: str, belvo: Belvo) -> None:
    link = connect(belvo, ANOTHER)

    withdrawn = send(signed_in(portal, ANOTHER).url, link=link, withdraw="")

    assert "Consent withdrawn" in withdrawn.text
    assert consent(belvo, link)["status"] == "REJECTED"


def test_consent_of_another_person_stays(portal: str, belvo: Belvo) -> None:
    connect(belvo)
    another = connect(belvo, ANOTHER)

    send(signed_in(portal).url, link=another, withdraw="")

    assert consent(belvo, another)["status"] == "AUTHORISED"


def test_visit_ends(portal: str, belvo: Belvo, clock: MovableClock) -> None:
    connect(belvo)
    page = signed_in(portal)

    clock.forward(1800)

    assert 'name="cpf"' in requests.get(page.url, timeout=60).text


@pytest.mark.parametrize(("accepted", "language"), [("en-US", "en"), ("es-MX", "es"), ("pt-BR", "pt"), ("de", "pt")])
def test_language_is_the_browsers(portal: str, accepted: str, language: str) -> None:
    page = requests.get(portal, timeout=60, headers={"Accept-Language": accepted}).text

    assert f'<html lang="{language}">' in page
