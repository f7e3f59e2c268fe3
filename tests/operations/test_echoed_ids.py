"""IDs that happen to contain a typed value are accepted; other texts that do are echoes and withheld."""

import pytest

from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, State
from tests.environment import Environment
from tests.markup import Page
from tests.providers.conftest import reply
from tests.scripted import LINK_ID, REQUEST_ID, answering, asks, takes

pytestmark = pytest.mark.django_db(transaction=True)

PIN = "4806"  # part of both IDs


def create(env: Environment, **typed: str) -> Page:
    customer = {"end_user_id": "cus-4806", "end_user_name": "Acme Corp"}
    return env.send(env.new_link_url("erebor_mx_retail"), **customer, **typed)


def test_pin_inside_the_link_id_does_not_lose_the_sign_in(env: Environment) -> None:
    with answering(env.belvo, asks(), takes(status=201, external_id="cus-4806")) as bank:
        step = create(env, username="JPEREZ01", password=PIN)

        link = Link.objects.get(remote_id=LINK_ID)
        assert step.location == f"/links/{link.pk}/code/"
        assert env.last_operation().request_id == REQUEST_ID
        env.send(step.location, code=PIN)

    assert env.last_operation().state == State.SUCCEEDED
    assert bank.received[1].body["link"] == LINK_ID
    assert bank.received[1].body["token"] == PIN


def test_pin_inside_the_link_id_does_not_lose_a_new_link(env: Environment) -> None:
    with answering(env.belvo, takes(status=201)):
        create(env, username="JPEREZ01", password=PIN)

    assert env.last_operation().state == State.SUCCEEDED
    assert Link.objects.get(remote_id=LINK_ID).end_user.external_id == "cus-4806"


def test_username_equal_to_a_provider_word_hides_no_error(env: Environment) -> None:
    error = {"code": "login_error", "message": "Wrong login", "request_id": REQUEST_ID, "field": "password"}
    with answering(env.belvo, reply(400, [error])):
        page = create(env, username="login", password="hunter2secret")

    operation = env.last_operation()
    assert (operation.state, operation.code, operation.request_id) == (State.REJECTED, "login_error", REQUEST_ID)
    assert operation.words == "withheld"  # any other text is an echo
    assert "login_error" in page.words


def test_username_equal_to_a_field_name_hides_no_field(env: Environment) -> None:
    error = {"code": "invalid", "message": "Enter a valid value.", "field": "password"}
    with answering(env.belvo, reply(400, [error])):
        page = create(env, username="pass", password="hunter2secret")

    assert page.error_at("password") == "Enter a valid value."


def test_operation_stores_no_typed_secret(env: Environment) -> None:
    error = {"code": f"odd_{PIN}", "message": f"not {PIN}", "field": f"x{PIN}", "request_id": f"r-{PIN}"}
    with answering(env.belvo, reply(400, [error])):
        create(env, username="JPEREZ01", password=PIN)

    kept = Operation.objects.values("code", "words", "request_id", "field_errors").get()
    assert PIN not in str(kept)


def test_password_that_is_part_of_the_banks_name_loses_nothing(env: Environment) -> None:
    link = env.belvo_link()
    with answering(env.belvo, takes(link.remote_id, external_id=link.end_user.external_id)):
        env.send(f"/links/{link.pk}/credentials/", password="erebor")

    assert env.last_operation(link).state == State.SUCCEEDED
