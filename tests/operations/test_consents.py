"""Links at banks of open finance: the consent has a clock of its own, and decides where the link says it works."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.house import House

pytestmark = pytest.mark.django_db(transaction=True)

BANK = "ofmockbank_br_retail"


def read(house: House, cpf: str = "", *, bank: str = BANK) -> Link:
    """Let a link be known, registered with this CPF, and read it."""
    customer = house.customer()
    body = {"institution": bank, "username": cpf or "52998224725", "password": "pass_valid"}
    remote_id = house.call_belvo("POST", "/api/links/", body | {"external_id": customer.external_id})["id"]
    link = house.let_know(house.belvo, customer, remote_id, house.bank(bank), Cause.WORKING)
    house.prove(link)
    return link


def test_consent_in_force_gives_the_day_to_renew_it(house: House) -> None:
    link = read(house, "10000000005")

    assert link.health == "healthy"
    assert link.renew_by == (timezone.now() + timedelta(days=3)).date()
    assert "Renew by" in house.open(link.get_absolute_url()).words


@pytest.mark.parametrize(
    ("cpf", "cause", "words"),
    [
        ("10000000004", Cause.PORTAL_CONSENT_EXPIRED, "The customer renews it in the consent portal."),
        ("10000000001", Cause.CONSENT_UNFINISHED, "Permission"),
        ("10000000003", Cause.CONSENT_REJECTED, "Ended"),
    ],
)
def test_consent_not_in_force_decides(house: House, cpf: str, cause: Cause, words: str) -> None:
    link = read(house, cpf)

    assert link.cause == cause.value
    assert words in house.open(link.get_absolute_url()).words


def test_consents_of_other_banks_are_not_asked_for(house: House) -> None:
    read(house, bank="erebor_mx_retail")

    assert not house.calls("GET", "/api/consents/")


def test_failure_to_ask_for_consents_changes_nothing(house: House) -> None:
    house.simulator.fail("GET", "/api/consents/", "permission_denied", 5)

    link = read(house, "10000000004")

    house.belvo.refresh_from_db()
    assert (link.health, link.renew_by, link.ask_failed) == ("healthy", None, "")
    assert not house.belvo.keys_refused


def test_link_that_does_not_work_itself_is_not_mended_by_its_consent(house: House) -> None:
    link = read(house, "10000000005")
    house.simulator.world.belvo_links[link.remote_id].status = "invalid"

    house.prove(link)

    assert link.health != "healthy"
