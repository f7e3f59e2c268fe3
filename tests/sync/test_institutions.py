"""The institution list, read once a day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.sync import institutions, tasks
from tests.environment import Environment

pytestmark = pytest.mark.django_db


def test_list_is_stored_with_the_fields_of_each_bank(env: Environment) -> None:
    env.belvo.institutions.all().delete()

    tasks.read_institution_list(str(env.belvo.pk))

    bank = env.bank("ironbank_br_retail")
    assert (bank.display_name, bank.country, bank.kind) == ("Iron Bank (Advanced login)", "BR", "bank")
    assert bank.form_fields[0]["name"] == "username_type"
    assert env.belvo.institutions.count() == len(env.simulator.store.institutions)


def test_second_read_updates_rows_and_adds_none(env: Environment) -> None:
    before = env.bank("erebor_mx_retail")
    env.simulator.store.institutions["erebor_mx_retail"] |= {"status": "down", "display_name": "Erebor, renamed"}

    tasks.read_institution_list(str(env.belvo.pk))

    after = env.bank("erebor_mx_retail")
    assert (after.pk, after.display_name, after.is_down) == (before.pk, "Erebor, renamed", True)


def test_name_listed_twice_is_stored_once_as_last_seen(env: Environment) -> None:
    listed = env.simulator.store.institutions
    listed["the same again"] = listed["erebor_mx_retail"] | {"display_name": "Erebor, as last said"}

    count = institutions.read_institutions(env.belvo)

    assert count == env.belvo.institutions.count() == len(listed) - 1
    assert env.bank("erebor_mx_retail").display_name == "Erebor, as last said"


def test_links_keep_their_bank_when_the_list_is_refreshed(env: Environment) -> None:
    link = env.belvo_link()

    tasks.read_institution_list(str(env.belvo.pk))

    link.refresh_from_db()
    assert link.institution == env.bank("erebor_mx_retail")


def test_list_is_due_after_a_day(env: Environment) -> None:
    now = timezone.now()
    Integration.objects.update(institutions_read_at=now)

    assert list(institutions.due(now=now + timedelta(hours=23))) == []
    assert list(institutions.due(now=now + timedelta(hours=25))) == [env.belvo]


def test_integration_that_is_switched_off_is_not_read(env: Environment) -> None:
    Integration.objects.update(is_active=False, institutions_read_at=None)
    before = len(env.calls("GET"))

    tasks.read_institution_list(str(env.belvo.pk))

    assert list(institutions.due(now=timezone.now())) == []
    assert len(env.calls("GET")) == before


def test_list_that_cannot_be_read_stays_as_it_was(env: Environment) -> None:
    Integration.objects.update(base_url="http://127.0.0.1:9", institutions_read_at=None)

    tasks.read_institution_list(str(env.belvo.pk))

    env.belvo.refresh_from_db()
    assert env.belvo.institutions.exists()
    assert env.belvo.institutions_read_at is None


def test_list_is_read_page_by_page_within_the_base_url(env: Environment) -> None:
    bank = env.simulator.store.institutions["erebor_mx_retail"]
    for number in range(150):
        env.simulator.store.institutions[f"made_mx_{number}"] = bank | {"name": f"made_mx_{number}"}

    tasks.read_institution_list(str(env.belvo.pk))

    assert env.belvo.institutions.count() == len(env.simulator.store.institutions)
