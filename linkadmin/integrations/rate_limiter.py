"""Admits each call under a lock on one row per integration, so that limits hold across all processes.

One short transaction at the start of a call and one at its end; no database connection is in use during the call.
Leases clean up after processes that died.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from linkadmin.compiled_query import CompiledQuery, Sql, as_sql
from linkadmin.database import release_connections, return_connections
from linkadmin.heartbeats import signs
from linkadmin.moments import LONGEST_CALL
from linkadmin.providers.http.admission import AttemptResult, Denial, HealthSignal, Permit
from linkadmin.web import storage

from . import circuit_breaker, keys, quotas, slots
from .denials import KEYS_REJECTED, NO_DATABASE, NO_FREE_SLOT, QUOTA
from .limits import Limits, with_limits
from .models import CallQuota, CallSlot, CircuitBreaker, Integration
from .slots import Slot

logger = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A call to admit, in a slot taken earlier or together with it. Without a name, only the slot."""

    slot: Slot
    call: str
    seconds: float
    takes_slot: bool = True
    by_hand: bool = False
    in_background: bool = False
    person_id: UUID | None = None  # may use half of the slots


def take_slot(
    integration_id: UUID, *, call: str, seconds: float, person_id: UUID, with_it: Callable[[], None] = lambda: None
) -> Slot | Denial:
    """Take a slot for `seconds` of a person's calls, or return why there is none, without waiting for one.

    With a named call, also checks whether it would be denied now. Nothing is counted until the call is admitted.
    `with_it` runs in the transaction that takes the slot: if it raises, none is taken.
    """
    request = CallRequest(Slot(integration_id), call, seconds, person_id=person_id)
    return _tried(partial(_take_slot, with_it), request)


@transaction.atomic(durable=True)
def _take_slot(with_it: Callable[[], None], request: CallRequest) -> Slot | Denial:
    state = _locked(request)
    windows = state.windows_of(request.call) if request.call else []
    denial = _denial(request, state, windows)
    if denial is None:
        _occupy(request)
        with_it()
    return denial or request.slot


def free_slot(slot: Slot) -> None:
    if not slot.is_free:
        _recorded(partial(_FREE.rows, slot.id, slot.integration_id))


def free_slot_in_use(integration_id: UUID) -> None:
    """Free the slot of this thread's calls together with their outcome, in its transaction."""
    slot = slots.slot_in_use(integration_id)
    if slot is not None:
        _FREE.rows(slot.id, integration_id)
        transaction.on_commit(slot.note_free)


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """Admits one integration's calls.

    `by_hand`: for a person's test, despite an open circuit breaker or rejected keys. `in_background`: nobody waits, so
    it leaves slots and a share of each window to people.
    """

    integration_id: UUID
    by_hand: bool = False
    in_background: bool = False

    def admit(self, call: str, *, seconds: float) -> Permit | Denial:
        """Raises RuntimeError inside a transaction."""
        taken = slots.slot_in_use(self.integration_id)
        request = CallRequest(
            slot=taken or Slot(self.integration_id),
            call=call,
            seconds=seconds,
            takes_slot=taken is None,
            by_hand=self.by_hand,
            in_background=self.in_background,
            person_id=slots.acting_person.get(),
        )
        admitted = _recorded(partial(_tried, _admit, request)) or Denial(NO_DATABASE)
        let_go = return_connections if taken is None else release_connections  # a person's call may take minutes
        let_go()
        signs.note_progress()
        if not isinstance(admitted, Denial):
            storage.call_may_have_left.set(True)
        return admitted


@dataclass(frozen=True, slots=True)
class AdmittedCall:
    """An admitted call. If something about it can't be recorded, that's lost; the response never is."""

    request: CallRequest
    is_probe: bool
    is_plain: bool  # a success changes nothing but the circuit breaker

    def record(self, result: AttemptResult) -> None:
        _recorded(partial(_finish, self, result))
        return_connections()
        signs.note_progress()

    def may_retry(self) -> bool:
        may = _recorded(partial(_count_retry, self))
        return_connections()
        return may is True

    def release(self, result: AttemptResult | None) -> None:
        _recorded(partial(_finish, self, result, frees_slot=self.request.takes_slot))
        signs.note_progress()


def _recorded(record: Callable[[], T]) -> T | None:
    # An outage of our database must not cost a response.
    try:
        return record()
    except (DatabaseError, InterfaceError, Integration.DoesNotExist) as error:
        logger.warning("rate_limiter.not_recorded", error=type(error).__name__)
    return None


def _tried(attempt: Callable[[CallRequest], T | Denial], request: CallRequest) -> T | Denial:
    """Try until admitted, or until no more waiting makes sense."""
    started = time.monotonic()
    while isinstance(result := attempt(request), Denial):
        pause = _pause(result, request, time.monotonic() - started)
        if pause is None:
            break
        return_connections()
        time.sleep(pause)
    return result


def _pause(denial: Denial, request: CallRequest, waited: float) -> float | None:
    """How long to wait before the next try; None: there is none. Pages need their threads, so people hardly wait."""
    if denial.reason in NO_FREE_SLOT:
        pause, most = random.uniform(0.02, 0.08), slots.SLOT_WAIT_SECONDS if request.in_background else 0.0  # noqa: S311
    elif denial.reason == QUOTA and denial.retry_after is not None:
        pause = denial.retry_after * random.uniform(1, 1.1) + 0.001  # noqa: S311 - spreads out those who wait
        most = quotas.BACKGROUND_WAIT if request.in_background else quotas.PERSON_WAIT
    else:
        return None
    return pause if waited + pause <= most else None


@dataclass(frozen=True, slots=True)
class _State:
    """What is stored of an integration, locked for the rest of the transaction."""

    limits: Limits
    breaker: CircuitBreaker
    slots: slots.SlotUse

    @property
    def integration(self) -> Integration:
        return self.limits.integration

    def windows_of(self, call: str) -> list[CallQuota]:
        return quotas.windows(self.integration, call, self.limits.quotas, now=timezone.now())


@transaction.atomic(durable=True)
def _admit(request: CallRequest) -> AdmittedCall | Denial:
    state = _locked(request)
    windows = state.windows_of(request.call)
    denial = _denial(request, state, windows)
    if denial is not None:
        return denial
    breaker = state.breaker
    lease_until, is_probe = _occupy(request), breaker.open_until is not None
    if is_probe:
        breaker.probe_until = lease_until
        breaker.save()
    quotas.count(windows)
    return AdmittedCall(request, is_probe, is_plain=not is_probe and not request.by_hand and state.limits.are_good)


def _denial(request: CallRequest, state: _State, windows: list[CallQuota]) -> Denial | None:
    if request.call and not request.by_hand:
        if state.integration.keys_rejected:
            return Denial(KEYS_REJECTED)
        if is_open := circuit_breaker.denial_of(state.breaker, now=timezone.now()):
            return is_open
    used_up = quotas.denial_of(windows, by_hand=request.by_hand, in_background=request.in_background)
    if used_up or not request.takes_slot:
        return used_up
    return state.slots.denial(in_background=request.in_background)


def _occupy(request: CallRequest) -> datetime:
    now, slot = timezone.now(), request.slot
    lease_until = now + timedelta(seconds=request.seconds + settings.LEASE_MARGIN_SECONDS)
    row = {"call": request.call, "taken_at": now, "lease_until": lease_until}
    if request.takes_slot:
        CallSlot.objects.create(id=slot.id, integration_id=slot.integration_id, person_id=request.person_id, **row)
    else:
        CallSlot.objects.filter(pk=slot.id).update(**row)
    return lease_until


def _finish(admitted: AdmittedCall, result: AttemptResult | None, *, frees_slot: bool = False) -> None:
    slot = admitted.request.slot
    if result is None and not frees_slot:
        return
    if result is None or (admitted.is_plain and result.is_plain):
        only_good = _FREE.row(slot.id, slot.integration_id) if frees_slot else _ONLY_GOOD.row(slot.integration_id)
        if result is None or (only_good and only_good[0]):
            return  # another success changes nothing, so nothing needs to be locked
        frees_slot = False
    with transaction.atomic(durable=True):
        _apply(admitted, result)
        if frees_slot:
            CallSlot.objects.filter(pk=slot.id).delete()


def _apply(admitted: AdmittedCall, result: AttemptResult) -> None:
    request = admitted.request
    state, now = _locked(request), timezone.now()
    breaker, integration = state.breaker, state.integration
    before = dict(vars(breaker))
    circuit_breaker.record(breaker, result.signal, is_probe=admitted.is_probe, now=now)
    if vars(breaker) != before:
        breaker.save()
    if result.rate is not None:
        quotas.apply_rate(integration, result.rate, now=now)
    elif result.signal is HealthSignal.ANSWERS:
        quotas.note_answered(integration, request.call, now=now)
    if not request.by_hand:  # a call by hand records more about the keys
        keys.note_result(integration, result.error)
    elif result.error is None:
        quotas.forget_guesses(integration, now=now)


@transaction.atomic(durable=True)
def _count_retry(admitted: AdmittedCall) -> bool:
    request = admitted.request
    state = _locked(request)
    windows = state.windows_of(request.call)
    is_denied = (
        (state.integration.keys_rejected and not request.by_hand)
        or circuit_breaker.denial_of(state.breaker, now=timezone.now())
        or quotas.denial_of(windows, in_background=request.in_background)
    )
    if not is_denied:
        quotas.count(windows)
    return not is_denied


def _with_slots(integration: UUID, person: UUID, now: datetime, latest: datetime) -> "QuerySet[Integration]":
    def count(rows: "QuerySet[CallSlot]") -> Subquery:
        of_this = rows.filter(integration=OuterRef("pk")).order_by().values("integration")
        return Subquery(of_this.annotate(count=Count("pk")).values("count"))

    taken = CallSlot.objects.filter(slots.in_use(now, latest))
    return with_limits(integration).annotate(
        slots_in_all=count(CallSlot.objects.all()),
        slots_taken=count(taken),
        slots_of_person=count(taken.filter(person=person)),
    )


def _only_good(integration: UUID) -> "QuerySet[CircuitBreaker, Any]":
    return circuit_breaker.with_only_good_calls().filter(pk=integration).values_list("pk")


def _free(slot: UUID, integration: UUID) -> Sql:
    """Free a slot, and return whether its integration had only good calls."""
    table, column = CallSlot._meta.db_table, CallSlot._meta.pk.column
    sql, params = as_sql(_only_good(integration))
    return f'DELETE FROM "{table}" WHERE "{column}" = %s RETURNING EXISTS ({sql})', (slot, *params)  # noqa: S608


_LOCK = CompiledQuery(lambda pk: CircuitBreaker.objects.select_for_update(no_key=True).filter(pk=pk).values_list("pk"))
_STATE = CompiledQuery(_with_slots, types=(UUID, UUID, datetime, datetime))
_ONLY_GOOD = CompiledQuery(_only_good)
_FREE = CompiledQuery(_free, types=(UUID, UUID))


def _locked(request: CallRequest) -> _State:
    """Lock an integration for the rest of the transaction, and read what limits it.

    SQLite's transactions lock everything. Raises `Integration.DoesNotExist`.
    """
    integration_id, now = request.slot.integration_id, timezone.now()
    latest = now + LONGEST_CALL
    if connection.features.has_select_for_update:
        _LOCK.rows(integration_id)
    rows = _STATE.instances(integration_id, request.person_id, now, latest)
    limits = Limits.read(rows)
    if limits.breaker is None:
        CircuitBreaker.objects.get_or_create(integration_id=integration_id)
        return _locked(request)
    taken = rows[0].slots_taken or 0
    if (rows[0].slots_in_all or 0) > taken:
        CallSlot.objects.filter(integration=integration_id).exclude(slots.in_use(now, latest)).delete()
    return _State(limits, limits.breaker, slots.SlotUse(taken, rows[0].slots_of_person or 0))
