"""Bodies that are almost JSON, or too large, over a real socket."""

import json
from collections.abc import Callable

import pytest

from linkadmin.providers.errors import OutcomeUnknown, Rejected
from linkadmin.providers.http.strict_json import MAX_ITEMS

from .conftest import Script, belvo_at, reply
from .faults import GOOD_LINK, LINK, change, suffer

Serve = Callable[..., Script]

GOOD = json.dumps(GOOD_LINK).encode()
ROOM = 1024 * 1024  # bytes, our size limit


def extended(member: bytes) -> bytes:
    """A valid link with one more key."""
    return GOOD[:-1] + b"," + member + b"}"


def filled(item: bytes) -> bytes:
    """A valid link with a list as long as our size limit allows."""
    return extended(b'"more":[' + (item + b",") * ((ROOM - 200) // (len(item) + 1)) + item + b"]")


SYNTAX = {
    "blanks": b" \r\n\t",
    "half": GOOD[:-10],
    "without its brace": GOOD[:-1],
    "followed by a word": GOOD + b"x",
    "followed by another": GOOD + b"\n" + GOOD,
    "followed by NUL": GOOD + b"\x00",
    "single quotes": GOOD.replace(b'"', b"'"),
    "a comment": GOOD + b"// fine",
    "a comment inside": extended(b'"a":/* one */1'),
    "a comma too much": GOOD[:-1] + b",}",
    "a comma too much in a list": extended(b'"a":[1,]'),
    "a comma too few": GOOD.replace(b", ", b" "),
    "a name without quotes": extended(b"a:1"),
    "a prefix against script": b")]}'," + GOOD,
    "a call": b"callback(" + GOOD + b")",
    "lines of objects": b"\n".join([GOOD] * 3),
    "a hexadecimal number": extended(b'"a":0x1F'),
    "a number with a leading zero": extended(b'"a":007'),
    "a number with a plus": extended(b'"a":+1'),
    "a number that ends in a point": extended(b'"a":1.'),
    "True": extended(b'"a":True'),
    "undefined": extended(b'"a":undefined'),
    "an unknown escape": extended(b'"a":"\\x41"'),
    "half an escape": extended(b'"a":"\\u12"'),
    "a line break in a text": extended(b'"a":"one\ntwo"'),
    "a control character in a text": extended(b'"a":"\x1b[31m"'),
    "NUL in a text": extended(b'"a":"\x00"'),
    "NUL outside": b"\x00" + GOOD,
}

VALUES = {
    "NaN": extended(b'"a":NaN'),
    "Infinity": extended(b'"a":Infinity'),
    "-Infinity": extended(b'"a":-Infinity'),
    "a number beyond all": extended(b'"a":1e400'),
    "a number of 21 digits": extended(b'"a":' + b"1" * 21),
    "a number of a million digits": extended(b'"a":' + b"1" * 1_000_000),
    "an exponent of 30 digits": extended(b'"a":1e' + b"0" * 29 + b"1"),
    "a key twice": extended(b'"id":"another"'),
    "a key twice, once escaped": extended(b'"\\u0069d":"another"'),
    "a key twice, deeper": extended(b'"a":[{"b":{"c":1,"c":2}}]'),
    "33 levels": extended(b'"a":' + b"[" * 32 + b"]" * 32),
    "33 levels of objects": extended(b'"a":' + b'{"a":' * 32 + b"1" + b"}" * 32),
    "10,000 levels": extended(b'"a":' + b"[" * 10_000 + b"]" * 10_000),
    "500,000 levels without end": b"[" * 500_000,
    "100,000 levels of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
}

ENCODINGS = {
    "Latin-1": extended('"a":"ñ"'.encode("latin-1")),
    "an overlong slash": extended(b'"a":"\xc0\xaf"'),
    "half a surrogate pair": extended(b'"a":"\xed\xa0\x80"'),
    "half a character": GOOD[:-1] + b"\xe2\x82",
    "beyond Unicode": extended(b'"a":"\xf4\x90\x80\x80"'),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-7": b"+AHs-" + GOOD[1:],
}

TOO_MUCH = {
    "empty objects": filled(b"{}"),
    "empty lists": filled(b"[]"),
    "small objects": filled(b'{"a":1}'),
    "small objects of all sorts": filled(b'{"abcdef":"ghi"}'),
    "chains of lists": filled(b"[" * 28 + b"]" * 28),
    "chains of objects": filled(b'{"a":' * 28 + b"1" + b"}" * 28),
    "numbers": filled(b"1.5"),
    "texts": filled(b'"ab"'),
}

SCALARS = {"null": b"null", "a number": b"5", "a text": b'"valid"', "true": b"true", "a list": b"[" + GOOD + b"]"}

BROKEN = SYNTAX | VALUES | ENCODINGS | TOO_MUCH


@pytest.mark.parametrize("body", (BROKEN | SCALARS).values(), ids=(BROKEN | SCALARS).keys())
def test_a_success_that_cannot_be_read_leaves_the_outcome_open(serve: Serve, body: bytes) -> None:
    url = serve(reply(200, body)).url
    ending = suffer(lambda: change(url, seconds=60), within=60)
    assert type(ending.error) is OutcomeUnknown
    assert (ending.error.failure.status, ending.error.failure.reason) == (200, "unreadable")


@pytest.mark.parametrize("kind", ["half", "10,000 levels", "UTF-16", "numbers"])
def test_a_rejection_that_cannot_be_read_is_a_rejection(serve: Serve, kind: str) -> None:
    url = serve(reply(400, BROKEN[kind])).url
    error = suffer(lambda: change(url, seconds=60), within=60).error
    assert type(error) is Rejected
    assert error.failure.status == 400


LONG = b"k" * (ROOM - 500)
WIDE = b"k" * (ROOM - 500) + "\N{GRINNING FACE}".encode()  # each character takes four bytes in memory

LARGE = {
    "a long key": extended(b'"' + LONG + b'":1'),
    "a long key of wide characters": extended(b'"' + WIDE + b'":1'),
    "a long text": extended(b'"a":"' + LONG + b'"'),
    "as many values as may be": extended(b'"a":[' + b",".join([b'{"%05x":"%05x"}'] * (MAX_ITEMS // 2 - 5)) + b"]"),
}


@pytest.mark.parametrize("body", LARGE.values(), ids=LARGE.keys())
def test_an_answer_as_large_as_may_be_is_read_within_bounds(serve: Serve, body: bytes) -> None:
    numbered = body % tuple(range(body.count(b"%05x"))) if b"%05x" in body else body
    script = serve(reply(200, numbered), reply(404, numbered))
    change(script.url, seconds=60)
    suffer(lambda: change(script.url, seconds=60), within=60)


WORDS = {
    "plain": LONG,
    "wide": WIDE,
    "with control characters": b"\\u0081k" * (ROOM // 8) + WIDE[-4:],
    "with escapes of URLs": b"%41" * (ROOM // 4) + WIDE[-4:],
    "with escapes of HTML": b"&#65;" * (ROOM // 6) + WIDE[-4:],
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())
def test_a_rejection_with_a_megabyte_of_words_is_cleaned_within_bounds(serve: Serve, words: bytes) -> None:
    url = serve(reply(400, b'[{"code":"login_error","message":"' + words + b'"}]')).url
    error = suffer(lambda: change(url, seconds=60), within=60).error
    assert 0 < len(error.failure.words) <= 500


@pytest.mark.parametrize("odd", ["\\ud800", "\\udc00\\ud800", "\\u0000", "\\u202e"])
def test_odd_characters_that_json_allows_are_read_and_cleaned(serve: Serve, odd: str) -> None:
    body = GOOD.replace(b'"valid"', f'"va{odd}lid"'.encode())
    link = belvo_at(serve(reply(200, body)).url, read=3).read_link(LINK)
    assert link.observation.raw_status == "valid"
