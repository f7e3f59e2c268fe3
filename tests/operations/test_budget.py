"""How often a bank may be asked before it locks the customer out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.operations.budget import allow_attempt
from linkadmin.operations.models import Operation
from tests.house import House
from tests.markup import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

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
    assert "2 attempts left today" in house.open(f"/links/{link.pk}/credentials/").words

    page = refuse(house, link)

    assert "1 attempt left today" in page.words


def test_two_refusals_end_it_for_the_day(house: House) -> None:
    link = house.belvo_link()

    page = refuse(house, link, times=2)

    assert "No attempts left today" in page.words
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

    assert "1 attempt left today" in page.words


def test_a_day_starts_the_count_anew(house: House) -> None:
    link = house.belvo_link()
    refuse(house, link, times=2)
    Operation.objects.update(ended_at=timezone.now() - timedelta(hours=24, seconds=1))

    page = house.open(f"/links/{link.pk}/credentials/")

    assert "2 attempts left today" in page.words


def test_wrong_code_counts_as_an_attempt(house: House) -> None:
    link = house.belvo_link()
    house.send(f"/links/{link.pk}/credentials/", password="pass_mfa")

    house.send(f"/links/{link.pk}/token/", token="999999")

    house.post(f"/links/{link.pk}/token/withdraw/")
    assert "1 attempt left today" in house.open(f"/links/{link.pk}/credentials/").words


def second_link(house: House, first: Link) -> Link:
    """Return another link of the same customer at the same bank."""
    link = house.belvo_link()
    Link.objects.filter(pk=link.pk).update(end_user=first.end_user)
    link.refresh_from_db()
    return link


def create_at_same_bank(house: House, link: Link, password: str = "pass_invalid") -> Page:
    typed = {"end_user_id": link.end_user.external_id, "username": "another", "password": password}
    url = house.new_link_url("erebor_mx_retail")
    form = house.open(url).form_with("password")
    return house.post(url, form.values | typed | {"second_link": "on"})


def test_refusals_are_counted_over_all_links_of_a_customer_at_a_bank(house: House) -> None:
    first = house.belvo_link()
    second = second_link(house, first)
    refuse(house, first)
    refuse(house, second)

    assert "No attempts left today" in house.open(f"/links/{first.pk}/credentials/").words
    assert send_unasked(house, second).status == 409
    assert len(house.calls("PUT")) == 2


def test_refused_creation_and_repair_are_one_count(house: House) -> None:
    link = house.belvo_link()
    assert "1 attempt left today" in create_at_same_bank(house, link).words
    assert "1 attempt left today" in house.open(f"/links/{link.pk}/credentials/").words
    refuse(house, link)

    page = create_at_same_bank(house, link, "pass_valid")

    assert page.status == 409
    assert page.words.count("No attempts left today") == 1
    assert "An account manager can allow one more." in page.words
    assert f"/links/{link.pk}/repair-address/" in page.links()
    assert len(house.calls("POST", "/api/links/")) == 1


def test_another_customer_or_bank_has_its_own_count(house: House) -> None:
    link = house.belvo_link()
    refuse(house, link, times=2)
    elsewhere = house.belvo_link(bank="gotham_mx_business")
    Link.objects.filter(pk=elsewhere.pk).update(end_user=link.end_user)

    for other in (house.belvo_link(), elsewhere):
        assert "2 attempts left today" in house.open(f"/links/{other.pk}/credentials/").words


def test_allowance_on_one_link_is_for_the_bank(house: House) -> None:
    first = house.belvo_link()
    second = second_link(house, first)
    refuse(house, first, times=2)

    allow(house, first)

    assert "1 attempt left today" in house.open(f"/links/{second.pk}/credentials/").words


def test_third_attempt_to_create_a_first_link_is_a_managers_to_allow(house: House) -> None:
    values = {"end_user_id": "cus-1", "end_user_name": "Ivy Long", "username": "ivy", "password": "pass_invalid"}
    for _each in range(2):
        house.send(house.new_link_url("erebor_mx_retail"), **values)
    refused = house.last_operation()
    assert house.send(house.new_link_url("erebor_mx_retail"), **values).status == 409

    page = house.open(refused.get_absolute_url(), "mia")
    assert page.words.count("No attempts left today") == 1
    assert f"/operations/{refused.pk}/attempt/" in page.links()
    house.send(f"/operations/{refused.pk}/attempt/", "mia", reason="The customer is sure now.")

    created = house.send(house.new_link_url("erebor_mx_retail"), **(values | {"password": "pass_valid"}))
    assert created.status == 303
    assert Link.objects.count() == 1


@pytest.mark.parametrize("password", ["bank_down", "validation_error", "too_many"])
def test_what_is_no_refusal_of_the_login_is_not_counted(house: House, password: str) -> None:
    link = house.belvo_link()

    page = house.send(f"/links/{link.pk}/credentials/", password=password)

    assert "2 attempts left today" in page.words


def test_links_page_and_records_tell_who_allowed_one_more_and_why(house: House) -> None:
    link = house.belvo_link()
    allow_attempt(actor=house.people["mia"], subject=link, reason="The customer called")

    assert "Mia · The customer called" in house.open(f"/links/{link.pk}/").words
    assert "The customer called" in house.open("/admin/operations/attemptallowance/", "aud").words
