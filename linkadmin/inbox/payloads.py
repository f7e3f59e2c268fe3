"""A message made safe to keep and show: every text cleaned and cut, no secret of its proof in it."""

import re
from collections.abc import Iterator
from itertools import islice

from linkadmin.links.presentation import shown_name
from linkadmin.providers.redaction import Redactor
from linkadmin.providers.strict_json import parse

MAX_NAME = 120  # characters of a name in the content
MAX_BEGINNING = 500  # characters that are kept of what cannot be read
SHOWN_LINES = 300


def cleaned(body: bytes, redactor: Redactor) -> object:
    """Return the content of a message with every text cleaned. Raises ValueError for what is not strict JSON."""
    return _clean(parse(body), redactor)


def beginning(body: bytes, redactor: Redactor) -> str:
    """Return the first characters of a message that cannot be read, cleaned."""
    return redactor.clean(body.decode("utf-8", "replace"), limit=MAX_BEGINNING)


def lines(content: object, *, see_names: bool) -> list[tuple[str, str]]:
    """Return what a content holds as pairs of path and value, such as ("data.total", "12"), at most SHOWN_LINES.

    What may be the name of a person shows as initials to those who see no names.
    """
    pairs = islice(_walk(content, ""), SHOWN_LINES)
    return [(path, shown_name(value, see_names=see_names or not _MAY_BE_NAME.search(path))) for path, value in pairs]


def _clean(value: object, redactor: Redactor) -> object:
    if isinstance(value, str):
        return redactor.clean(value)
    if isinstance(value, list):
        return [_clean(item, redactor) for item in value]
    if isinstance(value, dict):
        return {redactor.clean(name, limit=MAX_NAME): _clean(item, redactor) for name, item in value.items()}
    return value


def _walk(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _walk(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _walk(item, f"{path}[{number}]")
    else:
        yield path, _WORDS.get(str(value), str(value)) if not isinstance(value, str) else value


# The last part of a path: names of customers, accounts and owners, and what says who somebody is.
_MAY_BE_NAME = re.compile(r"(?:^|[._])(?:\w*name|document\w*|email|phone\w*|owner\w*)(?:\[\d+\])?$", re.IGNORECASE)
_WORDS = {"None": "null", "True": "true", "False": "false", "{}": "{}", "[]": "[]"}
