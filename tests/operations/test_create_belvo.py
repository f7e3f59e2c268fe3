"""Creating a link at Belvo: exactly the fields the bank asks for, with and without a one-time code."""

import re

import pytest
from pytest_django import Settings

from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause, HealthState
from tests.house import House
from tests.markup import Page

pytestmark = pytest.mark.django_db(transaction=True)


def create(house: House, *, bank: str = "erebor_mx_retail", **typed: str) -> Page:
    values = {"end_user_id": "cus-1", "end_user_name": "Ivy Long", "username": "ivy", "password": "pass_valid"}
    return house.send(house.new_link_url(bank), **values | typed)


def test_link_is_created_and_works(house: House) -> None:
    answer = create(house)

    link = Link.objects.get()
    assert (answer.status, answer.location) == (303, f"/links/{link.pk}/")
    assert (link.health, link.access_mode, link.refresh_rate) == (HealthState.HEALTHY.value, "recurrent", "7d")
    assert link.institution == house.bank("erebor_mx_retail")
    assert link.owner == house.people["ana"]


def test_banks_are_found_by_a_part_of_their_name_or_by_country(house: House) -> None:
    url = f"/links/new/?integration={house.belvo.pk}"

    assert "Iron Bank (Advanced login) ironbank_br_retail BR · Bank" in house.open(f"{url}&bank=iron").words
    assert "Iron Bank" not in house.open(f"{url}&bank=mx").words
    assert "No bank matches" in house.open(f"{url}&bank=nowhere").words


def test_form_has_the_fields_of_the_bank_with_its_own_labels(house: House) -> None:
    page = house.open(house.new_link_url("ironbank_br_retail"))

    asked = ["username_type", "username", "username2", "password", "password2", "access_mode"]
    assert [name for name in page.inputs() if name in asked] == asked
    assert "Opções de acesso" in page.words
    assert page.inputs()["password2"]["type"] == "password"


@pytest.mark.parametrize(
    ("typed", "is_open"),
    [
        ({"password": ""}, False),
        ({"stale_in": "a year"}, True),
        ({"stale_in": "90d", "password": "pass_invalid"}, True),  # refused, and no field named
    ],
)
def test_rarely_needed_fields_are_folded_away_until_something_is_in_them(
    house: House, typed: dict[str, str], is_open: bool
) -> None:
    page = create(house, **typed)

    (folded,) = [each for each in page.elements if each.tag == "details" and each.attrs.get("class") == "advanced"]
    assert (page.status, "open" in folded.attrs) == (422, is_open)


def test_hidden_field_of_the_bank_is_not_asked_for(house: House) -> None:
    page = house.open(house.new_link_url("planet_mx_employment"))

    assert "CURP" in page.words
    assert "password" not in page.inputs()


def test_bank_down_is_said_before_anything_is_typed(house: House) -> None:
    page = house.open(f"/links/new/?integration={house.belvo.pk}&bank=Mar Azul")

    assert "The provider says it is down" in page.words


def test_value_that_breaks_the_banks_pattern_is_refused_in_the_banks_words(house: House) -> None:
    page = create(house, bank="capivara_br_retail", username="12", username2="12345")

    assert page.status == 422
    assert page.error_at("username") == "Requer 4 dígitos"
    assert house.calls("POST") == []


@pytest.mark.parametrize(
    ("document", "number", "said"), [("001", "AB123456", "Entre 6 y 10 dígitos"), ("003", "AB123456", "")]
)
def test_chosen_document_decides_what_its_number_looks_like(
    house: House, document: str, number: str, said: str
) -> None:
    page = create(house, bank="paramoverde_co_retail", username_type=document, username=number)

    assert page.error_at("username") == said
    assert len(house.calls("POST")) == (0 if said else 1)


def test_pattern_that_never_ends_is_given_up(house: House) -> None:
    bank = house.bank("erebor_mx_retail")
    bank.form_fields = [dict(field, validation="^(a|aa)+$") for field in bank.form_fields]
    bank.save()

    answer = create(house, username="a" * 40 + "!", password="a" * 40 + "!")

    assert answer.status in (303, 422)
    assert len(house.calls("POST")) == 1


def test_link_is_stored_when_the_bank_asks_for_a_code(house: House) -> None:
    answer = create(house, password="pass_mfa")

    link = Link.objects.get()
    assert answer.location == f"/links/{link.pk}/token/"
    assert (link.health, link.cause) == (HealthState.CUSTOMER_CODE.value, Cause.CODE_WAITING.value)
    assert link.remote_id in house.simulator.world.belvo_links
    assert house.last_operation().state == State.NEEDS_TOKEN


def test_code_completes_the_new_link(house: House) -> None:
    create(house, password="pass_mfa")
    link = Link.objects.get()

    answer = house.send(f"/links/{link.pk}/token/", token="111111")

    link.refresh_from_db()
    assert answer.location == f"/links/{link.pk}/"
    assert link.health == HealthState.HEALTHY.value
    assert Link.objects.count() == 1


def test_new_link_whose_code_never_came_is_not_waiting_any_more(house: House) -> None:
    create(house, password="pass_mfa")
    link = Link.objects.get()
    house.post(f"/links/{link.pk}/token/withdraw/")

    house.post(f"/links/{link.pk}/refresh/")

    link.refresh_from_db()
    assert (link.health, link.cause) == (HealthState.CUSTOMER_CODE.value, Cause.NEVER_CONFIRMED.value)


def test_wrong_password_is_told_and_makes_no_link(house: House) -> None:
    page = create(house, password="pass_invalid")

    assert page.status == 422
    assert "Wrong password" in page.words
    assert "Invalid credentials provided to login to the institution" in page.words
    assert re.search(r"Code login_error", page.words)
    assert not Link.objects.exists()


def test_field_the_provider_misses_is_marked(house: House) -> None:
    bank = house.bank("erebor_mx_retail")
    bank.form_fields = [dict(field, optional=field["name"] == "password") for field in bank.form_fields]
    bank.save()

    page = create(house, password="")

    assert page.status == 422
    assert page.error_at("password") == "This field is required."
    assert "The provider did not accept the form" in page.words


def test_same_login_twice_is_told_as_known(house: House) -> None:
    create(house)

    page = create(house, end_user_id="cus-2", end_user_name="Ivy Long again")

    assert page.status == 422
    assert "The provider knows this link already" in page.words


def test_second_link_at_one_bank_asks_first(house: House) -> None:
    existing = house.belvo_link()

    page = create(house, end_user_id=existing.end_user.external_id, end_user_name="")

    assert page.status == 409
    assert existing.get_absolute_url() in page.links()
    assert house.calls("POST") == []


@pytest.mark.parametrize("password", ["lost_after", "error_after", "unreadable", "cut_body"])
def test_lost_answer_is_found_by_reading(house: House, password: str) -> None:
    create(house, password=password)
    operation = house.last_operation()
    assert operation.state == State.UNKNOWN

    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    assert (operation.state, operation.link) == (State.CONFIRMED_DONE, Link.objects.get())
    assert len(house.calls("POST")) == 1


def test_older_link_of_the_customer_is_not_taken_for_the_lost_one(house: House) -> None:
    existing = house.belvo_link(bank="gringotts_mx_retail")

    url = house.new_link_url("gringotts_mx_retail")
    typed = {"end_user_id": existing.end_user.external_id, "username": "ivy", "password": "lost_before"}

    house.post(url, house.open(url).form_with("username").values | typed | {"second_link": "on"})
    operation = house.last_operation()
    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    assert (operation.state, operation.link) == (State.UNKNOWN, None)


def test_nothing_found_proves_nothing_where_the_provider_gives_the_id(house: House, settings: Settings) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    settings.OPERATION_UNDECIDED_SECONDS = 0
    create(house, password="lost_before")

    tasks.reconcile_one(str(house.last_operation().pk))

    assert house.last_operation().state == State.UNDECIDED


def test_customer_whom_the_provider_cannot_name_is_left_to_a_person(house: House, settings: Settings) -> None:
    settings.OPERATION_UNDECIDED_SECONDS = 0
    create(house, end_user_id="cus@1", password="lost_after")

    tasks.reconcile_one(str(house.last_operation().pk))

    assert house.last_operation().state == State.UNDECIDED
    assert Operation.objects.count() == 1
