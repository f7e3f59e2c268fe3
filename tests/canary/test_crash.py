"""A crash in our code while it handles secrets: response, log and database hold none of them."""

import io
import logging
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from linkadmin.operations import services
from linkadmin.operations.models import Operation, State
from linkadmin.operations.views import change, code, sending
from linkadmin.providers.belvo.provider import Belvo
from linkadmin.providers.types import Secret
from linkadmin.simulator.server import Simulator
from tests import environment

from . import dump
from .canaries import Canaries

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]


class Broken(Exception):
    """An error that none of our code expects."""


@pytest.fixture(params=[False, True], ids=["production", "debugging"])
def built(request: pytest.FixtureRequest, settings: Settings) -> Iterator[environment.Environment]:
    settings.DEBUG = request.param
    with Simulator() as simulator:
        yield environment.build(simulator)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log at its most detailed level, in production format."""
    root = logging.getLogger()
    handler, level = logging.StreamHandler(io.StringIO()), root.level
    handler.setFormatter(next(kept.formatter for kept in root.handlers if kept.get_name() == "stderr"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


def break_when(monkeypatch: pytest.MonkeyPatch, place: object, name: str) -> None:
    def broken(*_args: object, **_values: object) -> None:
        raise Broken

    monkeypatch.setattr(place, name, broken)


def browser(built: environment.Environment) -> Client:
    client = built.client()
    client.raise_request_exception = False
    return client


def typed(client: Client, page: str, **values: str) -> dict[str, str]:
    """Fill in a page's form as drawn."""
    initial = client.get(page).context["form"]
    hidden = {field.name: str(field.value()) for field in initial.hidden_fields() if field.value()}
    return hidden | values


def nothing_kept(canaries: Canaries, log: io.StringIO, *answers: bytes) -> bool:
    places = {name: text.encode() for name, text in dump.tables().items()}
    places |= {"log": log.getvalue().encode()} | {f"answer {number}": said for number, said in enumerate(answers)}
    return canaries.found_in(places) == []


@pytest.mark.parametrize(
    ("place", "name"),
    [(services, "update_credentials"), (sending, "outcome_of"), (change, "_draw"), (change, "draw")],
)
def test_a_crash_while_credentials_are_handled_tells_nobody(
    built: environment.Environment,
    log: io.StringIO,
    canaries: Canaries,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
) -> None:
    client, page = browser(built), f"{built.belvo_link().get_absolute_url()}credentials/"
    values = typed(client, page, password=canaries.short("password"), encryption_key=canaries.long("encryption_key"))
    break_when(monkeypatch, place, name)

    # The second form is invalid, so it reaches the code that draws it again.
    answers = [client.post(page, values), client.post(page, values | {"password": canaries.long("password")})]
    built.settled()

    assert 500 in [answer.status_code for answer in answers]
    assert "Broken" in log.getvalue()
    assert nothing_kept(canaries, log, *(answer.content for answer in answers))


@pytest.mark.parametrize(("place", "name"), [(services, "create_link"), (sending, "outcome_of")])
def test_a_crash_while_a_link_is_created_tells_nobody(
    built: environment.Environment,
    log: io.StringIO,
    canaries: Canaries,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
) -> None:
    client, page = browser(built), f"/links/new/?integration={built.heron.pk}"
    customer = {"end_user_id": "cus-1", "end_user_name": "Blue Fern Bakery", "item_id": "item-1"}
    values = typed(client, page, **customer, access_token=canaries.long("access_token"))
    break_when(monkeypatch, place, name)

    answer = client.post(page, values)
    built.settled()

    assert answer.status_code == 500
    assert nothing_kept(canaries, log, answer.content)


@pytest.mark.parametrize(("place", "name"), [(services, "submit_code"), (code, "outcome_of")])
def test_a_crash_while_a_code_is_handled_tells_nobody(
    built: environment.Environment,
    log: io.StringIO,
    canaries: Canaries,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
) -> None:
    client, link = browser(built), built.belvo_link()
    page = f"{link.get_absolute_url()}credentials/"
    client.post(page, typed(client, page, password="mfa_numeric"))
    step = f"{link.get_absolute_url()}code/"
    values = typed(client, step, code=canaries.plain("code"))
    break_when(monkeypatch, place, name)

    answer = client.post(step, values)
    built.settled()

    assert answer.status_code == 500
    assert nothing_kept(canaries, log, answer.content)


def test_a_crash_of_the_call_itself_whose_words_hold_the_password_makes_the_outcome_unknown(
    built: environment.Environment, log: io.StringIO, canaries: Canaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Belvo, _link: object, values: dict[str, Secret]) -> None:
        raise Broken(values["password"].reveal())

    client, link = browser(built), built.belvo_link()
    page = f"{link.get_absolute_url()}credentials/"
    monkeypatch.setattr(Belvo, "update_credentials", broken)

    answer = client.post(page, typed(client, page, password=canaries.short("password")), follow=True)

    assert Operation.objects.get(link=link).state == State.UNKNOWN
    assert "Broken" in log.getvalue()
    assert nothing_kept(canaries, log, answer.content)
