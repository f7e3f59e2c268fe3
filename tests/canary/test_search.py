"""The search finds values in every form they may be written."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from .canaries import Canaries

pytestmark = pytest.mark.database

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
