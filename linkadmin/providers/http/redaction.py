"""Makes a provider's text safe to store, log and show."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from linkadmin.providers.names import clean_name
from linkadmin.providers.types import Secret

MAX_WORDS = 500  # characters
WITHHELD = "withheld"

# Shorter ones occur in ordinary sentences.
_MIN_SECRET = 4
_MIN_BASE64 = 5
_MIN_IN_ID = 8  # 1 in 200 million random IDs contains 8 given digits; 1 in 2,000 a given PIN
_LOOKED_AT = 50_000  # characters checked in a longer text, or twice the limit
_MAX_WIDE = 200_000  # characters; folding them takes twelve bytes for each
_MAX_ESCAPES = 1_000  # of URLs and HTML; undoing them takes a copy of each
_SPACES = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# Control characters, marks that reverse or hide text, and lone surrogates.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Redactor:
    """Cleans the texts of one response. Computes once in which forms a secret could be echoed."""

    __slots__ = ("_exact", "_folded")

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        values = [value for secret in secrets if len(value := secret.reveal().strip()) >= _MIN_SECRET]
        forms = [form for value in values for form in _readable_forms(value) if len(form) >= _MIN_SECRET]
        self._folded = frozenset(map(str.casefold, forms))
        self._exact = frozenset(
            form for value in values for form in _base64_forms(value.encode("utf-8", "surrogatepass"))
        )

    def __repr__(self) -> str:
        return "<redactor>"

    def for_answer(self, texts: str) -> "Redactor":
        """Return a redactor for a response whose texts all occur in `texts`: without secrets if it echoes none.

        One search through a long list costs a fraction of a search in each of its texts.
        """
        return self if self._may_echo(texts) else NO_SECRETS

    def clean(self, text: str, *, limit: int = MAX_WORDS) -> str:
        text = text[: max(_LOOKED_AT, 2 * limit)]
        safe = _safe(text)
        return WITHHELD if self._echoes(text) or self._echoes(safe) else safe[:limit]

    def is_secret(self, text: str) -> bool:
        if not self._folded:
            return False
        bare = text.casefold().replace("-", "")
        return text in self._exact or any(bare == form.replace("-", "") for form in self._folded)

    def echoes_in_id(self, text: str) -> bool:
        """Whether an ID contains more of a secret than chance explains, in any form, ignoring dashes."""
        if not self._folded:
            return False
        bare = text.casefold().replace("-", "")
        forms = (form.replace("-", "") for form in self._folded)
        return any(form in bare for form in forms if len(form) >= _MIN_IN_ID) or self.is_secret(text)

    def name(self, text: str, *, limit: int = MAX_WORDS) -> str:
        return WITHHELD if self.clean(text, limit=limit) == WITHHELD else clean_name(text[:_LOOKED_AT])[:limit]

    def echoes(self, text: str) -> bool:
        return self._echoes(text) or self._echoes(_safe(text))

    def _may_echo(self, texts: str) -> bool:
        if not _is_searchable(texts):
            return True
        bare = texts.casefold().replace("-", "")
        is_in_id = any(form.replace("-", "") in bare for form in self._folded)
        return is_in_id or self._echoes(texts) or (not texts.isprintable() and self._echoes(_safe(texts)))

    def _echoes(self, text: str) -> bool:
        return bool(self._folded) and any(map(self._holds, _readings(text)))

    def _holds(self, text: str) -> bool:
        folded = text.casefold()
        return any(form in folded for form in self._folded) or any(form in text for form in self._exact)


NO_SECRETS = Redactor()


def clean(text: str, secrets: Iterable[Secret] = ()) -> str:
    return Redactor(secrets).clean(text)


def _safe(text: str) -> str:
    if text.isprintable():  # all that is unsafe isn't
        return text.strip()
    return _UNSAFE.sub("", _SPACES.sub(" ", text)).strip()


def _is_searchable(texts: str) -> bool:
    """Whether texts can be searched all at once: within bounded memory, and without escapes that span two texts."""
    is_narrow = texts.isascii() or len(texts) <= _MAX_WIDE
    return is_narrow and "\\" not in texts and texts.count("%") + texts.count("&") <= _MAX_ESCAPES


def _readings(text: str) -> Iterator[str]:
    # Programs differ in which characters they escape.
    yield text
    if "%" in text:
        yield unquote(text)
    if "%" in text or "+" in text:
        yield unquote_plus(text)
    if "&" in text:
        yield html.unescape(text)
    if "\\" in text:
        yield _ESCAPE.sub(_unescaped, text)


def _unescaped(escape: re.Match[str]) -> str:
    code, letter = escape.groups()
    return chr(int(code, 16)) if code else _LETTERS.get(letter, letter)


def _readable_forms(value: str) -> Iterator[str]:
    octets = value.encode("utf-8", "surrogatepass")
    yield value
    yield _safe(value)
    yield quote(octets, safe="")
    yield quote_plus(octets)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    yield octets.hex()


def _base64_forms(octets: bytes) -> Iterator[str]:
    # In longer base64, a value starts at one of three offsets; only its complete characters are certain.
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + octets).decode()
        first = -(-offset * 8 // 6)
        core = encoded[first : (offset + len(octets)) * 8 // 6]
        if len(core) >= _MIN_BASE64:
            yield core
            yield core.translate(str.maketrans("+/", "-_"))
