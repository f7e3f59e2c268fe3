"""IDs that contain what was typed by chance are taken; other texts that do are echoes, and are withheld."""

import pytest

from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, State
from tests.house import House
from tests.markup import Page
from tests.providers.conftest import reply
from tests.scripted import LINK_ID, REQUEST_ID, answering, asks, takes

pytestmark = pytest.mark.django_db(transaction=True)

PIN = "4806"  # which is in both ids


def create(house: House, **typed: str) -> Page:
    customer = {"end_user_id": "cus-4806", "end_user_name": "Acme Corp"}
    return house.send(house.new_link_url("erebor_mx_retail"), **customer, **typed)


def test_pin_inside_the_link_id_does_not_lose_the_sign_in(house: House) -> None:
    with answering(house.belvo, asks(), takes(status=201, external_id="cus-4806")) as bank:
        step = create(house, username="JPEREZ01", password=PIN)

        link = Link.objects.get(remote_id=LINK_ID)
        assert step.location == f"/links/{link.pk}/token/"
        assert house.last_operation().request_id == REQUEST_ID
        house.send(step.location, token=PIN)

    assert house.last_operation().state == State.SUCCEEDED
    assert bank.received[1].body["link"] == LINK_ID
    assert bank.received[1].body["token"] == PIN


def test_pin_inside_the_link_id_does_not_lose_a_new_link(house: House) -> None:
    with answering(house.belvo, takes(status=201)):
        create(house, username="JPEREZ01", password=PIN)

    assert house.last_operation().state == State.SUCCEEDED
    assert Link.objects.get(remote_id=LINK_ID).end_user.external_id == "cus-4806"


def test_user_name_that_is_a_word_of_the_provider_hides_no_error(house: House) -> None:
    error = {"code": "login_error", "message": "Wrong login", "request_id": REQUEST_ID, "field": "password"}
    with answering(house.belvo, reply(400, [error])):
        page = create(house, username="login", password="hunter2secret")

    operation = house.last_operation()
    assert (operation.state, operation.code, operation.request_id) == (State.REJECTED, "login_error", REQUEST_ID)
    assert operation.words == "withheld"  # any other text is an echo
    assert "login_error" in page.words


def test_user_name_that_is_the_name_of_a_field_hides_no_field(house: House) -> None:
    error = {"code": "invalid", "message": "Enter a valid value.", "field": "password"}
    with answering(house.belvo, reply(400, [error])):
        page = create(house, username="pass", password="hunter2secret")

    assert page.error_at("password") == "Enter a valid value."


def test_operation_keeps_nothing_of_what_was_typed(house: House) -> None:
    error = {"code": f"odd_{PIN}", "message": f"not {PIN}", "field": f"x{PIN}", "request_id": f"r-{PIN}"}
    with answering(house.belvo, reply(400, [error])):
        create(house, username="JPEREZ01", password=PIN)

    kept = Operation.objects.values("code", "words", "request_id", "field_errors").get()
    assert PIN not in str(kept)


def test_password_that_is_part_of_the_banks_name_loses_nothing(house: House) -> None:
    link = house.belvo_link()
    with answering(house.belvo, takes(link.remote_id, external_id=link.end_user.external_id)):
        house.send(f"/links/{link.pk}/credentials/", password="erebor")

    assert house.last_operation(link).state == State.SUCCEEDED
