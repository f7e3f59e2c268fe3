"""Open finance: a consent expires independently of its link, and decides where the link says it works."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.environment import Environment

pytestmark = pytest.mark.django_db(transaction=True)

BANK = "ofmockbank_br_retail"


def read(env: Environment, cpf: str = "", *, bank: str = BANK) -> Link:
    """Store a link registered with this CPF, and check its status."""
    customer = env.customer()
    body = {"institution": bank, "username": cpf or "52998224725", "password": "pass_valid"}
    remote_id = env.call_belvo("POST", "/api/links/", body | {"external_id": customer.external_id})["id"]
    link = env.let_know(env.belvo, customer, remote_id, env.bank(bank), Cause.WORKING)
    env.prove(link)
    return link


def test_consent_in_force_gives_the_day_to_renew_it(env: Environment) -> None:
    link = read(env, "10000000005")

    assert link.health == "healthy"
    assert link.renew_by == (timezone.now() + timedelta(days=3)).date()
    assert "Renew by" in env.open(link.get_absolute_url()).words


@pytest.mark.parametrize(
    ("cpf", "cause", "words"),
    [
        ("10000000004", Cause.PORTAL_CONSENT_EXPIRED, "Ask the customer to renew it in the consent portal."),
        ("10000000001", Cause.CONSENT_UNFINISHED, "Consent incomplete"),
        ("10000000003", Cause.CONSENT_REJECTED, "Disconnected"),
    ],
)
def test_consent_not_in_force_decides(env: Environment, cpf: str, cause: Cause, words: str) -> None:
    link = read(env, cpf)

    assert link.cause == cause.value
    assert words in env.open(link.get_absolute_url()).words


def test_consents_of_other_banks_are_not_requested(env: Environment) -> None:
    read(env, bank="erebor_mx_retail")

    assert not env.calls("GET", "/api/consents/")


def test_failure_to_read_consents_changes_nothing(env: Environment) -> None:
    env.simulator.fail("GET", "/api/consents/", "permission_denied", 5)

    link = read(env, "10000000004")

    env.belvo.refresh_from_db()
    assert (link.health, link.renew_by, link.check_failed) == ("healthy", None, "")
    assert not env.belvo.keys_rejected


def test_broken_link_is_not_repaired_by_its_consent(env: Environment) -> None:
    link = read(env, "10000000005")
    env.simulator.store.belvo_links[link.remote_id].status = "invalid"

    env.prove(link)

    assert link.health != "healthy"
