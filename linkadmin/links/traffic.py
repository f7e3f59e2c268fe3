"""The gate that every call to a provider passes, kept in rows so that all processes together keep to it.

One short transaction at the beginning of a call and one at its end, each under the lock of the integration's traffic
row; while the call runs, no database connection is held. What a process that died leaves behind has a lease.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone

from linkadmin import storage
from linkadmin.database import release_connections
from linkadmin.heartbeats import signs
from linkadmin.moments import LONGEST_CALL
from linkadmin.providers.admission import AttemptResult, Denial, HealthSignal, Permit
from linkadmin.providers.errors import KeysRefused

from . import breaker, call_quotas
from .denials import CROWDED, KEYS_REFUSED, NO_BOOKS, NO_PLACE, OWN_SHARE, Pause
from .models import CallPlace, CallQuota, Integration, Traffic

logger = structlog.get_logger(__name__)

PLACE_WAIT_SECONDS = 1.0  # in the background; a page never waits for one
PLACES_FOR_PEOPLE = 3  # stay free of calls in the background

Refused = Callable[[KeysRefused], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AdmittedCall:
    """What was settled when a call was let in."""

    call: str
    by_hand: bool = False
    in_background: bool = False
    is_probe: bool = False


@dataclass(slots=True)
class Slot:
    """One of an integration's places for calls, until it is freed or its lease is over."""

    integration_id: UUID
    id: UUID = field(default_factory=uuid4)

    def free(self) -> None:
        """Let others have the place."""
        _kept_up(CallPlace.objects.filter(pk=self.id).delete)


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A call that wants to be made in a place, which is held already or taken with it."""

    place: Slot
    call: str
    seconds: float
    takes_place: bool = True
    by_hand: bool = False
    in_background: bool = False
    person_id: UUID | None = None  # who may have half of the places


_standing: ContextVar[Slot | None] = ContextVar("place", default=None)
_person: ContextVar[UUID | None] = ContextVar("person", default=None)


@contextmanager
def standing_in(place: Slot) -> Iterator[None]:
    """Let the calls of this thread be made in a place that is held already."""
    token = _standing.set(place)
    try:
        yield
    finally:
        _standing.reset(token)


@contextmanager
def acting_for(person_id: UUID) -> Iterator[None]:
    """Count the places that calls of this thread take as those of a person."""
    token = _person.set(person_id)
    try:
        yield
    finally:
        _person.reset(token)


def take_place(integration_id: UUID, *, call: str, seconds: float, person_id: UUID) -> Slot | Denial:
    """Hold a place for `seconds` of a person's calls, or say at once that there is none.

    For a named call, also say why it would be held back now. Nothing is counted: the call is let in when it is made.
    """
    wish = CallRequest(Slot(integration_id), call, seconds, person_id=person_id)
    return _take(wish) or wish.place


def crowd(integration_id: UUID, person_id: UUID) -> Denial | None:
    """Tell by one read, and no lock, why a person would find no place now; `take_place` looks again under the lock.

    Those who come while all places are taken would otherwise wait for each other's locks to be told so.
    """
    now = timezone.now()
    holders = [holder for lease_until, holder in _rows(integration_id) if _is_held(lease_until, now)]
    crowded = _why_crowded(holders, person_id)
    return Denial(crowded, PLACE_WAIT_SECONDS) if crowded else None


def pause_of(integration: Integration, call: str) -> Pause | None:
    """Tell whether a call would be held back now, before anybody types anything for it."""
    now = timezone.now()
    traffic = Traffic.objects.filter(integration=integration).first()
    paused = breaker.pause_of(traffic, now=now) if traffic else None
    return paused or call_quotas.used_up(call_quotas.windows(integration, call, now=now), now=now)


class TrafficAdmission:
    """The gate of one integration.

    `by_hand`: a person finds out, in spite of a pause and of refused keys. `in_background`: nobody waits for it, so
    that it leaves places and a share of each window to those who do.
    """

    def __init__(
        self, integration_id: UUID, *, refused: Refused, by_hand: bool = False, in_background: bool = False
    ) -> None:
        self._integration_id = integration_id
        self._refused = refused
        self._by_hand = by_hand
        self._in_background = in_background

    def enter(self, call: str, *, seconds: float) -> Permit | Denial:
        """Let a call in, in the place held for it or in one of its own. Raises RuntimeError inside a transaction."""
        held = self._place_held()
        place = held or Slot(self._integration_id)
        wish = CallRequest(place, call, seconds, held is None, self._by_hand, self._in_background, _person.get())
        let_in = _let_in_with_patience if self._in_background else _let_in_at_once
        entry = _kept_up(partial(let_in, wish)) or Denial(NO_BOOKS)
        release_connections()
        signs.note_progress()
        if not isinstance(entry, Denial):
            storage.note_call()
        return entry if isinstance(entry, Denial) else TrafficPassage(place, entry, self._refused, held is None)

    def _place_held(self) -> Slot | None:
        held = _standing.get()
        return held if held is not None and held.integration_id == self._integration_id else None


@dataclass(slots=True)
class TrafficPassage:
    """One call on its way. What cannot be noted down about it is lost: it never costs the provider's answer."""

    place: Slot
    entry: AdmittedCall
    refused: Refused
    frees_place: bool

    def note(self, told: AttemptResult) -> None:
        """Take note of a try that another one may follow."""
        _kept_up(partial(_note, self, told))
        release_connections()
        signs.note_progress()

    def again(self) -> bool:
        """Count another try, if neither refused keys nor a pause or a quota stand in its way."""
        may = _kept_up(partial(_repeat, self))
        release_connections()
        return may is True

    def leave(self, told: AttemptResult | None) -> None:
        """Take note of the last try, and free the place unless it is held for more calls than this one."""
        _kept_up(partial(_leave, self, told))
        signs.note_progress()


def _kept_up(keep: Callable[[], T]) -> T | None:
    """Keep the books, or go on without: a database that is away is no answer of the provider's."""
    try:
        return keep()
    except (DatabaseError, InterfaceError, Integration.DoesNotExist) as error:
        logger.warning("traffic.not_kept", error=type(error).__name__)
    return None


def _let_in_with_patience(wish: CallRequest) -> AdmittedCall | Denial:
    """Let a call in, waiting a moment for a place: outside of pages, whose threads others need."""
    until = time.monotonic() + min(PLACE_WAIT_SECONDS, wish.seconds)
    while True:
        entry = _let_in_at_once(wish)
        if not isinstance(entry, Denial) or entry.reason not in CROWDED or time.monotonic() >= until:
            return entry
        release_connections()
        time.sleep(random.uniform(0.02, 0.08))  # noqa: S311 - so that those who wait do not all come at once


@transaction.atomic(durable=True)
def _take(wish: CallRequest) -> Denial | None:
    traffic, now = _locked(wish.place), timezone.now()
    quotas = call_quotas.windows(traffic.integration, wish.call, now=now) if wish.call else []
    hold = _hold(wish, traffic, quotas, now)
    if hold is None:
        _occupy(wish, now)
    return hold


@transaction.atomic(durable=True)
def _let_in_at_once(wish: CallRequest) -> AdmittedCall | Denial:
    traffic, now = _locked(wish.place), timezone.now()
    quotas = call_quotas.windows(traffic.integration, wish.call, now=now)
    hold = _hold(wish, traffic, quotas, now)
    if hold is not None:
        return hold
    lease_until = _occupy(wish, now)
    is_probe = traffic.paused_until is not None
    if is_probe:
        traffic.probe_until = lease_until
        traffic.save()
    call_quotas.use(quotas)
    return AdmittedCall(wish.call, wish.by_hand, wish.in_background, is_probe)


def _occupy(wish: CallRequest, now: datetime) -> datetime:
    """Write down who has the place; return until when it is theirs."""
    lease_until = now + timedelta(seconds=wish.seconds + settings.LEASE_MARGIN_SECONDS)
    row = {"call": wish.call, "taken_at": now, "lease_until": lease_until}
    if wish.takes_place:
        CallPlace.objects.create(
            id=wish.place.id, integration_id=wish.place.integration_id, person_id=wish.person_id, **row
        )
    else:
        CallPlace.objects.filter(pk=wish.place.id).update(**row)
    return lease_until


def _hold(wish: CallRequest, traffic: Traffic, quotas: list[CallQuota], now: datetime) -> Denial | None:
    if wish.call and not wish.by_hand:
        if traffic.integration.keys_refused:
            return Denial(KEYS_REFUSED)
        if paused := breaker.pause_of(traffic, now=now):
            return paused
    if used_up := call_quotas.used_up(quotas, now=now, by_hand=wish.by_hand, in_background=wish.in_background):
        return used_up
    crowded = _crowded(wish, now) if wish.takes_place else ""
    return Denial(crowded, PLACE_WAIT_SECONDS) if crowded else None


def _crowded(wish: CallRequest, now: datetime) -> str:
    """Return why there is no place for a call, empty if there is one; forget the places nobody holds any more."""
    rows = _rows(wish.place.integration_id)
    holders = [holder for lease_until, holder in rows if _is_held(lease_until, now)]
    if len(holders) < len(rows):
        taken = CallPlace.objects.filter(integration=wish.place.integration_id)
        taken.exclude(lease_until__gt=now, lease_until__lte=now + LONGEST_CALL).delete()
    return _why_crowded(holders, wish.person_id, in_background=wish.in_background)


def _rows(integration_id: UUID) -> list[tuple[datetime, UUID | None]]:
    return list(CallPlace.objects.filter(integration=integration_id).values_list("lease_until", "person_id"))


def _is_held(lease_until: datetime, now: datetime) -> bool:
    # Leases end with processes that died, and none is longer than the longest call, whatever the clock was.
    return now < lease_until <= now + LONGEST_CALL


def _why_crowded(holders: Sequence[UUID | None], person_id: UUID | None, *, in_background: bool = False) -> str:
    places: int = settings.CALLS_AT_ONCE_PER_INTEGRATION
    if len(holders) >= (max(1, places - PLACES_FOR_PEOPLE) if in_background else places):
        return NO_PLACE
    return OWN_SHARE if person_id and holders.count(person_id) >= share_of_one() else ""


def share_of_one() -> int:
    """Return how many places one person may have."""
    return max(1, int(settings.CALLS_AT_ONCE_PER_INTEGRATION) // 2)


@transaction.atomic(durable=True)
def _note(passage: TrafficPassage, told: AttemptResult) -> None:
    _learn(passage, told)


@transaction.atomic(durable=True)
def _leave(passage: TrafficPassage, told: AttemptResult | None) -> None:
    if told is not None:
        _learn(passage, told)
    if passage.frees_place:
        CallPlace.objects.filter(pk=passage.place.id).delete()


def _learn(passage: TrafficPassage, told: AttemptResult) -> None:
    traffic, entry = _locked(passage.place), passage.entry
    now = timezone.now()
    before = dict(vars(traffic))
    breaker.learn(traffic, told.sign, is_probe=entry.is_probe, now=now)
    if vars(traffic) != before:
        traffic.save()
    if told.rate is not None:
        call_quotas.learn(traffic.integration, told.rate, now=now)
    elif told.sign is HealthSignal.ANSWERS:
        call_quotas.note_answered(traffic.integration, entry.call, now=now)
    if entry.by_hand and told.error is None:
        call_quotas.forget_guesses(traffic.integration, now=now)
    if isinstance(told.error, KeysRefused):
        passage.refused(told.error)


@transaction.atomic(durable=True)
def _repeat(passage: TrafficPassage) -> bool:
    traffic = _locked(passage.place)
    now = timezone.now()
    quotas = call_quotas.windows(traffic.integration, passage.entry.call, now=now)
    is_refused = traffic.integration.keys_refused and not passage.entry.by_hand
    is_held = (
        is_refused
        or breaker.pause_of(traffic, now=now)
        or call_quotas.used_up(quotas, now=now, in_background=passage.entry.in_background)
    )
    if not is_held:
        call_quotas.use(quotas)
    return not is_held


def _locked(place: Slot) -> Traffic:
    """Return an integration's row, made if need be, for the rest of this transaction."""
    rows = Traffic.objects.select_for_update(of=("self",)).select_related("integration")
    traffic, _made = rows.get_or_create(integration_id=place.integration_id)
    return traffic
