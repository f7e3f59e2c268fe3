"""How a call ends: its answer, link, operation and audit event change together, or not at all."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial, singledispatch

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from linkadmin.database import release_connections
from linkadmin.integrations import call_pool
from linkadmin.integrations.denials import DENIED
from linkadmin.integrations.slots import Slot
from linkadmin.links import due_reads, health, unrecognized_values
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link, Reason
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import (
    CodeRequired,
    CodeTooLate,
    Duplicate,
    Failure,
    LoginRefused,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
)
from linkadmin.providers.records import (
    Accepted,
    RemoteDataSource,
    RemoteEndUser,
    RemoteWebhook,
    Removed,
    RepairAddress,
    ReportsRefreshed,
)
from linkadmin.providers.types import Cause, HealthState, LinkRef, Observation, RemoteLink
from linkadmin.wake_worker import wake_worker
from linkadmin.web import storage

from . import apply_response, budget, encrypted
from .challenges import MOST_ANSWERS, Asked, why_asked_again
from .changes import CHANGES
from .models import (
    ACCEPTED,
    ADDRESS_LOST,
    ATTEMPTS_SPENT,
    TOO_MANY_STEPS,
    Operation,
    OperationKind,
    State,
)
from .states import By, locked, move

logger = structlog.get_logger(__name__)

# Outcomes beside the classes of errors.
NOT_REPAIRED = "NotRepaired"
NOT_TAKEN = "NotTaken"
SETTLE_AGAIN_SECONDS = 1.0
Source = health.Source
Call = Callable[[Provider], object]


def make_call(operation: Operation, slot: Slot, provider: Provider, call: Call) -> None:
    """Make the one call of a claimed operation beside the page, and settle the operation by its answer."""
    call_pool.start(operation.pk, slot, partial(_call_and_settle, operation, provider, call))


def _call_and_settle(operation: Operation, provider: Provider, call: Call) -> None:
    """Make the call if it is still ours to make, hold no database connection meanwhile, and keep what it brought."""
    if not _may_send(operation):
        logger.warning("call.too_late", operation_id=str(operation.pk))
        return
    began = time.monotonic()
    answer = _answer_of(operation, provider, call)
    duration_ms = round((time.monotonic() - began) * 1000)
    known = _look_up_duplicate(operation, provider) if isinstance(answer, Duplicate) else None
    _settle_surely(operation, answer, duration_ms=duration_ms, known=known)


def _may_send(operation: Operation) -> bool:
    """Tell whether nobody gave the operation up while it waited for a thread, nor will before the call is over."""
    ours = Operation.objects.filter(pk=operation.pk, state=State.SENDING, version=operation.version)
    waited_too_long = timezone.now() - timedelta(seconds=settings.LEASE_MARGIN_SECONDS)
    return ours.filter(sent_at__gt=waited_too_long).exists()


def _settle_surely(operation: Operation, answer: object, *, duration_ms: int, known: RemoteLink | None) -> None:
    """Settle, again and again while the database cannot be reached: an answer of the bank is not thrown away."""
    while True:
        try:
            record_outcome(operation, answer, duration_ms=duration_ms, known=known)
            return
        except storage.UNUSABLE as error:
            trouble = storage.trouble_of(error)
            logger.warning("operation.not_settled_yet", operation_id=str(operation.pk), error=type(error).__name__)
            if trouble is None or operation.lease_until is None or timezone.now() > operation.lease_until:
                raise
        release_connections()
        time.sleep(SETTLE_AGAIN_SECONDS)


def _answer_of(operation: Operation, provider: Provider, call: Call) -> object:
    try:
        return call(provider)
    except ProviderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a fault of ours after the request may have left: the outcome is lost
        logger.error("call.broken", operation_id=str(operation.pk), error=type(error).__name__)
    return OutcomeUnknown(Failure(operation=operation.kind, reason="our_fault"))


def _look_up_duplicate(operation: Operation, provider: Provider) -> RemoteLink | None:
    """Read the link the provider says it has already, so that it can be shown."""
    if operation.kind != OperationKind.CREATE_LINK or not operation.natural_key or operation.end_user is None:
        return None
    try:
        return provider.read_link(LinkRef(operation.natural_key, operation.end_user.external_id))
    except ProviderError:
        return None


@transaction.atomic
def record_outcome(operation: Operation, answer: object, *, duration_ms: int, known: RemoteLink | None = None) -> None:
    """Close an operation by the answer to its call, unless somebody else closed it meanwhile."""
    current = locked(operation, State.SENDING)
    if current is None:
        logger.warning("operation.settled_elsewhere", operation_id=str(operation.pk))
        return
    current.duration_ms = duration_ms
    current.ended_at = at = timezone.now()
    if isinstance(answer, ProviderError):
        _take_failure(current, answer)
    if known is not None:
        _keep_link(current, known)
    move(current, _state_by(answer, current), by=By.RESPONSE, at=at, actor=current.actor)


@singledispatch
def _state_by(answer: object, operation: Operation) -> State:
    """Take an answer into account; return the state that it brings. Lost and not understood ones are UNKNOWN."""
    if operation.kind == OperationKind.REPAIR_URL:
        operation.outcome = ADDRESS_LOST
        return State.EXPIRED
    return _unknown(operation, type(answer).__name__)


@_state_by.register
def _(answer: RemoteLink, operation: Operation) -> State:
    if operation.origin.kind in CHANGES:
        return _close_change(answer, operation)
    operation.request_id = answer.request_id[:80]
    if operation.begins_link or works(answer.observation):
        done(operation, answer, at=operation.ended_at or timezone.now())
        return State.SUCCEEDED
    # The provider took the values, and its own record says that they repaired nothing.
    operation.outcome = NOT_REPAIRED
    operation.cause = answer.observation.cause.value
    operation.counts_as_attempt = True
    _keep_link(operation, answer)
    return State.REJECTED


@_state_by.register
def _(
    answer: Accepted | RepairAddress | ReportsRefreshed | RemoteEndUser | RemoteDataSource | RemoteWebhook | None,
    operation: Operation,
) -> State:
    return _close_change(answer, operation)


@_state_by.register
def _(answer: Removed, operation: Operation) -> State:
    state = _close_change(answer, operation)
    return state if answer.finished else _unknown(operation, ACCEPTED)


@_state_by.register
def _(answer: CodeRequired, operation: Operation) -> State:
    received_at = operation.ended_at or timezone.now()
    asked = answer.challenge
    _compare(operation, Asked.of(asked, sign_in=operation.origin.pk))
    over = _why_no_answer_is_left(operation)
    cause = Cause.CODE_NEEDED if over else Cause.CODE_WAITING
    waiting = Observation(cause=cause, raw_code=answer.failure.code, raw_words=answer.failure.words)
    _keep_link(operation, RemoteLink(remote_id=asked.remote_link_id, observation=waiting))
    if over:
        operation.outcome = over
        return State.REJECTED
    encrypted.store_challenge(operation, asked, received_at=received_at)
    return State.NEEDS_CODE


@_state_by.register
def _(answer: NotSent, operation: Operation) -> State:
    return State.NOT_SENT


@_state_by.register
def _(answer: Rejected, operation: Operation) -> State:
    state = State.EXPIRED if isinstance(answer, CodeTooLate) else State.REJECTED
    operation.counts_as_attempt = isinstance(answer, LoginRefused)
    if answer.observation is None:
        return state
    operation.cause = answer.observation.cause.value
    if operation.link:
        at = operation.ended_at or timezone.now()
        report = health.Report(answer.observation, Source.CALL, at, operation.pk, answer.failure.request_id)
        health.observe(operation.link, report)
    else:
        unrecognized_values.note_refusal(operation.integration.provider, answer.observation, at=timezone.now())
    return state


def _unknown(operation: Operation, why: str) -> State:
    operation.outcome = why
    transaction.on_commit(partial(wake_worker, "operations.reconcile", operation.pk))
    return State.UNKNOWN


def _compare(operation: Operation, asked: Asked) -> None:
    """Note what the bank asks for, and why it asks again if that is in answer to a code."""
    operation.asked = asked.stored()
    if operation.parent is None:
        return
    before = Asked(**operation.parent.asked) if operation.parent.asked else None
    why = why_asked_again(before, asked)
    operation.asked_again, operation.counts_as_attempt = why.value, why.counts


def _why_no_answer_is_left(operation: Operation) -> str:
    """Return the outcome of a sign-in in which nothing more may be answered; empty while something may."""
    if operation.codes_given >= MOST_ANSWERS:
        return TOO_MANY_STEPS
    left = budget.budget_of(operation).codes_left - operation.counts_as_attempt
    return "" if left > 0 else ATTEMPTS_SPENT


def _close_change(answer: apply_response.Answer, operation: Operation) -> State:
    """Close an operation of the table of changes by a good answer; one that shows the old state took nothing over."""
    operation.request_id = answer.request_id[:80] if answer is not None else ""
    is_contradicted = apply_response.contradicts(answer, operation)
    operation.outcome = NOT_TAKEN if is_contradicted else operation.outcome
    apply_response.take(answer, operation)
    apply_response.read_soon(operation)
    return State.REJECTED if is_contradicted else State.SUCCEEDED


def done(operation: Operation, remote: RemoteLink, *, at: datetime) -> None:
    """Take note of a change that took effect: a new link, or a repair that has yet to be proven."""
    if operation.begins_link:
        due_reads.want([_keep_link(operation, remote).pk], reason=Reason.REPAIR, at=timezone.now())
    else:
        repaired(operation, at=at, request_id=remote.request_id)


def repaired(operation: Operation, *, at: datetime, request_id: str) -> None:
    """Take note of a repair of a link: it counts as working once a read shows it."""
    if operation.link:
        health.start_verifying(operation.link, at=at, request_id=request_id)
        due_reads.want([operation.link.pk], reason=Reason.REPAIR, at=timezone.now())


def works(seen: Observation) -> bool:
    return VERDICTS[seen.cause].state is HealthState.HEALTHY


def stop_waiting(operation: Operation, cause: Cause, *, at: datetime) -> None:
    """Let the link say that its code step is over, and why."""
    if operation.link:
        seen = Observation(cause=cause, raw_status=operation.link.raw_status)
        health.observe(operation.link, health.Report(seen, Source.CALL, at, operation.pk))


def _keep_link(operation: Operation, remote: RemoteLink) -> Link:
    """Let the operation's link say what the provider said of it, and begin it if there is none yet."""
    at = operation.ended_at or timezone.now()
    report = health.Report(remote.observation, Source.CALL, at, operation.pk, remote.request_id)
    link = (
        operation.link
        or Link.objects.filter(
            integration=operation.integration, remote_id=remote.remote_id, disconnected_at=None
        ).first()
    )
    if link is None:
        link = Link(
            integration=operation.integration,
            end_user=operation.end_user,
            institution=operation.institution,
            owner=operation.actor,
            remote_id=remote.remote_id,
        )
        health.start_link(remote, link, report)
    else:
        health.observe_remote(link, remote, source=Source.CALL, at=at, operation_id=operation.pk)
    operation.link = link
    return link


def _take_failure(operation: Operation, error: ProviderError) -> None:
    failure = error.failure
    held_back = failure.reason in DENIED
    operation.outcome = failure.reason if held_back else type(error).__name__
    operation.http_status = failure.status
    operation.code = failure.code[:80]
    operation.words = failure.words[:500]
    operation.request_id = failure.request_id[:80]
    operation.field_errors = dict(failure.fields)
    operation.errors = [asdict(entry) for entry in failure.entries]
    operation.answer_body = failure.body
    if failure.retry_after:
        operation.retry_at = timezone.now() + timedelta(seconds=failure.retry_after)
