"""The search itself: it would find what it looks for, in whatever form, and it looks everywhere."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from .canaries import Canaries
from .conftest import Typed

pytestmark = pytest.mark.xdist_group("canary")
FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "capitals": lambda text: text.upper().encode(),
    "URL": lambda text: quote(text, safe="").encode(),
    "every byte of a URL": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "JSON": lambda text: json.dumps(text).encode(),
    "JSON in numbers": lambda text: "".join(f"\\u{ord(letter):04X}" for letter in text).encode(),
    "HTML": lambda text: html.escape(text).encode(),
    "hex": lambda text: text.encode().hex().upper().encode(),
    "UTF-16": lambda text: text.encode("utf-16-le"),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, one on": lambda text: base64.b64encode(b"-" + text.encode()),
    "base64, two on": lambda text: base64.b64encode(b"--" + text.encode()),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_planted_value_is_found_in_every_form(form: str) -> None:
    canaries = Canaries()
    makers = {"long": canaries.long, "plain": canaries.plain, "short": canaries.short}

    planted = {kind: FORMS[form](f"before {make(kind)} after") for kind, make in makers.items()}

    assert canaries.found_in(planted) == ["long in long", "plain in plain", "short in short"]


def test_a_part_of_a_value_is_found() -> None:
    canaries = Canaries()

    assert canaries.found_in({"a file": canaries.short("password")[:-1].encode()}) == ["part of a value in a file"]


def test_another_value_is_not_found() -> None:
    one, other = Canaries(), Canaries()
    one.long("password")

    assert one.found_in({"a file": other.long("password").encode()}) == []


@pytest.mark.processes
@pytest.mark.parametrize("typed", ["embedded"], indirect=True)
@pytest.mark.parametrize(
    ("place", "known"),
    [
        ("data/linkadmin.sqlite3", "ironbank_br_retail"),
        ("data/linkadmin.sqlite3-wal", "Customer 0 of the parrot"),
        ("data/simulator.json", "ironbank_br_retail"),
        ("data/keys/secret_key", ""),
        ("logs/web.log", "POST /links/"),
        ("logs/worker.log", "operations.reconcile"),
        ("logs/beat.log", "operations.nudge_due"),
        ("table audit_auditevent", "operation.update_credentials"),
        ("table operations_operation", "LoginRefused"),
        ("table links_integrationsecret", "secret_password"),
        ("sessions, opened", "_auth_user_id"),
        ("answer to POST /accounts/login/", "Set-Cookie"),
    ],
)
def test_each_place_holds_what_it_is_known_to_hold(typed: Typed, place: str, known: str) -> None:
    assert known.encode() in typed.places[place]


@pytest.mark.processes
@pytest.mark.parametrize("typed", ["embedded"], indirect=True)
def test_messages_were_waiting_in_the_broker(typed: Typed) -> None:
    assert any(name.startswith("data/broker/messages/") for name in typed.places)


@pytest.mark.servers
@pytest.mark.parametrize("typed", ["servers"], indirect=True)
def test_messages_were_waiting_in_redis(typed: Typed) -> None:
    assert b"operations.close_overdue" in typed.places["LINKADMIN_BROKER_URL b'celery'"]
    assert any(name.startswith("LINKADMIN_REDIS_URL") for name in typed.places)
