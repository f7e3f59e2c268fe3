"""Names and IDs of people and companies: safe to show, folded for search, isolated in the text around them."""

import re
import unicodedata

LONGEST_CUSTOMER_ID = 140  # characters; the most that any provider takes

# Controls, and marks that turn the direction of the text around them. Joiners stay: words of some scripts need them.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SPACES = re.compile(r"[\t\n\v\f\r\u2028\u2029]+")
_JOINERS = re.compile(r"[\u00ad\u200b-\u200d\u2060\ufeff]")
# Letters that have no decomposition. Unicode folds the ß by itself.
_PLAIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "þ": "th"}
)
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # PostgreSQL takes no NUL, and half a character is no text


def clean_name(text: str) -> str:
    """Return a name on one line as it is stored: composed, without controls and marks of direction."""
    return unicodedata.normalize("NFC", _UNSAFE.sub("", _SPACES.sub(" ", text))).strip()


def clean_text(text: str) -> str:
    """Return a text of several lines as it is stored."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return unicodedata.normalize("NFC", "\n".join(_UNSAFE.sub("", line.replace("\t", " ")) for line in lines))


def folded(text: str) -> str:
    """Return a text as it is searched: without case, accents and invisible joiners."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _JOINERS.sub("", _UNSAFE.sub("", bare)).translate(_PLAIN)


def masked(name: str) -> str:
    """Return the initials of a name, for those who may not see it."""
    return " ".join(f"{word[0]}•••" for word in name.split())


def isolated(text: str) -> str:
    """Return a name between marks that keep its direction to itself, for texts that can hold no markup."""
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}" if text else ""


def is_customer_id(value: object) -> bool:
    """Tell whether this can be a customer's ID: any 1 to 140 characters that can be stored, byte for byte."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_CUSTOMER_ID and not _UNSTORABLE.search(value)
