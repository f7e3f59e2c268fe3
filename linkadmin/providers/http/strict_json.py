"""Parses untrusted JSON strictly: anything ambiguous is an error, and the error contains none of it."""

import json
import math
from typing import NoReturn

MAX_DEPTH = 32
MAX_DIGITS = 20
# Commas and opening brackets, at least one per value: 1 MB of "[[[[" would take 40 MB of memory.
MAX_ITEMS = 30_000


def parse(body: bytes) -> object:
    """Raises ValueError, without context, if it isn't strict JSON."""
    try:
        value = _decoder.decode(body.decode("utf-8")) if _items(body) <= MAX_ITEMS else _REFUSED
    except (ValueError, RecursionError):
        value = _REFUSED
    # Raised here because the decoder's own error contains the whole document.
    if value is _REFUSED or _depth(value) > MAX_DEPTH:
        raise ValueError("the answer is not strict JSON")
    return value


_REFUSED = object()


def _items(body: bytes) -> int:
    return sum(map(body.count, (b",", b"[", b"{")))


def _integer(digits: str) -> int:
    _check_digits(digits)
    return int(digits)


def _number(digits: str) -> float:
    _check_digits(digits)
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


def _check_digits(text: str) -> None:
    if sum(character.isdigit() for character in text) > MAX_DIGITS:
        raise ValueError("number too long")


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice")
    return result


_decoder = json.JSONDecoder(
    parse_int=_integer, parse_float=_number, parse_constant=_constant, object_pairs_hook=_object
)


def _depth(value: object) -> int:
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += bool(containers)
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]
        if not containers:
            break
    return depth
