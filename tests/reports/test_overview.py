"""The first page: figures for everybody, names for those who may see them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.house import House

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_links_are_counted_by_whose_turn_it_is(house: House) -> None:
    for number, cause in enumerate([Cause.LOGIN_REQUIRED, Cause.CODE_NEEDED, Cause.BANK_DOWN, Cause.WORKING]):
        house.heron_link(item_id=f"item-{number}", cause=cause)

    page = house.open("/")

    assert "4 links, and whose turn it is." in page.words
    assert "Need a customer 2 1 want a code" in page.words
    assert "Wait for a bank 1" in page.words
    assert "/links/?state=customer" in page.links()


def test_several_links_waiting_for_a_bank_are_one_incident(house: House) -> None:
    for number in range(3):
        link = house.heron_link(item_id=f"item-{number}", cause=Cause.BANK_DOWN)
        Link.objects.filter(pk=link.pk).update(institution=house.bank("erebor_mx_retail"))

    page = house.open("/")

    assert "Erebor Bank 3 links wait" in page.words


def test_one_link_that_waits_is_no_incident(house: House) -> None:
    house.belvo_link(cause=Cause.BANK_DOWN)

    assert "No bank fails for several customers at once." in house.open("/").words


def test_broken_longest_stands_first(house: House) -> None:
    house.belvo_link("Blue Fern Bakery", bank="gringotts_mx_retail")
    oldest = house.belvo_link("Acme Corp")
    Link.objects.filter(pk=oldest.pk).update(health_since=timezone.now() - timedelta(days=9))

    words = house.open("/").words

    assert words.index("Acme Corp") < words.index("Blue Fern Bakery")


def test_repair_that_is_being_proven_is_not_among_the_broken(house: House) -> None:
    link = house.belvo_link("Acme Corp")
    Link.objects.filter(pk=link.pk).update(proving_since=timezone.now())

    assert "Acme Corp" not in house.open("/").words


def test_my_links_are_shown_to_me(house: House) -> None:
    link = house.belvo_link("Acme Corp", cause=Cause.WORKING)
    Link.objects.filter(pk=link.pk).update(owner=house.people["ana"])

    assert link.get_absolute_url() in house.open("/", "ana").links()
    assert link.get_absolute_url() not in house.open("/", "ben").links()


def test_auditor_sees_initials_and_administrator_figures_alone(house: House) -> None:
    link = house.belvo_link("Wilhelmina Quackenbush")

    auditor, administrator = house.open("/", "aud"), house.open("/", "adm")

    assert "W••• Q•••" in auditor.words
    assert link.get_absolute_url() not in administrator.links()
    assert not [url for url in administrator.links() if url.startswith("/links/")]
    assert "One link, and whose turn it is." in administrator.words


def test_refused_keys_are_told_once(house: House) -> None:
    house.belvo_link()
    type(house.belvo).objects.update(key_state="refused")

    assert house.open("/").words.count("the provider refuses our keys") == 1


def test_refused_keys_that_may_be_tried_again_are_no_warning(house: House) -> None:
    house.belvo_link()
    type(house.belvo).objects.update(key_state="refused", keys_retry_at=timezone.now())

    assert "the provider refuses our keys" not in house.open("/").words


def test_house_without_links_says_so(house: House) -> None:
    assert "No links yet." in house.open("/").words


def test_queries_do_not_grow_with_the_links(house: House, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    house.belvo_link()
    house.open("/")
    with django_assert_num_queries(14) as few:
        house.client().get("/")
    for number in range(8):
        house.heron_link(item_id=f"item-{number}", cause=Cause.LOGIN_REQUIRED)

    with django_assert_num_queries(len(few.captured_queries)):
        house.client().get("/")
