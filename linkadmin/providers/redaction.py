"""Makes a provider's words safe to store, log and show."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from .types import Secret

MAX_WORDS = 500  # characters
WITHHELD = "withheld"

# Shorter ones occur in innocent sentences.
_MIN_SECRET = 4
_MIN_BASE64 = 5
_SPACES = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# Control characters, marks that reverse or hide text, and halves of a character.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class Redactor:
    """Cleans the texts of one answer: the forms in which a secret could come back are worked out once."""

    __slots__ = ("_exact", "_folded")

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        values = [value for secret in secrets if len(value := secret.reveal().strip()) >= _MIN_SECRET]
        self._folded = frozenset(form.casefold() for value in values for form in _readable_forms(value))
        self._exact = frozenset(
            form for value in values for form in _base64_forms(value.encode("utf-8", "surrogatepass"))
        )

    def __repr__(self) -> str:
        return "<redactor>"

    def clean(self, text: str, *, limit: int = MAX_WORDS) -> str:
        """Return a text without dangerous characters, cut at `limit` characters; withheld if it echoes a secret."""
        safe = _UNSAFE.sub("", _SPACES.sub(" ", text)).strip()
        return WITHHELD if self._echoes(text) or self._echoes(safe) else safe[:limit]

    def _echoes(self, text: str) -> bool:
        folded = text.casefold()
        return any(form in folded for form in self._folded) or any(form in text for form in self._exact)


def clean(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Clean one text."""
    return Redactor(secrets).clean(text)


def _readable_forms(value: str) -> Iterator[str]:
    octets = value.encode("utf-8", "surrogatepass")
    yield value
    yield quote(octets, safe="")
    yield quote_plus(octets)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    yield octets.hex()


def _base64_forms(octets: bytes) -> Iterator[str]:
    # Inside a longer text a value begins at one of three places; only whole characters of it are certain.
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + octets).decode()
        first = -(-offset * 8 // 6)
        core = encoded[first : (offset + len(octets)) * 8 // 6]
        if len(core) >= _MIN_BASE64:
            yield core
            yield core.translate(str.maketrans("+/", "-_"))
