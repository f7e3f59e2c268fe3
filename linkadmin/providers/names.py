"""Names and IDs of people and companies: safe to show, normalized for search, isolated from surrounding text."""

import re
import unicodedata

LONGEST_CUSTOMER_ID = 140  # characters, the most that any provider accepts

# Control characters and direction marks. Joiners stay: some scripts need them.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SPACES = re.compile(r"[\t\n\v\f\r\u2028\u2029]+")
_JOINERS = re.compile(r"[\u00ad\u200b-\u200d\u2060\ufeff]")
# Letters without a decomposition. Case folding handles ß.
_PLAIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "þ": "th"}
)
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # PostgreSQL can't store NUL or lone surrogates


def clean_name(text: str) -> str:
    return unicodedata.normalize("NFC", _UNSAFE.sub("", _SPACES.sub(" ", text))).strip()


def clean_text(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return unicodedata.normalize("NFC", "\n".join(_UNSAFE.sub("", line.replace("\t", " ")) for line in lines))


def folded(text: str) -> str:
    """Fold a text for search: no case, accents or invisible joiners."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _JOINERS.sub("", _UNSAFE.sub("", bare)).translate(_PLAIN)


def masked(name: str) -> str:
    """For readers who may not see names."""
    return " ".join(f"{word[0]}•••" for word in name.split())


def isolated(text: str) -> str:
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}" if text else ""


def without_isolates(text: str) -> str:
    """Undo `isolated`, wherever it was in a text: for readers that aren't people."""
    return text.replace("\N{FIRST STRONG ISOLATE}", "").replace("\N{POP DIRECTIONAL ISOLATE}", "")


def term_in_words(term: str) -> str:
    """A term of a provider's API, such as RISK_INSIGHTS, as people write it."""
    return term.replace("_", " ").capitalize()


def is_customer_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_CUSTOMER_ID and not _UNSTORABLE.search(value)
