"""Secrets stay where they belong, and untrusted text becomes safe."""

import base64
import copy
import json
import pickle
from collections.abc import Callable
from urllib.parse import quote

import pytest

from linkadmin.providers.http.redaction import WITHHELD, Redactor, clean
from linkadmin.providers.types import Secret

from .conftest import Script, belvo_at, reply

PASSWORD = Secret('Pä&s" w/rd+7')


def test_a_secret_shows_as_nothing_anywhere() -> None:
    texts = [repr(PASSWORD), str(PASSWORD), f"{PASSWORD}", f"{PASSWORD!r:>20}", repr([PASSWORD]), repr({"p": PASSWORD})]
    assert not [text for text in texts if "w/rd" in text]


@pytest.mark.parametrize("carry_off", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_a_secret_cannot_be_carried_off(carry_off: object) -> None:
    with pytest.raises(TypeError):
        carry_off(PASSWORD)  # type: ignore[operator]


def test_a_secret_equals_no_text_and_no_other_secret() -> None:
    text = PASSWORD.reveal()
    assert text != PASSWORD
    assert Secret(text) != PASSWORD


ECHOES = {
    "plain": lambda text: text,
    "in capitals": str.upper,
    "for a URL": lambda text: quote(text, safe=""),
    "as JSON": lambda text: json.dumps(text),
    "as hexadecimal": lambda text: text.encode().hex(),
    "as base64": lambda text: base64.b64encode(text.encode()).decode(),
    "inside base64, shifted by one": lambda text: base64.b64encode(b"x" + text.encode() + b"yy").decode(),
    "inside base64, shifted by two": lambda text: base64.b64encode(b"xx" + text.encode() + b"y").decode(),
    "as base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "as HTML": lambda text: text.replace("&", "&amp;").replace('"', "&quot;"),
    "broken by a hidden character": lambda text: text[:3] + "\u200b\x00" + text[3:],
}


@pytest.mark.parametrize("shape", ECHOES.values(), ids=ECHOES.keys())
def test_words_that_echo_a_secret_are_withheld(shape: object) -> None:
    echo = shape(PASSWORD.reveal())  # type: ignore[operator]
    assert clean(f"the value {echo} was refused", [Secret("other"), PASSWORD]) == WITHHELD


PLACES: list[Callable[[str], object]] = [
    lambda echo: {"name": "fine", "words": [1, {"deep": f"so {echo}"}]},
    lambda echo: {f"{echo}": 1},
    lambda echo: [f"{echo}\\", "next"],
    lambda echo: ["100%", echo, "41"],
    lambda echo: ["R&D", f"{echo}&amp"],
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", ECHOES.values(), ids=ECHOES.keys())
def test_response_with_an_echo_anywhere_has_all_its_texts_searched(shape: Callable[[str], str], place: object) -> None:
    echo = shape(PASSWORD.reveal())
    redactor = Redactor([PASSWORD])

    body = place(echo)  # type: ignore[operator]

    assert redactor.for_answer(json.dumps(body, ensure_ascii=False)) is redactor
    assert redactor.for_answer(json.dumps(body)) is redactor


def test_response_without_an_echo_is_searched_once(
    serve: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    link = {"institution": "erebor_mx_retail", "status": "valid", "created_at": "2026-01-02T08:00:00+00:00"}
    links = [{**link, "id": f"a4806567-8000-4000-8000-{number:012}"} for number in range(50)]
    url = serve(reply(200, json.dumps({"count": 50, "next": None, "results": links}).encode())).url
    searched: list[str] = []
    holds = Redactor._holds
    monkeypatch.setattr(Redactor, "_holds", lambda self, text: searched.append(text) or holds(self, text))

    assert len(belvo_at(url).list_links({}).items) == 50
    assert len([text for text in searched if text]) == 2  # as it is, and as a URL would write it


@pytest.mark.parametrize("said", ["0123-4567-89ab", "0123456789AB"])
def test_response_with_a_secret_in_an_id_has_all_its_texts_searched(said: str) -> None:
    redactor = Redactor([Secret("0123456789ab")])

    assert redactor.for_answer(f'{{"id": "7{said}"}}') is redactor
    assert (
        redactor.for_answer('{"id": "7-0123456789-a", "name": "b R&D 100% \u00fc"}').clean("0123456789ab") != WITHHELD
    )


def test_a_secret_of_three_characters_does_not_withhold_every_sentence() -> None:
    assert clean("the account is locked", [Secret("the"), Secret("")]) == "the account is locked"


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("line one\r\nline two", "line one line two"),
        ("nul\x00 escape\x1b[31m", "nul escape[31m"),
        ("reversed \u202egpj.exe", "reversed gpj.exe"),
        ("half \ud800 of a character", "half  of a character"),
        ("a" * 600, "a" * 500),
        ("contraseña ✓", "contraseña ✓"),
    ],
)
def test_dangerous_characters_are_removed_and_length_is_bounded(raw: str, safe: str) -> None:
    assert clean(raw) == safe
