"""Makes payloads safe to store and show: texts are cleaned and cut, signing secrets removed."""

import json
import re
from collections.abc import Iterator
from itertools import islice

from linkadmin.providers.deliveries import SHOWN_KEYS, SHOWN_KEYS_WITH_NAMES
from linkadmin.providers.http.redaction import NO_SECRETS, Redactor
from linkadmin.providers.http.strict_json import parse

MAX_NAME = 120  # characters of a key
SHOWN_LINES = 300
MAX_COUNTED = 10_000_000  # larger numbers may be account, ID or phone numbers


def cleaned(body: bytes, redactor: Redactor) -> str:
    """Return a payload as JSON with every text cleaned. Raises ValueError unless it's strict JSON."""
    payload, text = parse(body), body.decode()
    needed = redactor.for_answer(text)
    if needed is NO_SECRETS and text.isprintable() and not _UNFIT.search(text):
        return text  # nothing to clean: checking every text would take longer than storing the payload
    return json.dumps(_clean(payload, needed))


def lines(content: object, *, see_names: bool) -> list[tuple[str, str]]:
    """Return a payload as (path, value) pairs, such as ("data.total", "12"), at most SHOWN_LINES.

    Only values under allowed keys are shown; readers who may see names have a longer list. All others are masked, and
    so are keys that don't look like field names: they may be values themselves.
    """
    return list(
        islice(_walk(content, "", SHOWN_KEYS | SHOWN_KEYS_WITH_NAMES if see_names else SHOWN_KEYS), SHOWN_LINES)
    )


def _clean(value: object, redactor: Redactor) -> object:
    if isinstance(value, str):
        return redactor.clean(value)
    if isinstance(value, list):
        return [_clean(item, redactor) for item in value]
    if isinstance(value, dict):
        return {redactor.clean(name, limit=MAX_NAME): _clean(item, redactor) for name, item in value.items()}
    return value


def _walk(value: object, path: str, shown: frozenset[str], key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            step = name if _FIELD.fullmatch(name) else MASK
            yield from _walk(item, f"{path}.{step}" if path else step, shown, name)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _walk(item, f"{path}[{number}]", shown, key)
    elif isinstance(value, dict | list) or value is None:
        yield path, _EMPTY.get(str(value), "")
    else:
        is_count = isinstance(value, int) and abs(value) < MAX_COUNTED and _COUNT.fullmatch(key)
        yield path, str(value) if is_count or key in shown else MASK


MASK = "•••"
_FIELD = re.compile(r"[a-z_][A-Za-z0-9_-]{0,59}")  # providers' fields never start with a capital; names do
_COUNT = re.compile(r"(?:total|new)(?:_[a-z_]+)?")
# Escapes, long texts, and numbers with an exponent that PostgreSQL can't hold or would write out.
_UNFIT = re.compile(rf'\\|"[^"]{{{MAX_NAME + 1},}}"|[0-9][eE][-+]?[0-9]{{3}}')
_EMPTY = {"None": "null", "{}": "{}", "[]": "[]"}
