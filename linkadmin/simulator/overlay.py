"""Generated records under the kept ones: what a call changes is kept from then on, and what it removes stays away."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

Record = TypeVar("Record")
Record_co = TypeVar("Record_co", covariant=True)


class Crowd(Protocol[Record_co]):
    """Records worked out from their numbers, which begin at 0 with the oldest."""

    size: int

    def key(self, number: int) -> str: ...
    def number(self, key: str) -> int | None: ...
    def record(self, number: int) -> Record_co: ...
    def before(self, text: str) -> int: ...


class Overlay(Generic[Record]):
    """The records of one kind. Those in `taken` are not generated any more: they are kept, or gone."""

    def __init__(self, crowd: Crowd[Record], kept: dict[str, Record]) -> None:
        self._crowd = crowd
        self._kept = kept
        self.taken: dict[int, str] = {}  # their keys
        self._numbers: dict[str, int] = {}  # and back

    def find(self, key: str) -> Record | None:
        """Look a record up. To change it, take it."""
        number = None if key in self._kept else self._crowd.number(key)
        return self._kept.get(key) if number is None else self.at(number)

    def at(self, number: int) -> Record | None:
        """Look up what has this number; None when it is gone."""
        return self._kept.get(self.taken[number]) if number in self.taken else self._crowd.record(number)

    def take(self, key: str) -> Record | None:
        """Look a record up and keep it from now on."""
        number = None if key in self._kept else self._crowd.number(key)
        if number is None:
            return self._kept.get(key)
        if number not in self.taken:
            self.keep(self._crowd.key(number), self._crowd.record(number))
        return self._kept.get(self.taken[number])

    def keep(self, key: str, record: Record) -> None:
        """Keep a record, in place of the generated one if there is one of this key."""
        self._kept[key] = record
        number = self._crowd.number(key)
        if number is not None:
            self.taken[number], self._numbers[key] = key, number

    def in_place(self, order: Callable[[Record], tuple[str, str]]) -> "Roll[Record]":
        """All records by when they were made, the oldest first. What was taken is named by its number as before."""
        others = [self._kept[key] for key in self.others()]
        gone = [self._numbers[key] for key in self.gone()]
        return Roll(range(self._crowd.size), gone, others, order, self._crowd.before)

    @property
    def generated(self) -> int:
        """How many records are generated, those that were taken or removed included."""
        return self._crowd.size

    def key(self, number: int) -> str:
        """Return the key of a generated record."""
        return self._crowd.key(number)

    def others(self) -> list[str]:
        """The keys of the records that were never generated, in the order they came."""
        return [key for key in self._kept if key not in self._numbers]

    def everything(self) -> Iterator[Record]:
        """Walk all records there are, to look at them."""
        yield from filter(None, map(self.at, range(self._crowd.size)))
        yield from map(self._kept.__getitem__, self.others())

    def kept(self, row: int | Record) -> int | Record:
        """Return the record that stands at a number of the roll in place, if it was taken."""
        return self._kept[self.taken[row]] if isinstance(row, int) and row in self.taken else row

    def gone(self) -> set[str]:
        """The keys of the generated records that were removed."""
        return self._numbers.keys() - self._kept.keys()


class Roll(Generic[Record]):
    """Generated numbers and kept records in one order. Pages are cut out of it without walking to them."""

    def __init__(
        self,
        numbers: Sequence[int],
        left_out: Iterable[int],
        records: Iterable[Record],
        order: Callable[[Record], tuple[str, str]],
        before: Callable[[str], int],
    ) -> None:
        self._numbers = numbers
        self._holes = sorted(place for number in left_out if (place := _place(numbers, number)) is not None)
        self._records = sorted(records, key=order)
        self._order = order
        self._before = before

    def __len__(self) -> int:
        return len(self._numbers) - len(self._holes) + len(self._records)

    def page(self, start: int, stop: int, *, backwards: bool) -> list[int | Record]:
        """Cut a page out: numbers of generated records, and kept ones."""
        length = len(self)
        if not backwards:
            return list(self._cut(min(start, length), min(stop, length)))
        return list(self._cut(max(0, length - stop), max(0, length - start)))[::-1]

    def _cut(self, start: int, stop: int) -> Iterator[int | Record]:
        following = bisect_left(range(len(self._records)), start, key=self._rank)
        numbers = self._from(start - following)
        for place in range(start, stop):
            if following < len(self._records) and self._rank(following) == place:
                yield self._records[following]
                following += 1
            else:
                yield next(numbers)

    def _rank(self, index: int) -> int:
        """Return the place of a kept record in the whole roll."""
        moment, _ = self._order(self._records[index])
        place = bisect_left(self._numbers, self._before(moment))
        return place - bisect_left(self._holes, place) + index

    def _from(self, index: int) -> Iterator[int]:
        """Walk the numbers that are not left out, from the index-th of them on."""
        skipped = bisect_right(range(len(self._holes)), index, key=lambda hole: self._holes[hole] - hole)
        for place in range(index + skipped, len(self._numbers)):
            if skipped < len(self._holes) and self._holes[skipped] == place:
                skipped += 1
            else:
                yield self._numbers[place]


def _place(numbers: Sequence[int], number: int) -> int | None:
    place = bisect_left(numbers, number)
    return place if place < len(numbers) and numbers[place] == number else None
