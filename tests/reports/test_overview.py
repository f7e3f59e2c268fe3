"""The first page: figures for everyone, names for those who may see them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from linkadmin.links import counts
from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.environment import Environment

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_links_are_counted_by_group(env: Environment) -> None:
    for number, cause in enumerate([Cause.LOGIN_REQUIRED, Cause.CODE_NEEDED, Cause.BANK_DOWN, Cause.WORKING]):
        env.heron_link(item_id=f"item-{number}", cause=cause)

    page = env.open("/")

    assert "4 active links" in page.words
    assert "Waiting on customer 2 1 needs a code" in page.words
    assert "Waiting on bank or provider 1" in page.words
    assert "/links/?state=customer" in page.links()


def test_several_links_waiting_for_a_bank_are_one_incident(env: Environment) -> None:
    for number in range(3):
        env.belvo_link(f"Acme {number}", bank="erebor_mx_retail", cause=Cause.BANK_DOWN)

    page = env.open("/")

    assert "Erebor Bank 3 links wait" in page.words


def test_one_link_that_waits_is_no_incident(env: Environment) -> None:
    env.belvo_link(cause=Cause.BANK_DOWN)

    assert "No bank is failing for several customers at once." in env.open("/").words


def test_bank_that_vanished_since_it_was_counted_is_no_incident(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = env.bank()
    monkeypatch.setattr(counts, "most_waiting", lambda *_, **__: {uuid4(): 3, bank.pk: 2})

    assert f"{bank.display_name} 2 links wait" in env.open("/").words


def test_longest_unresolved_comes_first(env: Environment) -> None:
    env.belvo_link("Blue Fern Bakery", bank="gringotts_mx_retail")
    oldest = env.belvo_link("Acme Corp")
    Link.objects.filter(pk=oldest.pk).update(health_since=timezone.now() - timedelta(days=9))

    words = env.open("/").words

    assert words.index("Acme Corp") < words.index("Blue Fern Bakery")


def test_repair_being_verified_is_not_unresolved(env: Environment) -> None:
    link = env.belvo_link("Acme Corp")
    Link.objects.filter(pk=link.pk).update(verifying_since=timezone.now())

    assert "Acme Corp" not in env.open("/").words


def test_my_links_are_shown_to_me(env: Environment) -> None:
    link = env.belvo_link("Acme Corp", cause=Cause.WORKING)
    Link.objects.filter(pk=link.pk).update(assignee=env.people["ana"])

    assert link.get_absolute_url() in env.open("/", "ana").links()
    assert link.get_absolute_url() not in env.open("/", "ben").links()


def test_auditor_sees_initials_and_administrator_only_figures(env: Environment) -> None:
    link = env.belvo_link("Wilhelmina Quackenbush")

    auditor, administrator = env.open("/", "aud"), env.open("/", "adm")

    assert "W••• Q•••" in auditor.words
    assert link.get_absolute_url() not in administrator.links()
    assert not [url for url in administrator.links() if url.startswith("/links/")]
    assert "One active link" in administrator.words


def test_rejected_keys_are_shown_once(env: Environment) -> None:
    env.belvo_link()
    type(env.belvo).objects.update(key_state="rejected")

    assert env.open("/").words.count("API keys rejected") == 1


def test_rejected_keys_due_for_a_retry_are_no_warning(env: Environment) -> None:
    env.belvo_link()
    type(env.belvo).objects.update(key_state="rejected", keys_retry_at=timezone.now())

    assert "API keys rejected" not in env.open("/").words


def test_environment_without_links_says_so(env: Environment) -> None:
    assert "No links yet." in env.open("/").words


def test_queries_do_not_grow_with_the_links(
    env: Environment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    env.belvo_link()
    env.open("/")
    with django_assert_num_queries(18) as few:
        env.client().get("/")
    for number in range(8):
        env.heron_link(item_id=f"item-{number}", cause=Cause.LOGIN_REQUIRED)

    with django_assert_num_queries(len(few.captured_queries)):
        env.client().get("/")
