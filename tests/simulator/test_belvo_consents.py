"""Belvo: consents of open finance links."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from linkadmin.simulator.belvo.consents import CPF_USERNAMES, CpfUsername
from linkadmin.simulator.generated import Population
from linkadmin.simulator.server import Simulator

from .conftest import Belvo, MovableClock

OPEN_FINANCE = {"institution": "ofmockbank_br_retail"}
OPEN_BANKS = "ofmockbank_br_retail,ipeamarelo_br_retail,vitoriaregia_br_retail,araucaria_br_business"
LINK = "30cb4806-6e00-48a4-91c9-ca55968576c8"


def connect(belvo: Belvo, cpf: str = "12345678901", institution: str = "ofmockbank_br_retail") -> str:
    answer = belvo("POST", "/api/links/", {"institution": institution, "username": cpf})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def consents(belvo: Belvo, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = belvo("GET", f"/api/consents/?{query}").json()["results"]
    return found


def test_a_link_of_open_finance_has_a_consent_for_a_year(belvo: Belvo) -> None:
    belvo.new_link("maria")
    link = connect(belvo)

    (consent,) = consents(belvo)

    assert (consent["link"], consent["status"]) == (link, "AUTHORISED")
    assert (consent["created_at"][:10], consent["expired_at"][:10]) == ("2026-09-21", "2027-09-21")
    assert (consent["belvo_institution_name"], consent["undefined_consent_expiration"]) == (
        "ofmockbank_br_retail",
        False,
    )
    assert belvo("GET", f"/api/consents/{consent['id']}/").json() == consent


def test_a_consent_keeps_no_document_number_that_was_typed(belvo: Belvo) -> None:
    connect(belvo, "12345678901")

    (consent,) = consents(belvo)

    assert len(consent["document_number"]) == 11
    assert consent["document_number"] != "12345678901"


def test_a_document_number_filter_is_on_no_page(simulator: Simulator, belvo: Belvo) -> None:
    consents(belvo, "user_document=76109277673")

    text = requests.get(f"{simulator.url}/calls.json", timeout=60).text

    assert "user_document" in text
    assert "76109277673" not in text


def test_a_consent_expires(belvo: Belvo, clock: MovableClock) -> None:
    connect(belvo)

    clock.forward(365 * 86_400)

    assert consents(belvo)[0]["status"] == "EXPIRED"


@pytest.mark.parametrize("typed", CPF_USERNAMES, ids=lambda typed: typed.username)
def test_a_cpf_decides_the_consent(belvo: Belvo, typed: CpfUsername) -> None:
    connect(belvo, typed.username)

    (consent,) = consents(belvo)

    assert consent["status"] == typed.status
    assert (consent["expired_at"] is None) == consent["undefined_consent_expiration"] == (typed.lasts is None)


def test_consents_are_filtered(belvo: Belvo) -> None:
    link = connect(belvo)
    connect(belvo, "10000000003", "ipeamarelo_br_retail")
    document = consents(belvo, f"link={link}")[0]["document_number"]

    assert [each["link"] for each in consents(belvo, f"user_document={document}")] == [link]
    assert [each["status"] for each in consents(belvo, "institution=ipeamarelo_br_retail")] == ["REJECTED"]
    assert [each["link"] for each in consents(belvo, "status__in=AUTHORISED,EXPIRED")] == [link]
    assert len(consents(belvo, "page_size=1")) == 1


def test_a_company_gives_its_number_beside_that_of_its_person(belvo: Belvo) -> None:
    typed = {"institution": "araucaria_br_business", "username": "12345678901"}

    alone = belvo("POST", "/api/links/", typed)
    both = belvo("POST", "/api/links/", typed | {"username2": "12345678000195"})

    assert (alone.status_code, both.status_code) == (400, 201)
    assert [each["link"] for each in consents(belvo)] == [both.json()["id"]]


def test_a_consent_goes_with_its_link(belvo: Belvo) -> None:
    link = connect(belvo, "10000000005")
    (consent,) = consents(belvo)

    belvo("DELETE", f"/api/links/{link}/")

    assert consents(belvo) == []
    assert belvo("GET", f"/api/consents/{consent['id']}/").status_code == 404


def test_a_consent_in_the_state_file_survives_a_restart(tmp_path: Path, clock: MovableClock) -> None:
    planted = {"link": LINK, "status": "AWAITING_AUTHORISATION_CONFIRMATION", "expired_at": "2027-01-02T00:00:00Z"}
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"belvo": {"links": [{**OPEN_FINANCE, "id": LINK}], "consents": [planted]}}))
    seen = []

    for _ in range(2):
        with Simulator(state_file=path, clock=clock) as simulator:
            client = Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))
            with client.session:
                seen += consents(client)

    assert seen[0] == seen[1]
    assert (seen[0]["status"], seen[0]["expired_at"][:10]) == (planted["status"], "2027-01-02")


def test_generated_links_of_open_finance_have_consents_as_well(clock: MovableClock) -> None:
    population = Population(belvo_links=2000, seed=3)
    with Simulator(clock=clock, population=population) as simulator:
        client = Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))
        with client.session:
            links = client("GET", f"/api/links/?institution__in={OPEN_BANKS}&page_size=1000").json()["results"]
            found = consents(client, "page_size=1000")
            last = consents(client, f"link={links[-1]['id']}")

            assert [each["link"] for each in found] == [link["id"] for link in links]
            assert last == [found[-1]]
            assert client("GET", f"/api/consents/{found[-1]['id']}/").json() == found[-1]
