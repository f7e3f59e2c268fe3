"""Unique secret values to type, and the search for them in everything that could have stored them."""

import base64
import secrets
import string
from collections.abc import Iterator, Mapping

# Each of these is escaped differently in HTML, JSON, URLs or shells.
AWKWARD = "\"'<&>%+/\\ é"


class Canaries:
    """All values typed so far. Each has a random core that survives any encoding of the rest. The core starts with a
    mark that all values share, for a quick first search. The rest of it identifies the value."""

    def __init__(self) -> None:
        self._mark = _random(8)
        self._labels: dict[str, str] = {}  # core -> where it was typed

    def long(self, label: str) -> str:
        """A value like one from a password manager."""
        return f"CANARY-{label}-{self.short(label)}{AWKWARD}"

    def plain(self, label: str) -> str:
        """A value of letters, digits and dashes, for headers and IDs."""
        return f"CANARY-{label}-{self.short(label)}"

    def short(self, label: str) -> str:
        """A value of 16 letters and digits, which the strictest bank accepts."""
        core = self._mark + _random(8)
        self._labels[core] = label
        return core

    def found_in(self, places: Mapping[str, bytes]) -> list[str]:
        """Return which values are in which places, in any common encoding."""
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
    # In a longer text it starts at one of three offsets; only its whole characters are certain.
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + text.encode())
        yield encoded[-(-offset * 8 // 6) : (offset + len(text)) * 8 // 6]
