"""Damages responses: their structure, their bytes, or with echoes of what was sent."""

import base64
import html
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]


def examples(few: int, *, many: int) -> pytest.MarkDecorator:
    """Few examples in the default run, many in the thorough one."""
    return pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.thorough)])


def for_all(prove: Callable[..., None], examples: int, **strategies: st.SearchStrategy[Any]) -> None:
    """Test a property with this many examples, the same ones each time."""
    slow = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
    run = settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=slow)
    run(given(**strategies)(prove))()


ECHOES: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    lambda text: quote(text, safe=""),
    quote,
    quote_plus,
    lambda text: quote(text, safe="!'()*~"),  # like a browser
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),  # like PHP
    html.escape,
    lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("+", "&#43;"),
    lambda text: text.encode().hex(),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    lambda text: base64.b64encode(b"id:" + text.encode() + b"!").decode(),
    lambda text: "\u200b".join((text[:3], text[3:])),
)


def echoes(secrets: list[str]) -> st.SearchStrategy[str]:
    """Return a secret as programs might echo it, in different encodings."""
    return st.builds(
        lambda secret, echo, before, after: before + echo(secret) + after,
        st.sampled_from(secrets),
        st.sampled_from(ECHOES),
        st.sampled_from(["", "value ", "[", "x" * 480]),
        st.sampled_from(["", " was refused", "]"]),
    )


ODD_TEXTS = (
    "", " ", "0", "-1", "720", "1e5", "1.0", "\N{ARABIC-INDIC DIGIT THREE}", "9" * 400, "None", "null", "true",
    "withheld", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00+14:00", "2026-02-30",
    "2026-11-20", "20261120T10", "valid", "invalid", "active", "erroring", "[ITEM_LOGIN_REQUIRED] x",
    "[FUTURE_LIMIT] \x00", "7d", "9999d", "9999h", "nostore", "wait 999 minutes", "nul \x00 and \x1b[31m",
    "\u202egpj.exe", "half \ud800", "\udc00\ud800", "\N{GRINNING FACE}" * 300, "İıßſ", "a\u0301" * 300, "x" * 600,
    "y" * 3_000, "../../etc", "a/b?c=d#e", "javascript:alert(1)", "=cmd()", "\ufeff\u2028",
)  # fmt: skip
ODD_NUMBERS = (0, -1, 1, 5, 10**12, 10**12 + 1, 10**19, -(10**19), 0.5, -0.0, 1e308, 1e-300)

LETTERS = "aZ0 _-./\\\"'<>&%+=\0\t\n\x1b\x85\u200b\u202e\u2028\ud800\ufeffñİß\u0301\N{GRINNING FACE}"

texts = st.text(LETTERS, max_size=30)
scalars = st.none() | st.booleans() | st.sampled_from(ODD_NUMBERS) | st.integers() | st.sampled_from(ODD_TEXTS) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))


def each_text_replaced(value: Any, word: str) -> Iterator[Any]:
    """Yield copies of a value with one text replaced in each."""
    if isinstance(value, str):
        yield word
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: changed} for changed in each_text_replaced(inner, word))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], changed, *value[place + 1 :]] for changed in each_text_replaced(inner, word))


def _deep(value: object) -> object:
    for _ in range(31):
        value = [value]
    return value


RETYPES: tuple[Callable[[Any], object], ...] = (
    lambda value: [value],
    lambda value: [value, value],
    lambda value: {"value": value},
    lambda value: list(value.values()) if isinstance(value, dict) else [],
    lambda value: dict(enumerate_texts(value)) if isinstance(value, list) else {},
    lambda value: json.dumps(value),
    lambda value: str(value),
    _deep,
)


def enumerate_texts(value: list[object]) -> list[tuple[str, object]]:
    return [(str(number), item) for number, item in enumerate(value)]


def mutated(draw: Draw, value: Any, echo: st.SearchStrategy[str]) -> Any:
    """Change one place in a value: drop, double, replace, retype, or turn into an echo."""
    if isinstance(value, dict | list) and value and draw(st.integers(0, 19)):
        place = draw(st.sampled_from(range(len(value)) if isinstance(value, list) else sorted(value)))
        changed = list(value) if isinstance(value, list) else dict(value)
        match draw(st.sampled_from([*["deeper"] * 6, "drop", "double"])):
            case "deeper":
                changed[place] = mutated(draw, value[place], echo)
            case "drop":
                del changed[place]
            case "double" if isinstance(changed, list):
                changed.insert(place, value[place])
            case "double":
                changed[draw(texts | echo | st.sampled_from(sorted(value)))] = value[place]
        return changed
    match draw(st.sampled_from(["odd", "odd", "other", "retype", "echo", "echo"])):
        case "odd":
            return draw(st.sampled_from(ODD_TEXTS))
        case "other":
            return draw(values)
        case "retype":
            return draw(st.sampled_from(RETYPES))(value)
    return draw(echo)


def flooded(draw: Draw, value: Any, word: str) -> Any:
    """Replace every third text in a value."""
    if isinstance(value, dict):
        return {name: flooded(draw, inner, word) for name, inner in value.items()}
    if isinstance(value, list):
        return [flooded(draw, inner, word) for inner in value]
    return word if isinstance(value, str) and not draw(st.integers(0, 2)) else value


@st.composite
def bodies(draw: Draw, shape: object, echo: st.SearchStrategy[str]) -> bytes:
    """Return a JSON body of this shape with some changes, now and then in its bytes."""
    value = shape
    if draw(st.booleans()):
        value = flooded(draw, value, draw(echo | st.sampled_from(ODD_TEXTS)))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 4]))):
        value = mutated(draw, value, echo)
    body = json.dumps(value, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        body = draw(broken(body))
    return body


@st.composite
def broken(draw: Draw, body: bytes) -> bytes:
    """Cut out, double or replace a piece of the bytes."""
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 20)))
    piece = draw(st.sampled_from([b"", body[start:end] * 2, b"\x00", b"\xff", b'"', b"\\", b"}", b"]", b",", b"NaN"]))
    return body[:start] + piece + body[end:]
