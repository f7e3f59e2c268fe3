"""Error bodies of any shape: everything is shown, at its field if it has one, and nothing is invented."""

from typing import Any

import pytest

from linkadmin.integrations.models import CallQuota, CircuitBreaker, Integration
from linkadmin.links.models import Link, UnrecognizedValue
from linkadmin.operations.models import State
from linkadmin.providers.types import Cause, HealthState
from tests.environment import Environment
from tests.markup import Page
from tests.providers.conftest import Behaviour, reply
from tests.scripted import answering, takes

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

BLANK = "This field may not be blank."
TWO = [
    {"code": "invalid_link", "message": "First words", "request_id": "a" * 32},
    {"code": "unsupported_operation", "message": "Second words", "request_id": "b" * 32, "field": "password2"},
]


def update(env: Environment, *answers: Behaviour) -> tuple[Link, Page]:
    """Update credentials, with these provider responses. Returns the link and the page."""
    Integration.objects.update(key_state=Integration.KeyState.VALID, keys_retry_at=None)
    CircuitBreaker.objects.all().delete()
    CallQuota.objects.all().delete()
    link = env.belvo_link()
    with answering(env.belvo, *answers):
        page = env.send(f"/links/{link.pk}/credentials/", password="hunter22")
        return link, env.open(page.location) if page.location else page


def test_every_entry_of_a_list_is_stored_and_shown(env: Environment) -> None:
    link, page = update(env, reply(400, TWO))

    operation = env.last_operation(link)
    assert [(each["code"], each["words"]) for each in operation.errors] == [
        ("invalid_link", "First words"),
        ("unsupported_operation", "Second words"),
    ]
    again = env.open(operation.get_absolute_url())
    for said in ("First words", "Second words", "invalid_link", "unsupported_operation", "a" * 32, "b" * 32):
        assert said in page.words
        assert said in again.words
    assert page.error_at("password2") == "Second words"


@pytest.mark.parametrize(
    "body",
    [
        {"password": [BLANK]},
        {"password": BLANK},
        {"errors": {"password": [BLANK]}},
        [{"password": [BLANK]}],
        {"credentials": {"password": [BLANK]}},
        {"detail": {"password": [{"code": "blank", "message": BLANK}]}},
        {"error": {"code": "validation_error", "fields": {"password": BLANK}}},
        {"code": "validation_error", "details": [{"field": "password", "message": BLANK}]},
        [{"code": "blank", "message": BLANK, "field": "password"}],
    ],
)
def test_message_about_a_field_is_shown_at_that_field(env: Environment, body: Any) -> None:
    link, page = update(env, reply(400, body))

    assert page.error_at("password") == BLANK
    assert page.status == 422
    assert "Correct the fields below" in page.words
    assert "errors" not in env.last_operation(link).field_errors
    link.refresh_from_db()
    assert link.cause == Cause.LOGIN_REFUSED.value  # an invalid form says nothing about the link


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Invalid password", "Invalid password"),
        (["Invalid password"], "Invalid password"),
        ({"detail": "Not allowed today."}, "Not allowed today."),
        ({"non_field_errors": ["Try another day."]}, "Try another day."),
        ({"error": "Something odd"}, "Something odd"),
        ({"errors": [{"message": "Something odd"}]}, "Something odd"),
    ],
)
def test_message_without_a_code_is_quoted_with_the_status(env: Environment, body: Any, words: str) -> None:
    link, page = update(env, reply(400, body))

    assert words in page.words
    assert "HTTP 400" in page.words
    assert env.last_operation(link).field_errors == {}


def test_errors_inside_a_container_are_understood(env: Environment) -> None:
    link, page = update(env, reply(400, {"errors": [{"code": "login_error", "message": "Invalid credentials"}]}))

    link.refresh_from_db()
    assert "Wrong password" in page.words
    assert link.cause == Cause.PASSWORD_WRONG.value


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html><body>Bad gateway</body></html>", "Belvo sent a web page instead of an error message."),
        (b"", "Belvo sent an empty response."),
        (b"\xff\xfe", "Belvo sent a response that can't be read."),
        (b"{}", "Belvo sent no error message."),
    ],
)
@pytest.mark.parametrize("status", [400, 502])
def test_body_without_a_message_is_described(env: Environment, body: bytes, says: str, status: int) -> None:
    link, page = update(env, reply(status, body))

    operation = env.last_operation(link)
    assert operation.state == (State.REJECTED if status == 400 else State.UNKNOWN)
    assert f"HTTP {status}" in page.words
    assert says in page.words
    assert "words below" not in page.words
    link.refresh_from_db()
    assert link.cause != Cause.UNRECOGNIZED.value


def test_server_error_shows_its_message_and_decides_nothing(env: Environment) -> None:
    said = [{"code": "unexpected_error", "message": "Please try again", "request_id": "c" * 32}]
    link, page = update(env, reply(500, said))

    assert env.last_operation(link).state == State.UNKNOWN
    assert "Outcome unknown, checking" in page.words
    assert "Belvo reported an error (500)." in page.words
    for words in ("Please try again", "unexpected_error", "c" * 32):
        assert words in page.words
    assert "answer was lost" not in page.words + env.open(link.get_absolute_url()).words


def test_unreadable_response_is_not_a_lost_one(env: Environment) -> None:
    _link, page = update(env, reply(200, b"<html>Fine</html>"))

    assert "Belvo's response (200) couldn't be read." in page.words
    assert "Belvo sent a web page" in page.words


def test_no_form_is_shown_for_a_link_missing_at_the_provider(env: Environment) -> None:
    link, page = update(env, reply(404, [{"code": "not_found", "message": "Not found."}]))

    link.refresh_from_db()
    assert link.health == HealthState.DISCONNECTED.value
    for shown in (page, env.open(f"/links/{link.pk}/credentials/"), env.open(f"/links/{link.pk}/settings/")):
        assert not [each for each in shown.forms if "operation_key" in each.names]
        assert "password" not in shown.inputs()
    assert "Not found." in page.words


def test_no_form_is_shown_for_a_link_missing_at_heron(env: Environment) -> None:
    link = env.heron_link()
    with answering(env.heron, reply(404, {"code": 404, "name": "Not Found", "description": "No such item."})):
        page = env.send(f"/links/{link.pk}/access-token/", access_token="access-1")

    assert page.status == 422
    assert "No such item." in page.words
    assert not [each for each in page.forms if "operation_key" in each.names]


def test_unrecognized_errors_are_listed_and_a_links_status_is_not(env: Environment) -> None:
    link = env.belvo_link()
    env.prove(link)
    assert link.raw_status == "valid"
    with answering(env.belvo, reply(400, [{"code": "brand_new", "message": "New words"}])):
        env.send(f"/links/{link.pk}/credentials/", password="hunter22")

    link.refresh_from_db()
    assert (link.cause, link.raw_status) == (Cause.UNRECOGNIZED.value, "valid")
    page = env.open("/unrecognized-values/", "adm")
    assert "brand_new" in page.words
    assert set(UnrecognizedValue.objects.values_list("value", flat=True)) == {"brand_new"}


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"access_token": ["Not a valid token."]}, "access_token", "Not a valid token."),
        ({"errors": {"json": {"access_token": ["Not a valid token."]}}}, "access_token", "Not a valid token."),
        ("Bad item", "", "Bad item"),
        ({"detail": "Bad item"}, "", "Bad item"),
        ([{"code": "odd", "message": "Bad item"}, {"message": "And more"}], "", "And more"),
        (b"<html>Bad request</html>", "", "Heron sent a web page instead of an error message."),
        (b"", "", "Heron sent an empty response."),
    ],
)
def test_heron_error_of_any_shape_is_shown(env: Environment, body: Any, field: str, words: str) -> None:
    typed = {"end_user_id": "cus-1", "end_user_name": "Acme Corp", "item_id": "item-1", "access_token": "a-1"}
    with answering(env.heron, reply(422, body)):
        page = env.send(env.new_link_url(), **typed)

    assert page.status == 422
    assert words in (page.error_at(field) if field else page.words)
    assert "HTTP 422" in page.words
    assert not {"errors", "json", "detail"} & set(env.last_operation().field_errors)


def test_heron_server_error_shows_its_message(env: Environment) -> None:
    typed = {"end_user_id": "cus-1", "end_user_name": "Acme Corp", "item_id": "item-1", "access_token": "a-1"}
    said = {"code": 500, "name": "Internal Server Error", "description": "It broke"}
    with answering(env.heron, reply(500, said)):
        page = env.open(env.send(env.new_link_url(), **typed).location)

    assert "Heron reported an error (500)." in page.words
    assert "It broke" in page.words


def test_session_of_a_bank_never_passes_for_an_error(env: Environment) -> None:
    """A code request without an error message stores no session in the error fields."""
    link = env.belvo_link()
    asked = {"session": "s" * 32, "link": link.remote_id, "expiry": 720}
    with answering(env.belvo, reply(428, asked), takes(link.remote_id)):
        env.send(f"/links/{link.pk}/credentials/", password="hunter22")

    operation = env.last_operation(link)
    assert (operation.state, operation.errors, operation.field_errors) == (State.NEEDS_CODE, [], {})
