"""The generated end users of Heron and their links."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from .clock import Clock, iso
from .filters import Filter, passes
from .heron_drill import FATES
from .population import (
    BLOCK,
    DAY,
    KEPT_BLOCKS,
    Permutation,
    Persons,
    Population,
    Timeline,
    chances,
    draws,
    hexadecimal,
    links_of,
    passing,
    person_of,
    persons,
    spread,
)
from .records import PLAID_PULLS, EndUser, HeronLink

FAILED_FOR = 30 * DAY  # seconds; at most so long ago a link failed
SILENT_FOR = (4 * DAY, 60 * DAY)  # seconds
REPORTED_FOR = 25 * DAY  # seconds; at most so old is an asset report
ID_DIGITS = 22

# 65,536 names of companies: a word of each row.
FIRST = (
    "Amber", "Blue", "Bright", "Calm", "Clear", "Copper", "Coral", "Early", "Fair", "Fern", "Gentle", "Golden", "Grand",
    "Green", "High", "Hollow", "Indigo", "Ivory", "Jade", "Late", "Little", "Merry", "North", "Old", "Open", "Plain",
    "Quiet", "Red", "Silver", "South", "Violet", "Wild",
)  # fmt: skip
SECOND = (
    "Acorn", "Anchor", "Apple", "Arrow", "Aspen", "Badger", "Barley", "Beacon", "Birch", "Brook", "Canyon", "Cedar",
    "Cherry", "Clover", "Comet", "Crane", "Creek", "Dune", "Eagle", "Elm", "Falcon", "Field", "Finch", "Forest", "Fox",
    "Garden", "Harbour", "Hazel", "Heron", "Hill", "Island", "Juniper", "Lake", "Lantern", "Laurel", "Lily", "Maple",
    "Marsh", "Meadow", "Mill", "Moon", "Moss", "Mountain", "Oak", "Olive", "Orchard", "Otter", "Owl", "Palm", "Pebble",
    "Pine", "Prairie", "River", "Robin", "Rose", "Sage", "Shore", "Sparrow", "Spring", "Star", "Stone", "Valley",
    "Willow", "Wren",
)  # fmt: skip
THIRD = (
    "Bakery", "Bikes", "Books", "Builders", "Catering", "Cleaning", "Clinic", "Clothing", "Coffee", "Dental", "Design",
    "Electric", "Farms", "Fitness", "Florist", "Foods", "Freight", "Furniture", "Glass", "Hardware", "Imports",
    "Kitchens", "Logistics", "Motors", "Optics", "Painting", "Pharmacy", "Plumbing", "Roofing", "Studio", "Tools",
    "Travel",
)  # fmt: skip
WORDS = (FIRST, SECOND, THIRD)


@dataclass(frozen=True, slots=True)
class Mood:
    """How a link is, and the share of the links that are so."""

    share: float
    status: str
    message: str | None = None
    silent: bool = False


def _fated(share: float, prefix: str) -> Mood:
    fate = next(fate for fate in FATES if fate.prefix == prefix)
    return Mood(share, fate.status, fate.message)


MOODS = (
    Mood(0.952, "active"),
    _fated(0.003, "conflict-"),
    Mood(0.025, "active", silent=True),
    _fated(0.006, "login-required-"),
    _fated(0.0015, "locked-"),
    _fated(0.002, "bank-down-"),
    _fated(0.001, "no-accounts-"),
    _fated(0.001, "revoked-"),
    _fated(0.0005, "new-code-"),
    _fated(0.0005, "no-code-"),
    _fated(0.0005, "silent-"),
    Mood(0.003, "erroring", "[INVALID_MFA] the provided MFA response(s) were not correct"),
    Mood(0.002, "sync_disabled"),
    _fated(0.002, "deleted-"),
)
PLACES = ((0.9, "itg_sandbox_transactions", "plaid_integration"), (0.1, "itg_sandbox_assets", "plaid_assets_report"))
CUSTOMERS = (
    (0.86, "processed", False),
    (0.05, "processed", True),
    (0.05, "reviewed", False),
    (0.01, "review_requested", False),
    (0.02, "new", False),
    (0.01, "failed", False),
)  # share, status, is_portfolio


class HeronCrowd:
    """The generated links, by number."""

    def __init__(self, population: Population, until: float, clock: Clock) -> None:
        self.size = population.heron_links
        self._seed = population.seed
        self._until = until
        self._clock = clock
        self._made = Timeline(population.seed, self.size, until)
        self._ids = Permutation(population.seed, "item", 120)
        self._sources = Permutation(population.seed, "data source", 4 * ID_DIGITS)
        self._persons = Persons(population.seed)
        self._places = chances(population.seed, "place", [share for share, *_ in PLACES])
        self._moods = chances(population.seed, "item mood", [mood.share for mood in MOODS])

    def key(self, number: int) -> str:
        return f"{self._ids.hide(number):030x}"

    def number(self, key: str) -> int | None:
        hidden = hexadecimal(key, 30)
        return None if hidden is None else _within(self._ids.find(hidden), self.size)

    def of_source(self, source: str) -> int | None:
        """Return the number of the link behind a data source."""
        hidden = hexadecimal(source.removeprefix("dso_"), ID_DIGITS)
        return None if hidden is None else _within(self._sources.find(hidden), self.size)

    def of_integration(self, integration: str) -> Sequence[int]:
        """Return the numbers of all links of an integration."""
        wanted = {code for code, (_, key, _) in enumerate(PLACES) if key == integration}
        return array("I", passing(range(self.size), [(self._places, wanted)]))

    def status(self, number: int) -> str:
        return MOODS[self._moods[number]].status

    def record(self, number: int) -> HeronLink:
        mood, (_, integration, kind) = MOODS[self._moods[number]], PLACES[self._places[number]]
        synced, updated = self._moments(number, mood, pulled=kind == "plaid_integration")
        return HeronLink(
            item_id=self.key(number),
            end_user_id=self._persons.key(person_of(number)),
            integration=integration,
            status=mood.status,
            status_message=mood.message,
            created=self._made.text(number),
            last_updated=iso(updated),
            last_successful_sync=iso(synced),
            type=kind,
            data_source_heron_id=f"dso_{self._sources.hide(number):022x}",
            silent=mood.silent,
        )

    def before(self, text: str) -> int:
        """Count the links made before an ISO moment."""
        return self._made.before(text)

    def _moments(self, number: int, mood: Mood, *, pulled: bool) -> tuple[float, float]:
        """Return when a link was last synced and when anything about it last changed, in seconds since 1970."""
        made, part = self._made.moment(number), spread(self._seed, number)
        if mood.status != "active":
            failed = max(made, self._until - part * FAILED_FOR)
            return max(made, failed - part * DAY), failed
        if mood.silent:
            shortest, longest = SILENT_FOR
            synced = max(made, self._until - shortest - part * (longest - shortest))
        elif pulled:
            beat = PLAID_PULLS.total_seconds()
            synced = made + max(0.0, self._clock() - made) // beat * beat
        else:
            synced = max(made, self._until - part * REPORTED_FOR)
        return synced, synced


@cache
def customer(code: int) -> EndUser:
    """Return an end user that has all that those of this code have in common, except for moments."""
    _, status, is_portfolio = CUSTOMERS[code]
    return EndUser("", "", status=status, is_portfolio=is_portfolio, last_processed_at=None if status == "new" else "")


class CustomerCrowd:
    """The generated end users, by number."""

    def __init__(self, population: Population, until: float) -> None:
        self.size = persons(population.heron_links)
        self._links = population.heron_links
        self._seed = population.seed
        self._until = until
        self._made = Timeline(population.seed, population.heron_links, until)
        self._persons = Persons(population.seed)
        self._ids = Permutation(population.seed, "end user", 4 * ID_DIGITS)
        self._codes = chances(population.seed, "end user", [share for share, *_ in CUSTOMERS])
        self._names = lru_cache(KEPT_BLOCKS)(lambda block: draws(population.seed, "name", block))
        self.select = lru_cache(8)(self._select)

    def key(self, number: int) -> str:
        return self._persons.key(number)

    def number(self, key: str) -> int | None:
        """Read either id."""
        hidden = hexadecimal(key.removeprefix("eus_"), ID_DIGITS)
        number = self._persons.number(key) if hidden is None else self._ids.find(hidden)
        return None if number is None else _within(number, self.size)

    def code(self, number: int) -> int:
        return self._codes[number]

    def facts(self, number: int) -> dict[str, Any]:
        """Work out what this end user has of its own."""
        made = self._moment(number)
        return {
            "end_user_id": self.key(number),
            "heron_id": f"eus_{self._ids.hide(number):022x}",
            "name": _name(self._names(number // BLOCK)[number % BLOCK]),
            "created": iso(made),
            "last_updated": self._touched(made),
        }

    def record(self, number: int) -> EndUser:
        common, facts = customer(self.code(number)), self.facts(number)
        return replace(common, **facts, last_processed_at=None if common.status == "new" else facts["last_updated"])

    def links(self, number: int) -> range:
        """Return the numbers of an end user's links."""
        return links_of(number, self._links)

    def before(self, text: str) -> int:
        """Count the end users created before an ISO moment."""
        return bisect_left(range(self.size), text, key=lambda number: iso(self._moment(number)))

    def updated_before(self, text: str) -> int:
        """Count the end users last updated before an ISO moment."""
        return bisect_left(range(self.size), text, key=lambda number: self._touched(self._moment(number)))

    def _moment(self, number: int) -> float:
        """An end user is as old as its first link."""
        return self._made.moment(self.links(number).start)

    def _touched(self, made: float) -> str:
        """An end user was last touched half-way between its first link and the start."""
        return iso((made + self._until) / 2)

    def _select(self, filters: tuple[Filter, ...]) -> Sequence[int]:
        if not filters:
            return range(self.size)
        texts = {each.field: each.text for each in filters}
        key = texts.get("end_user_id") or texts.get("heron_id")
        if key is None and "name" not in texts:
            codes = {code for code in range(len(CUSTOMERS)) if passes(customer(code), filters)}
            return array("I", passing(range(self.size), [(self._codes, codes)]))
        number = self.number(key) if key else None
        numbers = self._called(texts["name"]) if not key else () if number is None else (number,)
        return [number for number in numbers if passes(self.record(number), filters)]

    def _called(self, name: str) -> Iterator[int]:
        words = name.split(" ")
        if len(words) != len(WORDS) or any(word not in row for word, row in zip(words, WORDS, strict=True)):
            return
        first, second, third = (row.index(word) for word, row in zip(words, WORDS, strict=True))
        wanted = first << 11 | second << 5 | third
        for begin in range(0, self.size, BLOCK):
            row = self._names(begin // BLOCK)[: self.size - begin]
            yield from (begin + place for place, draw in enumerate(row) if draw == wanted)


def _name(draw: int) -> str:
    return f"{FIRST[draw >> 11]} {SECOND[draw >> 5 & 63]} {THIRD[draw & 31]}"


def _within(number: int, size: int) -> int | None:
    return number if number < size else None
