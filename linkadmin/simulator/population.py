"""A population of any size that nobody stores: each record is worked out from the seed and its number when asked for.

Number 0 is the oldest. A number hides in its id and is found in it again, so that a detail, a list of ids and the links
of one person cost the same in a world of ten links and of ten million.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import shake_128
from itertools import accumulate, compress, pairwise

from .clock import iso

DAY = 86_400  # seconds
SPAN = 730 * DAY  # seconds from the oldest record to the newest
LARGEST = 100_000_000  # links of one provider
BLOCK = 4096  # numbers whose draws are made together
KEPT_BLOCKS = 256  # of each column: one byte a number, so a million numbers need a megabyte
_DRAWS = 1 << 16  # what one draw can be


@dataclass(frozen=True, slots=True)
class Population:
    """How many generated links there are, and the seed they follow. Raises ValueError for a size out of bounds."""

    seed: int = 1
    belvo_links: int = 0
    heron_links: int = 0
    until: float | None = None  # when the newest was made (seconds since 1970); None: today's first moment, UTC

    def __post_init__(self) -> None:
        for size in (self.belvo_links, self.heron_links):
            if not 0 <= size <= LARGEST:
                raise ValueError(f"a population has from 0 to {LARGEST} links of each provider")

    @property
    def anybody(self) -> bool:
        return bool(self.belvo_links or self.heron_links)


NOBODY = Population()


class Permutation:
    """A keyed one-to-one map of all numbers below 2**bits onto themselves."""

    def __init__(self, seed: int, purpose: str, bits: int) -> None:
        size = 1 << bits
        drawn = shake_128(f"{seed}/{purpose}".encode()).digest(96)
        first, second, self._offset = (int.from_bytes(drawn[at : at + 32]) % size for at in (0, 32, 64))
        self._first, self._second = first | 1, second | 1  # odd, and so invertible
        self._first_back, self._second_back = pow(self._first, -1, size), pow(self._second, -1, size)
        self._mask, self._half = size - 1, (bits + 1) // 2

    def hide(self, number: int) -> int:
        mixed = (number * self._first + self._offset) & self._mask
        return ((mixed ^ mixed >> self._half) * self._second) & self._mask

    def find(self, hidden: int) -> int:
        mixed = (hidden * self._second_back) & self._mask
        return (((mixed ^ mixed >> self._half) - self._offset) * self._first_back) & self._mask


class Timeline:
    """When each record was made: evenly over the span, a little off the beat, and never two out of order."""

    def __init__(self, seed: int, size: int, until: float) -> None:
        self._size = size
        self._key = seed
        self._start = round((until - SPAN) * 1_000_000)  # microseconds

    def moment(self, number: int) -> float:
        """Return when the record was made, in seconds since 1970."""
        off = (number * 0x9E3779B1 + self._key >> 7) & 0xFFFF
        return (self._start + ((number << 16) + off) * (SPAN * 1_000_000) // (self._size << 16)) / 1_000_000

    def text(self, number: int) -> str:
        return iso(self.moment(number))

    def before(self, text: str) -> int:
        """Count the records made before an ISO moment."""
        return bisect_left(range(self._size), text, key=self.text)

    def span(self, begins: Callable[[str], bool], ends: Callable[[str], bool]) -> range:
        """Return the records from the first moment at which one thing is true to that at which the other is."""
        begin, end = (bisect_left(range(self._size), True, key=lambda n: test(self.text(n))) for test in (begins, ends))
        return range(begin, max(begin, end))


def spread(seed: int, number: int) -> float:
    """Return where a record stands between none and all of something, from 0 to 1."""
    return (number * 0x85EBCA77 + seed >> 5 & 0xFFFF) / 0x10000


def wheel(shares: Sequence[float]) -> bytes:
    """Lay shares out over all draws: the index of a share for each draw. The shares need not add up to one."""
    ends = [round(end / sum(shares) * _DRAWS) for end in accumulate(shares)]
    return b"".join(bytes((index,)) * (end - begin) for index, (begin, end) in enumerate(pairwise((0, *ends))))


def draws(seed: int, purpose: str, block: int) -> "array[int]":
    """Draw a number below 65,536 for each record of a block."""
    drawn = array("H", shake_128(f"{seed}/{purpose}/{block}".encode()).digest(2 * BLOCK))
    if sys.byteorder == "big":
        drawn.byteswap()
    return drawn


class Column:
    """One small fact of every record, as a code below 256."""

    def __init__(self, make: Callable[[int], bytes]) -> None:
        self.block = lru_cache(KEPT_BLOCKS)(make)

    def __getitem__(self, number: int) -> int:
        return self.block(number // BLOCK)[number % BLOCK]


def chances(seed: int, purpose: str, shares: Sequence[float]) -> Column:
    """Make a column that follows nothing but chance."""
    turn = wheel(shares).__getitem__
    return Column(lambda block: bytes(map(turn, draws(seed, purpose, block))))


def passing(span: range, columns: Sequence[tuple[Column, Container[int]]]) -> Iterator[int]:
    """Walk the numbers of a span whose codes are all among the wanted ones."""
    tables = [(column, bytes(code in wanted for code in range(256))) for column, wanted in columns]
    for block in range(span.start // BLOCK, -(-span.stop // BLOCK)):
        begin, end = max(span.start, block * BLOCK), min(span.stop, (block + 1) * BLOCK)
        masks = [column.block(block)[begin % BLOCK :].translate(table) for column, table in tables]
        yield from compress(range(begin, end), map(all, zip(*masks, strict=True)))


def person_of(number: int) -> int:
    """Return whose link this is: seven persons have ten links."""
    return number * 7 // 10


def links_of(person: int, size: int) -> range:
    """Return the numbers of a person's links, one or two of them."""
    return range(-(-person * 10 // 7), min(size, -(-(person + 1) * 10 // 7)))


def persons(size: int) -> int:
    """Return how many persons have that many links."""
    return person_of(size - 1) + 1 if size else 0


class Persons:
    """The ids of persons, the same ones at both providers."""

    def __init__(self, seed: int) -> None:
        self._ids = Permutation(seed, "person", 40)

    def key(self, person: int) -> str:
        return f"customer-{self._ids.hide(person):010x}"

    def number(self, key: str) -> int | None:
        hidden = hexadecimal(key.removeprefix("customer-"), 10) if key.startswith("customer-") else None
        return None if hidden is None else self._ids.find(hidden)


def hexadecimal(text: str, length: int) -> int | None:
    """Read a number written by us in lower case; None for any other text."""
    return int(text, 16) if len(text) == length and not set(text) - set("0123456789abcdef") else None
