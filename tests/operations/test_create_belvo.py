"""New Belvo links: exactly the fields of the bank, with and without a one-time code."""

import re

import pytest
from pytest_django import Settings

from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause, HealthState
from tests.environment import Environment
from tests.markup import Page

pytestmark = pytest.mark.django_db(transaction=True)


def create(env: Environment, *, bank: str = "erebor_mx_retail", **typed: str) -> Page:
    values = {"end_user_id": "cus-1", "end_user_name": "Ivy Long", "username": "ivy", "password": "pass_valid"}
    return env.send(env.new_link_url(bank), **values | typed)


def test_link_is_created_and_works(env: Environment) -> None:
    answer = create(env)

    link = Link.objects.get()
    assert (answer.status, answer.location) == (303, f"/links/{link.pk}/")
    assert (link.health, link.access_mode, link.refresh_rate) == (HealthState.HEALTHY.value, "recurrent", "7d")
    assert link.institution == env.bank("erebor_mx_retail")
    assert link.assignee == env.people["ana"]


def test_banks_are_found_by_a_part_of_their_name_or_by_country(env: Environment) -> None:
    url = f"/links/new/?integration={env.belvo.pk}"

    assert "Iron Bank (Advanced login) ironbank_br_retail BR · Bank" in env.open(f"{url}&bank=iron").words
    assert "Iron Bank" not in env.open(f"{url}&bank=mx").words
    assert "No matching institutions" in env.open(f"{url}&bank=nowhere").words


def test_form_has_the_fields_of_the_bank_with_its_own_labels(env: Environment) -> None:
    page = env.open(env.new_link_url("ironbank_br_retail"))

    asked = ["username_type", "username", "username2", "password", "password2", "access_mode"]
    assert [name for name in page.inputs() if name in asked] == asked
    assert "Opções de acesso" in page.words
    assert page.inputs()["password2"]["type"] == "password"


@pytest.mark.parametrize(
    ("typed", "is_open"),
    [
        ({"password": ""}, False),
        ({"stale_in": "a year"}, True),
        ({"stale_in": "90d", "password": "pass_invalid"}, True),  # rejected without a field
    ],
)
def test_rarely_needed_fields_are_collapsed_until_filled_in(
    env: Environment, typed: dict[str, str], is_open: bool
) -> None:
    page = create(env, **typed)

    (folded,) = [each for each in page.elements if each.tag == "details" and each.attrs.get("class") == "advanced"]
    assert (page.status, "open" in folded.attrs) == (422, is_open)


def test_hidden_field_of_the_bank_is_not_shown(env: Environment) -> None:
    page = env.open(env.new_link_url("planet_mx_employment"))

    assert "CURP" in page.words
    assert "password" not in page.inputs()


@pytest.mark.parametrize(("bank", "is_shown"), [("erebor_mx_retail", True), ("ofmockbank_br_retail", False)])
def test_hint_of_the_demo_is_about_a_password_only_where_one_is_typed(
    env: Environment, settings: Settings, bank: str, *, is_shown: bool
) -> None:
    settings.DEMO = True

    assert ("pass_valid" in env.open(env.new_link_url(bank)).words) is is_shown


def test_choice_names_each_provider_once(env: Environment) -> None:
    assert f"Choose a provider {env.belvo.name} {env.heron.name}" in env.open("/links/new/").words


def test_bank_outage_is_shown_before_anything_is_typed(env: Environment) -> None:
    page = env.open(f"/links/new/?integration={env.belvo.pk}&bank=Mar Azul")

    assert "Down, according to the provider" in page.words


def test_value_that_fails_the_banks_pattern_shows_the_banks_message(env: Environment) -> None:
    page = create(env, bank="capivara_br_retail", username="12", username2="12345")

    assert page.status == 422
    assert page.error_at("username") == "Requer 4 dígitos"
    assert env.calls("POST") == []


@pytest.mark.parametrize(
    ("document", "number", "said"), [("001", "AB123456", "Entre 6 y 10 dígitos"), ("003", "AB123456", "")]
)
def test_chosen_document_decides_what_its_number_looks_like(
    env: Environment, document: str, number: str, said: str
) -> None:
    page = create(env, bank="paramoverde_co_retail", username_type=document, username=number)

    assert page.error_at("username") == said
    assert len(env.calls("POST")) == (0 if said else 1)


def test_endless_pattern_is_aborted(env: Environment) -> None:
    bank = env.bank("erebor_mx_retail")
    bank.form_fields = [dict(field, validation="^(a|aa)+$") for field in bank.form_fields]
    bank.save()

    answer = create(env, username="a" * 40 + "!", password="a" * 40 + "!")

    assert answer.status in (303, 422)
    assert len(env.calls("POST")) == 1


def test_link_is_stored_when_the_bank_asks_for_a_code(env: Environment) -> None:
    answer = create(env, password="pass_mfa")

    link = Link.objects.get()
    assert answer.location == f"/links/{link.pk}/code/"
    assert (link.health, link.cause) == (HealthState.CUSTOMER_CODE.value, Cause.CODE_WAITING.value)
    assert link.remote_id in env.simulator.store.belvo_links
    assert env.last_operation().state == State.NEEDS_CODE


def test_code_completes_the_new_link(env: Environment) -> None:
    create(env, password="pass_mfa")
    link = Link.objects.get()

    answer = env.send(f"/links/{link.pk}/code/", code="111111")

    link.refresh_from_db()
    assert answer.location == f"/links/{link.pk}/"
    assert link.health == HealthState.HEALTHY.value
    assert Link.objects.count() == 1


def test_new_link_whose_code_never_came_is_not_waiting_any_more(env: Environment) -> None:
    create(env, password="pass_mfa")
    link = Link.objects.get()
    env.post(f"/links/{link.pk}/code/withdraw/")

    env.post(f"/links/{link.pk}/refresh/")

    link.refresh_from_db()
    assert (link.health, link.cause) == (HealthState.CUSTOMER_CODE.value, Cause.NEVER_CONFIRMED.value)


def test_wrong_password_is_shown_and_creates_no_link(env: Environment) -> None:
    page = create(env, password="pass_invalid")

    assert page.status == 422
    assert "Wrong password" in page.words
    assert "Invalid credentials provided to login to the institution" in page.words
    assert re.search(r"Code login_error", page.words)
    assert not Link.objects.exists()


def test_field_missing_at_the_provider_is_marked(env: Environment) -> None:
    bank = env.bank("erebor_mx_retail")
    bank.form_fields = [dict(field, optional=field["name"] == "password") for field in bank.form_fields]
    bank.save()

    page = create(env, password="")

    assert page.status == 422
    assert page.error_at("password") == "This field is required."
    assert "The provider rejected the form" in page.words


def test_same_sign_in_twice_is_a_duplicate(env: Environment) -> None:
    create(env)

    page = create(env, end_user_id="cus-2", end_user_name="Ivy Long again")

    assert page.status == 422
    assert "The provider already has this link" in page.words


def test_second_link_at_one_bank_asks_first(env: Environment) -> None:
    existing = env.belvo_link()

    page = create(env, end_user_id=existing.end_user.external_id, end_user_name="")

    assert page.status == 409
    assert existing.get_absolute_url() in page.links()
    assert env.calls("POST") == []


@pytest.mark.parametrize("password", ["lost_after", "error_after", "unreadable", "cut_body"])
def test_lost_response_is_found_by_reading(env: Environment, password: str) -> None:
    create(env, password=password)
    operation = env.last_operation()
    assert operation.state == State.UNKNOWN

    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    assert (operation.state, operation.link) == (State.CONFIRMED_DONE, Link.objects.get())
    assert len(env.calls("POST")) == 1


def test_older_link_of_the_customer_is_not_taken_for_the_lost_one(env: Environment) -> None:
    existing = env.belvo_link(bank="gringotts_mx_retail")

    url = env.new_link_url("gringotts_mx_retail")
    typed = {"end_user_id": existing.end_user.external_id, "username": "ivy", "password": "lost_before"}

    env.post(url, env.open(url).form_with("username").values | typed | {"second_link": "on"})
    operation = env.last_operation()
    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    assert (operation.state, operation.link) == (State.UNKNOWN, None)


def test_nothing_found_proves_nothing_where_the_provider_gives_the_id(env: Environment, settings: Settings) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    settings.OPERATION_UNDECIDED_SECONDS = 0
    create(env, password="lost_before")

    tasks.reconcile_one(str(env.last_operation().pk))

    assert env.last_operation().state == State.NEEDS_DECISION


def test_customer_missing_from_the_record_needs_a_person(env: Environment, settings: Settings) -> None:
    settings.OPERATION_UNDECIDED_SECONDS = 0
    create(env, end_user_id="cus@1", password="lost_after")

    tasks.reconcile_one(str(env.last_operation().pk))

    assert env.last_operation().state == State.NEEDS_DECISION
    assert Operation.objects.count() == 1
