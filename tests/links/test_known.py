"""What every list names and its drawn rows, kept in a process that serves many readers at the same time."""

import time
from itertools import count
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone, translation

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role, rights_of
from linkadmin.compiled_query import Loader, load
from linkadmin.integrations.models import Integration
from linkadmin.links.listing import known
from linkadmin.links.listing.known import Kept, Known
from linkadmin.links.listing.table_rows import listed, rows
from linkadmin.links.models import Institution, Link
from tests.environment import PASSWORD, Environment

pytestmark = pytest.mark.django_db


def test_rows_are_found_while_another_thread_makes_room(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    banks = [Institution.objects.create(integration=env.heron, name=name, display_name=name) for name in "ab"]
    names, in_bulk = Known(Institution), QuerySet.in_bulk
    monkeypatch.setattr(known, "FRESH_SECONDS", 60)
    names.some([banks[0].pk])

    def make_room(rows: Any, pks: Any) -> Any:
        monkeypatch.setattr(QuerySet, "in_bulk", in_bulk)
        monkeypatch.setattr(known, "MOST_KEPT", 0)
        names.some([banks[1].pk])
        return in_bulk(rows, pks)

    monkeypatch.setattr(QuerySet, "in_bulk", make_room)
    assert names.some(bank.pk for bank in banks) == {bank.pk: bank for bank in banks}


def test_integrations_and_staff_can_be_chosen_as_soon_as_they_exist(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "FRESH_SECONDS", 60)
    env.open("/links/")
    new = Integration.objects.create(provider="belvo", name="New", base_url=env.simulator.url)
    Institution.objects.create(integration=new, name="quagga", display_name="Quagga")
    person = User.objects.create_user(username="new", password=PASSWORD, roles=Role.SUPPORT)

    for query in (f"integration={new.pk}", f"assigned={person.pk}"):
        assert env.open(f"/links/?{query}").status == 200
    assert "Quagga · New" in env.open("/links/institutions/?bank=quagga").source


def test_row_drawn_with_a_name_is_masked_for_the_next_reader(env: Environment) -> None:
    env.heron_link("Ödün Acme")

    assert "Ödün Acme" in env.open("/links/", "ana").source
    assert "Ödün" not in env.open("/links/", "aud").source
    assert "Ödün Acme" in env.open("/links/", "ana").source


def test_rows_drawn_before_are_not_loaded_again(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        env.heron_link(f"Cedar {n}", item_id=f"item-{n}")
    loaded, usual = [], Loader.__call__
    monkeypatch.setattr(Loader, "__call__", lambda self, row: loaded.append(self.columns) or usual(self, row))
    env.open("/links/")
    assert sum("health_since" in columns for columns in loaded) == 4
    loaded.clear()

    assert "Cedar 3" in env.open("/links/").source
    assert not any("health_since" in columns for columns in loaded)


def test_row_drawn_before_shows_new_names(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "FRESH_SECONDS", 0)
    link = env.belvo_link()
    person = User.objects.create_user(username="nora", name="Nora", password=PASSWORD, roles=Role.SUPPORT)
    env.open("/links/")
    bank = Institution.objects.create(integration=env.belvo, name="quagga", display_name="Quagga")
    Link.objects.filter(pk=link.pk).update(institution=bank, assignee=person)
    Integration.objects.filter(pk=env.belvo.pk).update(name="Belvo two")
    shown = env.open("/links/").words
    assert all(name in shown for name in ("Quagga", "Nora", "Belvo two"))

    Institution.objects.filter(pk=bank.pk).update(display_name="Zebra")
    User.objects.filter(pk=person.pk).update(name="Nora Vidal")
    type(link.end_user).objects.filter(pk=link.end_user_id).update(name="Rowan Trading")
    shown = env.open("/links/").words
    assert all(name in shown for name in ("Zebra", "Nora Vidal", "Rowan Trading"))


def test_row_is_drawn_in_each_readers_language_and_time_zone(env: Environment) -> None:
    env.heron_link()
    drawn = set()
    for language, zone in (("en", "UTC"), ("es", "UTC"), ("en", "Asia/Tokyo")):
        with translation.override(language), timezone.override(zone):
            drawn.add(rows(load(listed(Link.objects.all())), rights=rights_of(env.people["ana"])))

    assert len(drawn) == 3


def test_what_takes_long_to_read_is_kept_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = count()
    briefly, longer = Kept(lambda: next(reads)), Kept(lambda: next(reads), times_as_long=2)
    monkeypatch.setattr(known, "FRESH_SECONDS", 60)
    assert (briefly.get(), longer.get()) == (0, 1)

    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 90)
    assert (briefly.get(), longer.get()) == (2, 1)
    monkeypatch.setattr(time, "monotonic", lambda: now + 150)
    assert longer.get() == 3
