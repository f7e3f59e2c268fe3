"""How a call ends: its answer, link, operation and audit event change together, or not at all."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial, singledispatch

import structlog
from django.db import transaction
from django.utils import timezone

from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.links import connections, health
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link
from linkadmin.links.sealed import seal
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
from linkadmin.providers.types import Cause, HealthState, LinkRef, Observation, RemoteLink

from . import challenges, runner
from .models import Operation, OperationKind, PendingChallenge, State
from .nudges import nudge

logger = structlog.get_logger(__name__)

SESSION_TABLE = PendingChallenge._meta.db_table
OUTCOMES = {
    State.NOT_SENT: Outcome.NOT_SENT,
    State.SUCCEEDED: Outcome.DONE,
    State.REJECTED: Outcome.REFUSED,
    State.NEEDS_TOKEN: Outcome.NEEDS_CODE,
    State.EXPIRED: Outcome.EXPIRED,
    State.CANCELLED: Outcome.CANCELLED,
    State.UNKNOWN: Outcome.UNKNOWN,
    State.UNDECIDED: Outcome.UNDECIDED,
    State.CONFIRMED_DONE: Outcome.DONE,
    State.CONFIRMED_NOT_DONE: Outcome.REFUSED,
}
Source = health.Source
Call = Callable[[Provider], RemoteLink]
Answer = RemoteLink | ProviderError


def make_call(operation: Operation, held: runner.Place, provider: Provider, call: Call) -> None:
    """Make the one call of a claimed operation beside the page, and settle the operation by its answer."""
    runner.start(operation.pk, held, partial(_call_and_settle, operation, provider, call))


def _call_and_settle(operation: Operation, provider: Provider, call: Call) -> None:
    began = time.monotonic()
    answer = _answer_of(operation, provider, call)
    duration_ms = round((time.monotonic() - began) * 1000)
    known = _look_up_duplicate(operation, provider) if isinstance(answer, Duplicate) else None
    settle(operation, answer, duration_ms=duration_ms, known=known)


def _answer_of(operation: Operation, provider: Provider, call: Call) -> Answer:
    try:
        return call(provider)
    except ProviderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a fault of ours after the request may have left: the outcome is lost
        logger.error("call.broken", operation_id=str(operation.pk), error=type(error).__name__)
    return OutcomeUnknown(Failure(operation=operation.kind, reason="our_fault"))


def _look_up_duplicate(operation: Operation, provider: Provider) -> RemoteLink | None:
    """Read the link the provider says it has already, so that it can be shown."""
    if not operation.natural_key:
        return None
    try:
        return provider.read_link(LinkRef(operation.natural_key, operation.end_user.external_id))
    except ProviderError:
        return None


@transaction.atomic
def settle(operation: Operation, answer: Answer, *, duration_ms: int, known: RemoteLink | None = None) -> None:
    """Close an operation by the answer to its call, unless somebody else closed it meanwhile."""
    rows = Operation.objects.select_for_update(of=("self",)).with_names()
    current = rows.filter(pk=operation.pk, state=State.SENDING, version=operation.version).first()
    if current is None:
        logger.warning("operation.settled_elsewhere", operation_id=str(operation.pk))
        return
    current.duration_ms = duration_ms
    current.ended_at = timezone.now()
    if isinstance(answer, ProviderError):
        _take_failure(current, answer)
        connections.note_keys(current.integration, answer)
    if known is not None:
        _keep_link(current, known)
    close(answer, current)
    current.version += 1
    current.save()
    record_end(current)


@singledispatch
def close(answer: object, operation: Operation) -> None:
    """Move an operation by the kind of its answer. Lost answers, and what we do not understand, are UNKNOWN."""
    operation.state, operation.outcome = State.UNKNOWN, type(answer).__name__
    operation.check_at, operation.ended_at = timezone.now(), None
    transaction.on_commit(partial(nudge, "operations.reconcile", operation.pk))


@close.register
def _(answer: RemoteLink, operation: Operation) -> None:
    operation.state, operation.request_id = State.SUCCEEDED, answer.request_id[:80]
    done(operation, answer, at=operation.ended_at or timezone.now())


@close.register
def _(answer: CodeRequired, operation: Operation) -> None:
    now = operation.ended_at or timezone.now()
    asked = answer.challenge
    operation.state, operation.ended_at = State.NEEDS_TOKEN, None
    operation.counts_as_attempt = operation.kind == OperationKind.SUBMIT_TOKEN  # the code before was wrong
    if operation.counts_as_attempt:
        operation.ended_at = now
    waiting = Observation(cause=Cause.CODE_WAITING, raw_code=answer.failure.code, raw_words=answer.failure.words)
    _keep_link(operation, RemoteLink(remote_id=asked.remote_link_id, observation=waiting))
    challenge = PendingChallenge(
        operation=operation,
        remote_link_id=asked.remote_link_id,
        kind=asked.kind,
        expects_input=asked.expects_input,
        received_at=now,
        expires_at=now + timedelta(seconds=asked.expires_in),
        wrong_codes=_wrong_codes(operation),
    )
    challenge.sealed_session = seal(asked.session, table=SESSION_TABLE, row=challenge.pk, field="session", version=1)
    challenge.save(force_insert=True)
    shown = challenges.Shown(asked.instructions, asked.value, challenge.expires_at)
    transaction.on_commit(partial(challenges.keep, challenge.pk, shown))


@close.register
def _(answer: NotSent, operation: Operation) -> None:
    operation.state = State.NOT_SENT


@close.register
def _(answer: Rejected, operation: Operation) -> None:
    operation.state = State.REJECTED
    operation.counts_as_attempt = isinstance(answer, LoginRefused)
    if answer.observation and operation.link:
        report = health.Report(
            answer.observation,
            Source.CALL,
            operation.ended_at or timezone.now(),
            operation.pk,
            answer.failure.request_id,
        )
        health.observe(operation.link, report)
        operation.cause = answer.observation.cause.value
    elif answer.observation:
        operation.cause = answer.observation.cause.value


@close.register
def _(answer: CodeTooLate, operation: Operation) -> None:
    _close_rejected = close.dispatch(Rejected)
    _close_rejected(answer, operation)
    operation.state = State.EXPIRED


def done(operation: Operation, remote: RemoteLink, *, at: datetime) -> None:
    """Take note of a change that took effect: a new link, or a repair that has yet to be proven."""
    if begins_link(operation):
        _keep_link(operation, remote)
        transaction.on_commit(partial(nudge, "operations.prove", operation.link_id))
    else:
        repaired(operation, at=at, request_id=remote.request_id)


def repaired(operation: Operation, *, at: datetime, request_id: str) -> None:
    """Take note of a repair of a link: it counts as working once a read shows it."""
    if operation.link:
        health.begin_proving(operation.link, at=at, request_id=request_id)
        transaction.on_commit(partial(nudge, "operations.prove", operation.link_id))


def works(seen: Observation) -> bool:
    return VERDICTS[seen.cause].state is HealthState.HEALTHY


def stop_waiting(operation: Operation, cause: Cause, *, at: datetime) -> None:
    """Let the link say that its code step is over, and why."""
    if operation.link:
        seen = Observation(cause=cause, raw_status=operation.link.raw_status)
        health.observe(operation.link, health.Report(seen, Source.CALL, at, operation.pk))


def begins_link(operation: Operation) -> bool:
    """Tell whether an operation, or the one whose code it gives, creates a link."""
    while operation.parent is not None:
        operation = operation.parent
    return operation.kind == OperationKind.CREATE_LINK


def record_end(operation: Operation) -> None:
    """Put an operation's move into the audit trail, in the transaction that makes it."""
    log.record(
        actor=operation.actor,
        action=f"operation.{operation.kind}",
        object_type="link" if operation.link_id else "end_user",
        object_id=str(operation.link_id or operation.end_user_id),
        outcome=OUTCOMES[State(operation.state)],
        operation_id=str(operation.pk),
        details=operation.facts(),
    )


def _keep_link(operation: Operation, remote: RemoteLink) -> None:
    """Let the operation's link say what the provider said of it, and begin it if there is none yet."""
    at = operation.ended_at or timezone.now()
    report = health.Report(remote.observation, Source.CALL, at, operation.pk, remote.request_id)
    link = (
        operation.link
        or Link.objects.filter(integration=operation.integration, remote_id=remote.remote_id, ended_at=None).first()
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


def _take_failure(operation: Operation, error: ProviderError) -> None:
    failure = error.failure
    operation.outcome = type(error).__name__
    operation.http_status = failure.status
    operation.code = failure.code[:80]
    operation.words = failure.words[:500]
    operation.request_id = failure.request_id[:80]
    operation.field_errors = dict(failure.fields)
    if failure.retry_after:
        operation.retry_at = timezone.now() + timedelta(seconds=failure.retry_after)


def _wrong_codes(operation: Operation) -> int:
    count = 0
    while operation.kind == OperationKind.SUBMIT_TOKEN and operation.parent:
        count, operation = count + 1, operation.parent
    return count
