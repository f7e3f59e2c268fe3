"""Only strict JSON is accepted."""

import pytest

from linkadmin.providers.http.strict_json import parse

REFUSED = {
    "nothing": b"",
    "half an object": b'{"a": 1',
    "two values": b"{} {}",
    "single quotes": b"{'a': 1}",
    "comment": b"{} // yes",
    "trailing comma": b"[1,]",
    "NaN": b"[NaN]",
    "Infinity": b"[-Infinity]",
    "out of range": b"[1e999]",
    "21 digits": b"[123456789012345678901]",
    "21 digits after the point": b"[0.12345678901234567890]",
    "a key twice": b'{"id": 1, "id": 2}',
    "a key twice, deeper": b'[{"a": {"id": 1, "i\\u0064": 2}}]',
    "33 levels": b"[" * 33 + b"]" * 33,
    "a hundred thousand levels": b"[" * 100_000 + b"]" * 100_000,
    "levels of objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "Latin-1": '{"a": "ñ"}'.encode("latin-1"),
    "overlong UTF-8": b'["\xc0\xaf"]',
    "surrogate in UTF-8": b'["\xed\xa0\x80"]',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NUL in a text": b'["a\x00b"]',
    "too many values": b"[" + b"[]," * 150_000 + b"1]",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_doubtful_json_is_rejected_without_a_trace(body: bytes) -> None:
    with pytest.raises(ValueError, match="not strict JSON") as caught:
        parse(body)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, null, true, "\\u00f1"]}', {"a": [1, 2.5, None, True, "ñ"]}),
        (b"[[[" + b"]]]", [[[]]]),
        (b"12345678901234567890", 12345678901234567890),
        ('"ñ ✓"'.encode(), "ñ ✓"),
    ],
)
def test_strict_json_is_read(body: bytes, value: object) -> None:
    assert parse(body) == value


def test_thirty_two_levels_are_read() -> None:
    assert parse(b"[" * 32 + b"]" * 32)
