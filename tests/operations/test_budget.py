"""How often a bank may be asked before it locks the customer out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.operations.budget import allow_attempt
from linkadmin.operations.models import Operation
from tests.house import House
from tests.markup import Page

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = {"operation_key": "6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a"}


def refuse(house: House, link: Link, times: int = 1) -> Page:
    pages = [house.send(f"/links/{link.pk}/credentials/", password="pass_invalid") for _each in range(times)]
    return pages[-1]


def allow(house: House, link: Link, reason: str = "The customer is sure of the new password.") -> Page:
    return house.send(f"/links/{link.pk}/attempt/", "mia", reason=reason)


def send_unasked(house: House, link: Link) -> Page:
    """Post the form that the page does not draw any more."""
    return house.post(f"/links/{link.pk}/credentials/", KEYS | {"password": "pass_valid"})


def test_page_says_how_many_attempts_are_left(house: House) -> None:
    link = house.belvo_link()
    assert "2 attempts are left" in house.open(f"/links/{link.pk}/credentials/").words

    page = refuse(house, link)

    assert "One attempt is left" in page.words


def test_two_refusals_end_it_for_the_day(house: House) -> None:
    link = house.belvo_link()

    page = refuse(house, link, times=2)

    assert "No attempt is left for today" in page.words
    assert "password" not in page.inputs()
    blocked = send_unasked(house, link)
    assert blocked.status == 409
    assert len(house.calls("PUT")) == 2


def test_links_page_offers_the_manager_to_allow_one_more(house: House) -> None:
    link = house.belvo_link()
    refuse(house, link, times=2)

    assert f"/links/{link.pk}/attempt/" in house.open(link.get_absolute_url(), "mia").links()
    page = house.open(link.get_absolute_url(), "ana")
    assert f"/links/{link.pk}/attempt/" not in page.links()
    assert "The bank has refused too many attempts today." in page.words


def test_manager_allows_one_more_with_a_reason(house: House) -> None:
    link = house.belvo_link()
    refuse(house, link, times=2)

    answer = allow(house, link)

    assert (answer.status, answer.location) == (303, link.get_absolute_url())
    assert link.allowances.get().reason == "The customer is sure of the new password."
    assert house.send(f"/links/{link.pk}/credentials/", password="pass_valid").status == 303


def test_allowing_needs_a_reason(house: House) -> None:
    link = house.belvo_link()
    refuse(house, link, times=2)

    page = allow(house, link, reason=" ")

    assert page.status == 422
    assert page.error_at("reason") == "This field is required."
    assert not link.allowances.exists()


def test_third_refusal_is_the_last_whatever_a_manager_says(house: House) -> None:
    link = house.belvo_link()
    refuse(house, link, times=2)
    allow(house, link)
    refuse(house, link)

    page = house.open(f"/links/{link.pk}/attempt/", "mia")

    assert "There is nothing to allow" in page.words
    assert send_unasked(house, link).status == 409
    assert len(house.calls("PUT")) == 3


def test_nothing_is_allowed_before_it_is_needed(house: House) -> None:
    link = house.belvo_link()

    answer = house.post(f"/links/{link.pk}/attempt/", {"reason": "just in case"}, "mia")

    assert answer.location == link.get_absolute_url()
    assert not link.allowances.exists()


def test_success_starts_the_count_anew(house: House) -> None:
    link = house.belvo_link()
    refuse(house, link)
    house.send(f"/links/{link.pk}/credentials/", password="pass_valid")

    page = refuse(house, link)

    assert "One attempt is left" in page.words


def test_a_day_starts_the_count_anew(house: House) -> None:
    link = house.belvo_link()
    refuse(house, link, times=2)
    Operation.objects.update(ended_at=timezone.now() - timedelta(hours=24, seconds=1))

    page = house.open(f"/links/{link.pk}/credentials/")

    assert "2 attempts are left" in page.words


def test_wrong_code_counts_as_an_attempt(house: House) -> None:
    link = house.belvo_link()
    house.send(f"/links/{link.pk}/credentials/", password="pass_mfa")

    house.send(f"/links/{link.pk}/token/", token="999999")

    house.post(f"/links/{link.pk}/token/withdraw/")
    assert "One attempt is left" in house.open(f"/links/{link.pk}/credentials/").words


@pytest.mark.parametrize("password", ["bank_down", "validation_error", "too_many"])
def test_what_is_no_refusal_of_the_login_is_not_counted(house: House, password: str) -> None:
    link = house.belvo_link()

    page = house.send(f"/links/{link.pk}/credentials/", password=password)

    assert "2 attempts are left" in page.words


def test_links_page_and_records_tell_who_allowed_one_more_and_why(house: House) -> None:
    link = house.belvo_link()
    allow_attempt(actor=house.people["mia"], link=link, reason="The customer called")

    assert "Mia · The customer called" in house.open(f"/links/{link.pk}/").words
    assert "The customer called" in house.open("/admin/operations/attemptallowance/", "aud").words
