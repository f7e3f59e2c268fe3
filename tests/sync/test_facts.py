"""Facts from a provider's record of a link: null clears a fact, a missing field keeps it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from linkadmin.links.models import Institution, Link, LinkRead
from linkadmin.providers.belvo import provider as belvo
from linkadmin.providers.types import Cause
from linkadmin.sync import clock
from linkadmin.sync.institutions import read_institutions
from tests.environment import Environment
from tests.sync.full_checking import completed_full_check

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]

SEVEN_FIELDS = "id,institution,access_mode,last_accessed_at,status,created_by,refresh_rate"
BANK = "ofmockbank_br_retail"
Read = Callable[[Environment, Link], object]


def by_itself(env: Environment, link: Link) -> None:
    env.prove(link)


def in_a_full_check(env: Environment, link: Link) -> None:
    completed_full_check(link.integration)
    link.refresh_from_db()


@pytest.fixture(params=[by_itself, in_a_full_check])
def read(request: pytest.FixtureRequest) -> Read:
    found: Read = request.param
    return found


def say(env: Environment, link: Link, **facts: Any) -> None:
    """Change the provider's record of a link."""
    store = env.simulator.store
    with store.lock:
        record = store.belvo_links[link.remote_id]
        for name, value in facts.items():
            setattr(record, name, value)


def consented(env: Environment, cpf: str) -> Link:
    customer = env.customer()
    body = {"institution": BANK, "username": cpf, "password": "pass_valid", "external_id": customer.external_id}
    remote_id = env.call_belvo("POST", "/api/links/", body)["id"]
    link = env.let_know(env.belvo, customer, remote_id, env.bank(BANK), Cause.WORKING)
    env.prove(link)
    return link


def test_consent_renewed_without_an_end_asks_for_nothing_more(env: Environment) -> None:
    link = consented(env, "10000000005")
    assert (link.cause, link.renew_by is not None) == (Cause.RENEW_SOON, True)

    store = env.simulator.store
    with store.lock:
        store.consents[link.remote_id].expired_at = None
    env.prove(link)

    assert (link.cause, link.health, link.renew_by) == (Cause.WORKING, "healthy", None)
    words = env.open(link.get_absolute_url()).words
    assert "Renew by" not in words
    assert words.count("expires soon") == 1  # in the timeline
    LinkRead.objects.all().delete()
    clock.end_permissions(now=timezone.now() + timedelta(days=30))
    assert not LinkRead.objects.exists()


def test_link_turned_to_single_access_keeps_no_schedule(env: Environment, read: Read) -> None:
    link = env.belvo_link()
    say(env, link, refresh_rate="24h", stale_in="90d", fetch_resources=["ACCOUNTS"])
    read(env, link)
    words = env.open(link.get_absolute_url()).words
    assert "every 24 hours" in words
    assert "Data retention" in words
    assert link.stale_at is not None

    say(env, link, access_mode="single", refresh_rate=None, stale_in=None, fetch_resources=None)
    read(env, link)

    assert (link.access_mode, link.refresh_rate, link.stale_in, link.resources) == ("single", "", "", [])
    assert link.stale_at is None
    words = env.open(link.get_absolute_url()).words
    for gone in ("every 24 hours", "Data retention", "Fetched data"):
        assert gone not in words


def test_answer_without_a_field_takes_nothing_back(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    link = env.belvo_link()
    say(env, link, stale_in="90d", fetch_resources=["ACCOUNTS"])
    env.prove(link)
    kept = ("stale_in", "resources", "storage", "remote_end_user_id", "remote_created_at")
    before = {name: getattr(link, name) for name in kept}
    assert all(before.values())

    say(env, link, refresh_rate="6h", stale_in=None, fetch_resources=None)
    monkeypatch.setattr(belvo, "_READ_FIELDS", SEVEN_FIELDS)
    in_a_full_check(env, link)

    assert {name: getattr(link, name) for name in kept} == before
    assert link.refresh_rate == "6h"


def test_link_of_a_merged_bank_is_at_the_new_one_with_its_form(env: Environment, read: Read) -> None:
    link = env.belvo_link(bank="erebor_mx_retail")
    read(env, link)
    old, new = env.bank("erebor_mx_retail"), env.bank("ironbank_br_retail")

    say(env, link, institution=new.name)
    read(env, link)

    assert link.institution == new
    page = env.open(link.get_absolute_url())
    assert f"· {new.display_name}" in page.words
    assert f"Moved to {new.display_name}" in page.words
    assert f"previously {old.display_name}" in page.words
    assert env.open(f"/links/{link.pk}/credentials/").inputs().keys() >= {"password2"}
    history = env.open(f"/links/{link.pk}/history/?kind=institution").words
    assert history.count("Moved to") == 1


def test_link_at_a_bank_that_no_list_has_named_yet_is_there(env: Environment, read: Read) -> None:
    link = env.belvo_link(bank="erebor_mx_retail")

    say(env, link, institution="kutxabank_es_retail")
    read(env, link)

    assert link.bank == "kutxabank_es_retail"


def test_record_of_another_customer_is_flagged(env: Environment, read: Read) -> None:
    link = env.belvo_link()
    read(env, link)
    assert "another customer" not in env.open(link.get_absolute_url()).words

    say(env, link, external_id="somebody-else")
    read(env, link)

    page = env.open(link.get_absolute_url())
    assert "The provider reports a different customer" in page.words
    assert "somebody-else" in page.words
    assert link.end_user.external_id != "somebody-else"


def test_renamed_bank_is_found_by_its_new_name(env: Environment) -> None:
    link = env.belvo_link(bank="erebor_mx_retail")
    env.simulator.store.institutions["erebor_mx_retail"]["display_name"] = "BBVA México"

    env.post(f"/integrations/{env.belvo.pk}/institutions/read/", name="adm")

    assert env.bank("erebor_mx_retail").display_name == "BBVA México"
    assert str(link.pk) in env.post("/links/", {"q": "bbva mexico"}).source
    assert str(link.pk) not in env.post("/links/", {"q": "Erebor Bank"}).source
    assert "BBVA México" in env.open("/institutions/?q=MEXICO+bbva").words
    assert "BBVA México" in env.open(f"/links/new/institutions/?integration={env.belvo.pk}&bank=mexico").words


def test_retired_bank_is_not_offered_and_its_links_say_so(env: Environment) -> None:
    link = env.belvo_link(bank="erebor_mx_retail")
    Institution.objects.filter(name="erebor_mx_retail").update(read_at=timezone.now() - timedelta(days=2))
    type(env.belvo).objects.update(institutions_read_at=timezone.now())

    assert "erebor_mx_retail" not in env.open(f"/links/new/?integration={env.belvo.pk}&bank=erebor").source
    new = env.open(env.new_link_url("erebor_mx_retail"))
    assert (new.status, "password" in new.inputs()) == (409, False)
    assert "No longer listed" in new.words
    posted = env.post(env.new_link_url("erebor_mx_retail"), {"end_user_id": "cus-1", "password": "pw"})
    assert posted.status == 409
    assert len(env.calls("POST", "/api/links/")) == 0
    assert "No longer listed" in env.open(link.get_absolute_url()).words
    assert "No longer listed" in env.open("/links/").words


def test_who_made_a_link_and_when_it_changed_is_shown(env: Environment) -> None:
    belvo, heron = env.belvo_link(), env.heron_link()
    env.prove(belvo)
    env.prove(heron)

    assert belvo.remote_created_by == "bcef7f35-67f2-4b19-b009-cb38795faf09"
    words = env.open(belvo.get_absolute_url()).words
    assert "Created at provider" in words
    assert belvo.remote_created_by in words
    assert heron.remote_created_at is not None
    assert heron.remote_updated_at is not None
    words = env.open(heron.get_absolute_url()).words
    assert "Created at provider" in words
    assert "Changed at provider" in words


def test_entry_of_the_institution_list_that_cannot_be_used_is_named(env: Environment) -> None:
    env.simulator.store.institutions["not a key"] = {
        **env.simulator.store.institutions["erebor_mx_retail"],
        "id": 999_999,
        "name": "a key with spaces",
        "display_name": "Odd Bank",
    }

    env.post(f"/integrations/{env.belvo.pk}/institutions/read/", name="adm")

    page = env.open("/institutions/")
    assert "Skipped" in page.words
    assert "a key with spaces" in page.words
    assert "characters we can't store" in page.words
    del env.simulator.store.institutions["not a key"]
    read_institutions(env.belvo)
    assert "Skipped" not in env.open("/institutions/").words
