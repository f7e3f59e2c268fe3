"""The catalogue of institutions, read once a day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.models import Integration
from linkadmin.sync import institutions, tasks
from tests.house import House

pytestmark = pytest.mark.django_db


def test_catalogue_is_kept_with_the_fields_each_bank_asks_for(house: House) -> None:
    house.belvo.institutions.all().delete()

    tasks.read_institutions(str(house.belvo.pk))

    bank = house.bank("ironbank_br_retail")
    assert (bank.display_name, bank.country, bank.kind) == ("Iron Bank (Advanced login)", "BR", "bank")
    assert bank.form_fields[0]["name"] == "username_type"
    assert house.belvo.institutions.count() == len(house.simulator.world.institutions)


def test_second_reading_changes_rows_and_makes_none(house: House) -> None:
    before = house.bank("erebor_mx_retail")
    house.simulator.world.institutions["erebor_mx_retail"] |= {"status": "down", "display_name": "Erebor, renamed"}

    tasks.read_institutions(str(house.belvo.pk))

    after = house.bank("erebor_mx_retail")
    assert (after.pk, after.display_name, after.is_down) == (before.pk, "Erebor, renamed", True)


def test_name_that_is_listed_twice_is_kept_once_as_last_said(house: House) -> None:
    listed = house.simulator.world.institutions
    listed["the same again"] = listed["erebor_mx_retail"] | {"display_name": "Erebor, as last said"}

    count = institutions.read_institutions(house.belvo)

    assert count == house.belvo.institutions.count() == len(listed) - 1
    assert house.bank("erebor_mx_retail").display_name == "Erebor, as last said"


def test_links_keep_their_bank_when_the_catalogue_is_read_anew(house: House) -> None:
    link = house.belvo_link()

    tasks.read_institutions(str(house.belvo.pk))

    link.refresh_from_db()
    assert link.institution == house.bank("erebor_mx_retail")


def test_catalogue_is_due_after_a_day(house: House) -> None:
    now = timezone.now()
    Integration.objects.update(institutions_read_at=now)

    assert list(institutions.due(now=now + timedelta(hours=23))) == []
    assert list(institutions.due(now=now + timedelta(hours=25))) == [house.belvo]


def test_integration_that_is_switched_off_is_not_read(house: House) -> None:
    Integration.objects.update(is_active=False, institutions_read_at=None)
    before = len(house.calls("GET"))

    tasks.read_institutions(str(house.belvo.pk))

    assert list(institutions.due(now=timezone.now())) == []
    assert len(house.calls("GET")) == before


def test_catalogue_that_cannot_be_read_stays_as_it_was(house: House) -> None:
    Integration.objects.update(base_url="http://127.0.0.1:9", institutions_read_at=None)

    tasks.read_institutions(str(house.belvo.pk))

    house.belvo.refresh_from_db()
    assert house.belvo.institutions.exists()
    assert house.belvo.institutions_read_at is None


def test_catalogue_is_read_page_by_page_within_our_own_address(house: House) -> None:
    bank = house.simulator.world.institutions["erebor_mx_retail"]
    for number in range(150):
        house.simulator.world.institutions[f"made_mx_{number}"] = bank | {"name": f"made_mx_{number}"}

    tasks.read_institutions(str(house.belvo.pk))

    assert house.belvo.institutions.count() == len(house.simulator.world.institutions)
