"""How a request ends: its response, link, operation and audit event are stored together, or not at all.

A lost response is no outcome: the operation stays unknown until the records or a person decide.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from linkadmin.compiled_query import CompiledQuery
from linkadmin.database import release_connections
from linkadmin.integrations import call_pool, rate_limiter
from linkadmin.integrations.denials import DENIED
from linkadmin.integrations.slots import Slot
from linkadmin.links import due_reads, health, unrecognized_values
from linkadmin.links.models import Reason
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import (
    CodeExpired,
    CodeRequired,
    Duplicate,
    Failure,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    SignInRejected,
)
from linkadmin.providers.records import Removed
from linkadmin.providers.types import Cause, LinkRef, Observation, RemoteLink
from linkadmin.wake_worker import wake_worker
from linkadmin.web import storage

from . import budget, encrypted
from .challenges import MAX_ANSWERS, Asked, why_asked_again
from .changes import change_of
from .link_updates import links_about, store_link
from .models import ACCEPTED, ATTEMPTS_SPENT, TOO_MANY_STEPS, Operation, State
from .states import By, locked, move

logger = structlog.get_logger(__name__)

RECONCILE_TASK = "operations.reconcile"
RECORD_AGAIN_SECONDS = 1.0
Call = Callable[[Provider], object]


def make_call(operation: Operation, slot: Slot, provider: Provider, call: Call) -> None:
    """Send the one request in a worker thread, which records its outcome."""
    call_pool.start(operation.pk, slot, partial(_call_and_record, operation, provider, call))


def _call_and_record(operation: Operation, provider: Provider, call: Call) -> None:
    if not _may_send(operation):
        logger.warning("call.too_late", operation_id=str(operation.pk))
        return
    began = time.monotonic()
    response = _response_of(operation, provider, call)  # holds no database connection during the request
    duration_ms = round((time.monotonic() - began) * 1000)
    known = _look_up_duplicate(operation, provider) if isinstance(response, Duplicate) else None
    _record_with_retries(operation, response, duration_ms=duration_ms, known=known)


def _may_send(operation: Operation) -> bool:
    """Whether the operation is still ours, and its lease outlives the request."""
    waited_too_long = timezone.now() - timedelta(seconds=settings.LEASE_MARGIN_SECONDS)
    versions = _SENDING.rows(operation.pk, waited_too_long)
    return (operation.version,) in versions


_SENDING = CompiledQuery(
    lambda pk, after: Operation.objects.filter(pk=pk, state=State.SENDING, sent_at__gt=after).values_list("version"),
    types=(UUID, datetime),
)


def _record_with_retries(operation: Operation, response: object, *, duration_ms: int, known: RemoteLink | None) -> None:
    # A bank's response must not be lost while the database is unreachable.
    while True:
        try:
            record_outcome(operation, response, duration_ms=duration_ms, known=known)
            return
        except storage.UNUSABLE as error:
            trouble = storage.trouble_of(error)
            logger.warning("operation.not_settled_yet", operation_id=str(operation.pk), error=type(error).__name__)
            if trouble is None or operation.lease_until is None or timezone.now() > operation.lease_until:
                raise
        release_connections()
        time.sleep(RECORD_AGAIN_SECONDS)


def _response_of(operation: Operation, provider: Provider, call: Call) -> object:
    try:
        return call(provider)
    except ProviderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - our own error after the request may have left: the outcome is unknown
        logger.error("call.broken", operation_id=str(operation.pk), error=type(error).__name__)
    return OutcomeUnknown(Failure(operation=operation.kind, reason="our_fault"))


def _look_up_duplicate(operation: Operation, provider: Provider) -> RemoteLink | None:
    if not operation.creates_link or not operation.natural_key or operation.end_user is None:
        return None
    try:
        return provider.read_link(LinkRef(operation.natural_key, operation.end_user.external_id))
    except ProviderError:
        return None


@transaction.atomic
def record_outcome(
    operation: Operation, response: object, *, duration_ms: int, known: RemoteLink | None = None
) -> None:
    """Move an operation by its response, unless it was moved meanwhile."""
    rate_limiter.free_slot_in_use(operation.integration_id)  # before the integration is locked, as where one is taken
    current = locked(operation, State.SENDING)
    if current is None:
        logger.warning("operation.settled_elsewhere", operation_id=str(operation.pk))
        return
    current.duration_ms = duration_ms
    current.finished_at = at = timezone.now()
    if isinstance(response, ProviderError):
        _note_failure(current, response)
    if known is not None:
        store_link(current, known, at=at)
    state = apply_response(current, response, at=at)
    move(current, state, by=By.RESPONSE, at=at, actor=current.actor)


def _note_failure(operation: Operation, error: ProviderError) -> None:
    failure = error.failure
    is_denied = failure.reason in DENIED
    operation.outcome = failure.reason if is_denied else type(error).__name__
    operation.http_status = failure.status
    operation.code = failure.code[:80]
    operation.words = failure.words[:500]
    operation.request_id = failure.request_id[:80]
    operation.field_errors = dict(failure.fields)
    operation.errors = [asdict(entry) for entry in failure.entries]
    operation.answer_body = failure.body
    if failure.retry_after:
        operation.retry_at = timezone.now() + timedelta(seconds=failure.retry_after)


def apply_response(operation: Operation, response: object, *, at: datetime) -> State:
    """Apply a response and return the new state. A response we don't understand is UNKNOWN."""
    if isinstance(response, CodeRequired):
        return _ask_for_code(operation, response, at)
    if isinstance(response, NotSent):
        return State.NOT_SENT
    if isinstance(response, Rejected):
        return _reject(operation, response, at)
    change = change_of(operation)
    if isinstance(response, change.response):
        return _succeed(operation, response, at)
    return _doubt(operation, type(response).__name__)


def _succeed(operation: Operation, response: object, at: datetime) -> State:
    change = change_of(operation)
    operation.request_id = getattr(response, "request_id", "")[:80]
    operation.outcome = change.contradicts(operation, response)
    change.apply(operation, response, at)
    if operation.outcome:
        return State.REJECTED
    if change.shows_in_links:
        due_reads.want(links_about(operation), reason=Reason.REPAIR, at=at)
    is_unfinished = isinstance(response, Removed) and not response.finished
    return _doubt(operation, ACCEPTED) if is_unfinished else State.SUCCEEDED


def _doubt(operation: Operation, why: str) -> State:
    operation.outcome = why
    transaction.on_commit(partial(wake_worker, RECONCILE_TASK, operation.pk))
    return State.UNKNOWN


def _reject(operation: Operation, error: Rejected, at: datetime) -> State:
    operation.counts_as_attempt = isinstance(error, SignInRejected)
    seen = error.observation
    if seen is not None:
        operation.cause = seen.cause.value
        if operation.link:
            report = health.Report(seen, health.Source.CALL, at, operation.pk, error.failure.request_id)
            health.observe(operation.link, report)
        else:
            unrecognized_values.note_refusal(operation.integration, seen, at=at)
    return State.EXPIRED if isinstance(error, CodeExpired) else State.REJECTED


def _ask_for_code(operation: Operation, error: CodeRequired, at: datetime) -> State:
    asked = error.challenge
    _compare(operation, Asked.of(asked, sign_in=operation.origin.pk))
    over = _limit_reached(operation)
    cause = Cause.CODE_NEEDED if over else Cause.CODE_WAITING
    waiting = Observation(cause=cause, raw_code=error.failure.code, raw_words=error.failure.words)
    store_link(operation, RemoteLink(remote_id=asked.remote_link_id, observation=waiting), at=at)
    if over:
        operation.outcome = over
        return State.REJECTED
    encrypted.store_challenge(operation, asked, received_at=at)
    return State.NEEDS_CODE


def _compare(operation: Operation, asked: Asked) -> None:
    operation.asked = asdict(asked)
    if operation.parent is None:
        return
    before = Asked(**operation.parent.asked) if operation.parent.asked else None
    why = why_asked_again(before, asked)
    operation.asked_again, operation.counts_as_attempt = why.value, why.counts


def _limit_reached(operation: Operation) -> str:
    if operation.codes_given >= MAX_ANSWERS:
        return TOO_MANY_STEPS
    left = budget.budget_of(operation).codes_left - operation.counts_as_attempt
    return "" if left > 0 else ATTEMPTS_SPENT
