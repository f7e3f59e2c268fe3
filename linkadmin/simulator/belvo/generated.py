"""Generated Belvo links: institutions by popularity, most links working, and some in every kind of trouble."""

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from uuid import UUID

from linkadmin.simulator.clock import iso
from linkadmin.simulator.generated import DAY, Population, customers, moments

from .institutions import INSTITUTIONS, OPEN_FINANCE, Institution, kind_of
from .records import REFRESH_RATES, BelvoLink, Consent

KINDS = {OPEN_FINANCE: 0.35, "bank": 0.35, "fiscal": 0.2, "employment": 0.1}  # and their share of the links
TROUBLED = list(INSTITUTIONS)[4:28:4]  # six institutions with five times the usual share of trouble
TROUBLE = 5
YEAR = 365 * DAY  # seconds
QUIET_FOR = 60 * DAY  # seconds; no link stopped working longer ago


@dataclass(frozen=True, slots=True)
class BelvoCondition:
    """A link's condition and the share of links in it."""

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


CONDITIONS = (
    BelvoCondition(0.955, "valid"),
    BelvoCondition(0.025, "valid", silent=True),
    BelvoCondition(0.013, "invalid", refusals=6),
    BelvoCondition(0.004, "token_required"),
    BelvoCondition(0.003, "unconfirmed"),
)
TERMS = (
    Terms(0.60, "recurrent", "7d"),
    Terms(0.20, "recurrent", "24h"),
    Terms(0.05, "recurrent", "12h"),
    Terms(0.04, "recurrent", "6h"),
    Terms(0.05, "recurrent", "30d"),
    Terms(0.06, "single", None, "365d"),
)


BANKS = list(INSTITUTIONS.values())


def _popularity() -> list[float]:
    # Kinds by their share, and within a kind by Zipf's law.
    ranks = Counter[str]()
    weights = []
    for bank in BANKS:
        ranks[kind_of(bank)] += 1
        weights.append((kind_of(bank), ranks[kind_of(bank)] ** -1.1))
    totals = {kind: sum(weight for of, weight in weights if of == kind) for kind in KINDS}
    return [KINDS[kind] * weight / totals[kind] for kind, weight in weights]


POPULARITY = _popularity()


def _shares(bank: Institution) -> list[float]:
    """Weight the conditions for an institution: more trouble at some, slightly less at the others.

    If a bank never asks for codes, the sign-in or the consent fails instead.
    """
    troubled = sum(share for each, share in zip(BANKS, POPULARITY, strict=True) if each["name"] in TROUBLED)
    times = (TROUBLE if bank["name"] in TROUBLED else 1) / (1 - troubled + troubled * TROUBLE)
    silent, invalid, token_required, unconfirmed = (each.share * times for each in CONDITIONS[1:])
    if kind_of(bank) != "bank":
        invalid, token_required = invalid + token_required, 0.0
    return [1 - silent - invalid - token_required - unconfirmed, silent, invalid, token_required, unconfirmed]


SHARES = {bank["name"]: list(accumulate(_shares(bank))) for bank in BANKS}


def belvo_links(population: Population, until: float, now: float) -> Iterator[tuple[BelvoLink, Consent | None]]:
    rng, size = Random(f"{population.seed}/belvo links"), population.belvo_links  # noqa: S311 - has to be repeatable
    banks = rng.choices(BANKS, POPULARITY, k=size)
    terms = rng.choices(TERMS, [each.share for each in TERMS], k=size)
    owners = customers(population.seed, size)
    for bank, term, owner, created in zip(banks, terms, owners, moments(rng, size, until), strict=True):
        (condition,) = rng.choices(CONDITIONS, cum_weights=SHARES[bank["name"]])
        last = _last_accessed(condition, term, created, until - rng.random() * QUIET_FOR, now)
        link = BelvoLink(
            institution=bank["name"],
            id=_uuid(rng),
            access_mode=term.access_mode,
            last_accessed_at=None if last is None else iso(last),
            created_at=iso(created),
            external_id=owner,
            institution_user_id=base64.urlsafe_b64encode(rng.randbytes(32)).decode(),
            status=condition.status,
            refresh_rate=term.refresh_rate,
            credentials_storage=term.credentials_storage,
            fetch_resources=bank["resources"][:3],
            refusals=condition.refusals,
            silent=condition.silent,
        )
        yield link, _consent(link, _uuid(rng), created, now) if kind_of(bank) == OPEN_FINANCE else None


def _last_accessed(condition: BelvoCondition, terms: Terms, created: float, stopped: float, now: float) -> float | None:
    if condition.status == "unconfirmed":
        return None
    rate = REFRESH_RATES[terms.refresh_rate].total_seconds() if terms.refresh_rate else 0.0
    if condition.status == "valid" and not condition.silent:
        return created + (now - created) // rate * rate if rate else created
    return max(created, stopped - (2 * rate + DAY if condition.silent else 0))


def _consent(link: BelvoLink, consent_id: str, created: float, now: float) -> Consent:
    status, end = "AUTHORISED", iso(created + YEAR * (1 + (now - created) // YEAR))
    if link.status == "unconfirmed":
        status = "AWAITING_AUTHORISATION"
    elif link.status == "invalid":
        status = "REJECTED"
    elif link.silent:
        status, end = "EXPIRED", link.last_accessed_at or end
    return Consent(link.id, status, consent_id, link.created_at, end)


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
