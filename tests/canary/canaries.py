"""Values that are typed as secrets, and the search for them in everything that could have kept them."""

import base64
import secrets
import string
from collections.abc import Iterator, Mapping

# Each of these is written differently in HTML, JSON, a URL or a shell.
AWKWARD = "\"'<&>%+/\\ é"


class Canaries:
    """All values typed so far. Each has a random core that no encoding of the rest can hide: a mark shared by all of
    them, which makes the search quick, and an end of its own, which tells what was found."""

    def __init__(self) -> None:
        self._mark = _random(8)
        self._labels: dict[str, str] = {}  # core -> where it was typed

    def long(self, label: str) -> str:
        """Make a value as a password manager might."""
        return f"CANARY-{label}-{self.short(label)}{AWKWARD}"

    def plain(self, label: str) -> str:
        """Make a value of letters, digits and dashes, for what is sent in a header or compared as an id."""
        return f"CANARY-{label}-{self.short(label)}"

    def short(self, label: str) -> str:
        """Make a value of 16 letters and digits, which the pickiest bank accepts."""
        core = self._mark + _random(8)
        self._labels[core] = label
        return core

    def found_in(self, places: Mapping[str, bytes]) -> list[str]:
        """Say which values are in which places, in any of the forms a program writes a text in."""
        marked = {name: data for name, data in places.items() if _holds(data, self._mark)}
        return sorted({f"{label} in {name}" for name, data in marked.items() for label in self._labels_in(data)})

    def _labels_in(self, data: bytes) -> set[str]:
        return {label for core, label in self._labels.items() if _holds(data, core)} or {"part of a value"}


def _random(length: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))


def _holds(data: bytes, text: str) -> bool:
    folded = data.lower()
    return any(form in folded for form in _folded_forms(text)) or any(form in data for form in _base64_forms(text))


def _folded_forms(text: str) -> Iterator[bytes]:
    yield text.encode()
    yield text.encode().hex().encode()
    yield text.encode("utf-16-le")
    yield "".join(f"%{byte:02x}" for byte in text.encode()).encode()
    yield "".join(f"\\u{ord(letter):04x}" for letter in text).encode()


def _base64_forms(text: str) -> Iterator[bytes]:
    # In a longer text it begins at one of three places; only whole characters of it are certain.
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + text.encode())
        yield encoded[-(-offset * 8 // 6) : (offset + len(text)) * 8 // 6]
