"""The generated links of Belvo: institutions by popularity, most links in order, some in every kind of trouble."""

import base64
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from .clock import Clock, iso
from .filters import Filter, passes
from .institutions import INSTITUTIONS, OPEN_FINANCE, kind_of
from .population import (
    DAY,
    Column,
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
    spread,
    wheel,
)
from .records import REFRESH_RATES, BelvoLink

NAMES = tuple(INSTITUTIONS)
KINDS = {OPEN_FINANCE: 0.35, "bank": 0.35, "fiscal": 0.2, "employment": 0.1}  # and their shares of the links
TROUBLED = frozenset(range(4, 28, 4))  # six institutions, by number, with five times the usual share of trouble
TROUBLE = 5
WITH_CODES = frozenset(rank for rank, bank in enumerate(INSTITUTIONS.values()) if kind_of(bank) == "bank")
QUIET_FOR = 60 * DAY  # seconds; at most so long ago a link stopped to work
VARIANTS = "89ab"  # of a uuid
OWNER_LENGTH = 44
SECONDS: dict[str | None, float] = {None: 0.0, **{rate: pause.total_seconds() for rate, pause in REFRESH_RATES.items()}}
NAMED = {"id", "external_id", "institution_user_id"}  # they lead to their links without a search


@dataclass(frozen=True, slots=True)
class Mood:
    """How a link is, and the share of the links that are so."""

    share: float
    status: str
    silent: bool = False
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    share: float
    access_mode: str
    refresh_rate: str | None
    credentials_storage: str = "store"


MOODS = (
    Mood(0.955, "valid"),
    Mood(0.025, "valid", silent=True),
    Mood(0.013, "invalid", refusals=6),
    Mood(0.004, "token_required"),
    Mood(0.003, "unconfirmed"),
)
TERMS = (
    Terms(0.60, "recurrent", "7d"),
    Terms(0.20, "recurrent", "24h"),
    Terms(0.05, "recurrent", "12h"),
    Terms(0.04, "recurrent", "6h"),
    Terms(0.05, "recurrent", "30d"),
    Terms(0.06, "single", None, "365d"),
)


def _popularity() -> list[float]:
    """Share the links among the kinds, and those of a kind by Zipf's law."""
    weights: list[float] = []
    ranks = Counter[str]()
    for bank in INSTITUTIONS.values():
        ranks[kind_of(bank)] += 1
        weights.append(1 / ranks[kind_of(bank)] ** 1.1)
    sums = {
        kind: sum(w for w, bank in zip(weights, INSTITUTIONS.values(), strict=True) if kind_of(bank) == kind)
        for kind in KINDS
    }
    return [
        w * KINDS[kind_of(bank)] / sums[kind_of(bank)] for w, bank in zip(weights, INSTITUTIONS.values(), strict=True)
    ]


POPULARITY = _popularity()
Traits = tuple[int, int, int]  # indexes of an institution, a mood and terms
CODES = (len(NAMES), len(MOODS), len(TERMS))
PLACES = {"institution": 0, "status": 1, "access_mode": 2, "refresh_rate": 2, "credentials_storage": 2}


@cache
def prototype(traits: Traits) -> BelvoLink:
    """Return a link that has all that links of these traits have in common."""
    bank, mood, terms = INSTITUTIONS[NAMES[traits[0]]], MOODS[traits[1]], TERMS[traits[2]]
    return BelvoLink(
        institution=bank["name"],
        id="",
        access_mode=terms.access_mode,
        status=mood.status,
        refresh_rate=terms.refresh_rate,
        credentials_storage=terms.credentials_storage,
        fetch_resources=bank["resources"][:3],
        refusals=mood.refusals,
        silent=mood.silent,
    )


class BelvoCrowd:
    """The generated links, by number."""

    def __init__(self, population: Population, until: float, clock: Clock) -> None:
        self.size = population.belvo_links
        self._seed = population.seed
        self._until = until
        self._clock = clock
        self._made = Timeline(population.seed, self.size, until)
        self._ids = Permutation(population.seed, "belvo link", 122)
        self._owners = Permutation(population.seed, "institution user", 256)
        self._persons = Persons(population.seed)
        banks = chances(population.seed, "bank", POPULARITY)
        terms = chances(population.seed, "terms", [each.share for each in TERMS])
        self._columns = (banks, _moods(population.seed, banks), terms)
        self.select = lru_cache(8)(self._select)

    def key(self, number: int) -> str:
        hidden = self._ids.hide(number)
        digits = f"{hidden & (1 << 120) - 1:030x}"
        variant = VARIANTS[hidden >> 120]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-{variant}{digits[15:18]}-{digits[18:]}"

    def number(self, key: str) -> int | None:
        digits = hexadecimal(key[:8] + key[9:13] + key[15:18] + key[20:23] + key[24:], 30)
        if digits is None or key[19:20] not in VARIANTS:
            return None
        return self._verified(self._ids.find(VARIANTS.index(key[19]) << 120 | digits), self.key, key)

    def traits(self, number: int) -> Traits:
        banks, moods, terms = self._columns
        return banks[number], moods[number], terms[number]

    def facts(self, number: int, traits: Traits) -> dict[str, Any]:
        """Work out what this link has of its own."""
        made = self._made.moment(number)
        return {
            "id": self.key(number),
            "external_id": self._persons.key(person_of(number)),
            "institution_user_id": self._owner(number),
            "created_at": iso(made),
            "last_accessed_at": self._last_accessed(number, traits, made),
        }

    def record(self, number: int) -> BelvoLink:
        traits = self.traits(number)
        common = prototype(traits)
        return replace(common, fetch_resources=[*common.fetch_resources], **self.facts(number, traits))

    def before(self, text: str) -> int:
        """Count the links made before an ISO moment."""
        return self._made.before(text)

    def _verified(self, number: int, name: Callable[[int], str], text: str) -> int | None:
        return number if number < self.size and name(number) == text else None

    def _owner(self, number: int) -> str:
        return base64.urlsafe_b64encode(self._owners.hide(number).to_bytes(32)).decode()

    def _owned(self, owner: str) -> int | None:
        if len(owner) != OWNER_LENGTH or not owner.isascii():
            return None
        hidden = int.from_bytes(base64.urlsafe_b64decode(owner))
        return self._verified(self._owners.find(hidden % (1 << 256)), self._owner, owner)

    def _last_accessed(self, number: int, traits: Traits, made: float) -> str | None:
        mood, terms = MOODS[traits[1]], TERMS[traits[2]]
        if mood.status == "unconfirmed":
            return None
        rate = SECONDS[terms.refresh_rate]
        if mood.status == "valid" and not mood.silent:
            due = max(0.0, self._clock() - made) // rate if rate else 0
            return iso(made + due * rate)
        overdue = 2 * rate + DAY if mood.silent else 0
        return iso(max(made, self._until - overdue - spread(self._seed, number) * QUIET_FOR))

    def _select(self, filters: tuple[Filter, ...]) -> Sequence[int]:
        named = [each for each in filters if each.field in NAMED]
        if named:
            numbers = set.intersection(*(self._named(each) for each in named))
            return [number for number in sorted(numbers) if passes(self.record(number), filters)]
        span = self._span(filters)
        wishes = [[each for each in filters if PLACES.get(each.field) == place] for place in range(len(CODES))]
        columns = [(self._columns[place], _codes(place, each)) for place, each in enumerate(wishes) if each]
        return array("I", passing(span, columns)) if columns else span

    def _named(self, wish: Filter) -> set[int]:
        texts = wish.text.split(",") if wish.how == "in" else [wish.text]
        if wish.field == "external_id":
            persons = (person for text in texts if (person := self._persons.number(text)) is not None)
            return {number for person in persons for number in links_of(person, self.size)}
        find = self.number if wish.field == "id" else self._owned
        return {number for text in texts if (number := find(text)) is not None}

    def _span(self, filters: tuple[Filter, ...]) -> range:
        span = range(self.size)
        for wish in filters:
            if wish.field == "created_at":
                part = self._made.span(*_edges(wish))
                span = range(max(span.start, part.start), min(span.stop, part.stop))
            elif wish.field not in PLACES and not passes(prototype((0, 0, 0)), [wish]):
                return range(0)
        return span


def _moods(seed: int, banks: Column) -> Column:
    """Make the column of moods; at the troubled institutions there is more trouble, and so a little less elsewhere."""
    share = sum(POPULARITY[rank] for rank in TROUBLED) / sum(POPULARITY)
    calm = 1 / (1 - share + share * TROUBLE)
    # A wheel for each pair of flags: whether there is more trouble, and whether a code is ever asked for.
    turns = b"".join(wheel(_shares(times, codes=codes)) for codes in (False, True) for times in (calm, calm * TROUBLE))
    flags_of = bytes((rank in TROUBLED) | (rank in WITH_CODES) << 1 for rank in range(256))

    def block(number: int) -> bytes:
        flags = banks.block(number).translate(flags_of)
        return bytes([turns[flag << 16 | draw] for flag, draw in zip(flags, draws(seed, "mood", number), strict=True)])

    return Column(block)


def _shares(times: float, *, codes: bool) -> list[float]:
    """Return the shares of the moods; where no code is ever asked for, the login or the consent is refused instead."""
    share = {mood.status: mood.share * times for mood in MOODS[2:]}
    if not codes:
        share["invalid"] += share["token_required"]
        share["token_required"] = 0.0
    unwell = [MOODS[1].share * times, *share.values()]
    return [1 - sum(unwell), *unwell]


def _codes(place: int, filters: Sequence[Filter]) -> set[int]:
    """Return the institutions, moods or terms that pass."""
    return {code for code in range(CODES[place]) if passes(prototype(_only(place, code)), filters)}


def _only(place: int, code: int) -> Traits:
    bank, mood, terms = (code if each == place else 0 for each in range(len(CODES)))
    return bank, mood, terms


def _edges(wish: Filter) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    """Return what tells that moments begin to pass, and what tells that they pass no more."""
    first, last = wish.text.split(",")[0], wish.text.split(",")[-1]
    match wish.how:
        case "gt" | "gte":
            return wish.passes, lambda _: False
        case "lt" | "lte":
            return lambda _: True, lambda moment: not wish.passes(moment)
        case "range":
            latest = replace(wish, how="lte", text=last)
            return replace(wish, how="gte", text=first).passes, lambda moment: not latest.passes(moment)
        case _:
            return lambda moment: moment >= wish.text, lambda moment: moment[: len(wish.text)] > wish.text
