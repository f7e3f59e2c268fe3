"""Properties of the readers of untrusted text: they return or raise as specified, never anything else."""

import base64
import json
import math
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import strategies as st

from linkadmin.providers.heron.answers import rate
from linkadmin.providers.http.answer import MAX_RETRY_AFTER, Answer
from linkadmin.providers.http.redaction import MAX_WORDS, WITHHELD, Redactor
from linkadmin.providers.http.strict_json import MAX_DEPTH, parse
from linkadmin.providers.reading import count, day, moment
from linkadmin.providers.types import Secret

from .mutations import ECHOES, ODD_TEXTS, bodies, echoes, examples, for_all, texts, values
from .shapes import BELVO_REFUSALS, HERON_REFUSALS, SECRETS, SHAPES

SHAPES_OF_ALL = [body for shapes, _refusals in SHAPES.values() for shape in shapes for body in shape.bodies]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def parsed(body: bytes) -> tuple[bool, object]:
    try:
        return True, parse(body)
    except ValueError:
        return False, None


def parse_agrees_with_the_standard_library(body: bytes) -> None:
    accepted, value = parsed(body)
    if accepted:
        assert value == json.loads(body)
        assert parsed(json.dumps(value).encode()) == (True, value)
        assert json.dumps(value, allow_nan=False)


@examples(100, many=2_000)
def test_bytes_are_strict_json_or_are_rejected(examples: int) -> None:
    near = st.lists(st.sampled_from(list(b'{}[]",:\\u0d8eE+-.19tfn \n\xc3\xb1\xff\x00')), max_size=40).map(bytes)
    for_all(parse_agrees_with_the_standard_library, examples, body=st.binary(max_size=60) | near)


@examples(100, many=2_000)
def test_answers_that_were_changed_are_strict_json_or_are_rejected(examples: int) -> None:
    shapes = st.sampled_from([*SHAPES_OF_ALL, *BELVO_REFUSALS, *HERON_REFUSALS])
    changed = shapes.flatmap(lambda shape: bodies(shape, echoes(list(SECRETS.values()))))
    for_all(parse_agrees_with_the_standard_library, examples, body=changed)


def depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


def good_json_is_read(value: object) -> None:
    body = json.dumps(value).encode()
    fits = depth_of(value) <= MAX_DEPTH and all(len(number) <= 20 for number in numbers_in(value))
    assert parsed(body) == ((True, value) if fits else (False, None))


def numbers_in(value: object) -> list[str]:
    """Return the digits of all numbers, as written."""
    if isinstance(value, dict | list):
        return [text for inner in (value.values() if isinstance(value, dict) else value) for text in numbers_in(inner)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    return ["".join(filter(str.isdigit, json.dumps(value)))]


@examples(100, many=2_000)
def test_what_the_standard_library_writes_is_read(examples: int) -> None:
    for_all(good_json_is_read, examples, value=values)


def an_echo_is_withheld(secret: str, echo: Callable[[str], str], before: str, after: str) -> None:
    cleaned = Redactor([Secret("unrelated"), Secret(secret)]).clean(before + echo(secret) + after)
    assert cleaned == WITHHELD


@examples(100, many=2_000)
def test_no_way_of_writing_a_secret_gets_it_through(examples: int) -> None:
    typed = st.text("abcXYZ0189 ñüß€\"'\\/&<>+%=?#!~*()@.,;:|{}[]^`$-_", min_size=4, max_size=60)
    secrets = typed.filter(lambda text: len(text.strip()) >= 4).map(str.strip)
    around = st.sampled_from(["", " ", "value: ", "'", '"', "\n", "a", "==", "%20", "&amp;"])
    for_all(an_echo_is_withheld, examples, secret=secrets, echo=st.sampled_from(ECHOES), before=around, after=around)


def a_clean_text_is_safe(text: str, limit: int) -> None:
    cleaned = Redactor([Secret("zzzz-never-there")]).clean(text, limit=limit)
    assert len(cleaned) <= limit
    assert not [character for character in cleaned if unicodedata.category(character) in {"Cc", "Cs"}]
    assert Redactor().clean(cleaned, limit=limit) in {cleaned, cleaned.strip()}


@examples(100, many=2_000)
def test_a_cleaned_text_is_short_encodable_and_stays_as_it_is(examples: int) -> None:
    limits = st.sampled_from([1, 5, MAX_WORDS])
    for_all(a_clean_text_is_safe, examples, text=texts | st.sampled_from(ODD_TEXTS), limit=limits)


def test_a_secret_is_found_anywhere_in_a_text_that_is_cut() -> None:
    secret = "s3cret-" * 3
    for before in (0, 480, 495, 499, 520, 5_000, 40_000):
        assert Redactor([Secret(secret)]).clean("x" * before + secret + "y" * 9) == WITHHELD


def test_a_long_secret_does_not_come_through_in_part() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(bytes(range(256)) * 16).decode() + "-----END KEY-----"
    for echo in ECHOES:
        assert Redactor([Secret(key)]).clean("x" * 400 + echo(key)) == WITHHELD


def test_a_secret_of_hidden_characters_does_not_withhold_every_sentence() -> None:
    assert Redactor([Secret("\u200b" * 9), Secret("a\x00\x00\x00\x00b")]).clean("about all") == "about all"


def a_moment_can_be_shown_anywhere(value: object) -> None:
    at = moment(value)
    if at is None:
        return
    assert at.tzinfo is UTC
    for hours in (-23, 0, 23):
        assert at.astimezone(timezone(timedelta(hours=hours)))
    assert isinstance(day(value), date)


@examples(100, many=2_000)
def test_a_moment_is_a_time_or_nothing(examples: int) -> None:
    pieces = [
        "0000",
        "0001",
        "1969",
        "2026",
        "9999",
        "-",
        "02",
        "29",
        "30",
        "T",
        " ",
        "23:59:59",
        ".123456789",
        "Z",
        "W",
    ]
    parts = st.sampled_from([*pieces, "+24:00", "-23:59"])
    near = st.lists(parts, max_size=9).map("".join)
    whole = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), None])).map(datetime.isoformat)
    for_all(a_moment_can_be_shown_anywhere, examples, value=near | whole | values)


@pytest.mark.parametrize(
    "never", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"]
)
def test_a_year_that_stands_for_never_is_no_moment(never: str) -> None:
    assert moment(never) is None
    assert day(never) is None


def a_count_is_small_and_whole(value: object) -> None:
    found = count(value)
    if found is not None:
        assert type(found) is int
        assert 0 <= found <= 10**12
        assert not isinstance(value, bool)
        assert math.floor(float(value)) == found  # type: ignore[arg-type]


@examples(100, many=2_000)
def test_a_count_is_a_whole_number_or_nothing(examples: int) -> None:
    digits = st.text("0123456789 +-.e_\u0663\xb2", max_size=25)
    for_all(a_count_is_small_and_whole, examples, value=digits | st.integers() | values)


def answer_with(**headers: str) -> Answer:
    names = {name.replace("_", "-"): said for name, said in headers.items()}
    return Answer(429, names, data=None, readable=True, duration_ms=1, received_at=NOW)


def a_pause_is_bounded(retry_after: str, reset: str, left: str) -> None:
    answer = answer_with(
        retry_after=retry_after, x_ratelimit_reset=reset, x_ratelimit_limit="100", x_ratelimit_remaining=left
    )
    assert answer.retry_after is None or 0 <= answer.retry_after <= MAX_RETRY_AFTER
    told = rate("read_link", answer)
    assert told is None or (1 <= told.ends_in <= MAX_RETRY_AFTER and told.left >= 0)


@examples(100, many=2_000)
def test_a_pause_that_is_requested_is_bounded_or_nothing(examples: int) -> None:
    words = ["Fri", ",", " ", "31", "Feb", "Dec", "2026", "99", "23:59:59", "24:00", "GMT", "-0000", "+9999", "+", ":"]
    dates = st.lists(st.sampled_from([*words, "9" * 25]), max_size=12).map("".join)
    numbers = st.text("0123456789-+.eE_ \xb2\xb9", max_size=30)
    anything = st.text("".join(map(chr, range(32, 256))), max_size=40)
    said = dates | numbers | anything
    for_all(a_pause_is_bounded, examples, retry_after=said, reset=numbers | anything, left=numbers)


@pytest.mark.parametrize("year", ["99999", "9" * 20, "9" * 5_000])
def test_a_pause_until_an_impossible_year_is_none(year: str) -> None:
    assert answer_with(retry_after=f"Fri, 31 Dec {year} 23:59:59 GMT").retry_after is None


@pytest.mark.parametrize("seconds", [0, 1, 60, 899])
def test_a_pause_is_read_as_seconds_and_as_a_date(seconds: int) -> None:
    at = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert answer_with(retry_after=str(seconds)).retry_after == seconds
    assert answer_with(retry_after=at).retry_after == seconds
