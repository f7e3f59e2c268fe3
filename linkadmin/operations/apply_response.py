"""What a response makes of what we know: of the operation, and of its link. Lost ones make nothing but a doubt."""

from datetime import datetime
from functools import partial

from django.db import transaction

from linkadmin.links import due_reads, health, unrecognized_values
from linkadmin.links.models import Reason
from linkadmin.providers.errors import CodeRequired, CodeTooLate, LoginRefused, NotSent, Rejected
from linkadmin.providers.records import Removed
from linkadmin.providers.types import Cause, Observation, RemoteLink
from linkadmin.wake_worker import wake_worker

from . import budget, encrypted
from .challenges import MOST_ANSWERS, Asked, why_asked_again
from .changes import change_of
from .link_updates import links_about, store_link
from .models import ACCEPTED, ATTEMPTS_SPENT, REPAIR_URL_LOST, TOO_MANY_STEPS, Operation, State

RECONCILE_TASK = "operations.reconcile"


def apply_response(operation: Operation, response: object, *, at: datetime) -> State:
    """Take a response into account; return the state that it brings. What we do not understand is UNKNOWN."""
    if isinstance(response, CodeRequired):
        return _ask_for_code(operation, response, at)
    if isinstance(response, NotSent):
        return State.NOT_SENT
    if isinstance(response, Rejected):
        return _reject(operation, response, at)
    change = change_of(operation)
    if isinstance(response, change.response):
        return _succeed(operation, response, at)
    if change.is_void_if_lost:
        operation.outcome = REPAIR_URL_LOST
        return State.EXPIRED
    return _doubt(operation, type(response).__name__)


def _succeed(operation: Operation, response: object, at: datetime) -> State:
    """Take a good response into account; one that shows the old state changed nothing."""
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
    operation.counts_as_attempt = isinstance(error, LoginRefused)
    seen = error.observation
    if seen is not None:
        operation.cause = seen.cause.value
        if operation.link:
            report = health.Report(seen, health.Source.CALL, at, operation.pk, error.failure.request_id)
            health.observe(operation.link, report)
        else:
            unrecognized_values.note_refusal(operation.integration.provider, seen, at=at)
    return State.EXPIRED if isinstance(error, CodeTooLate) else State.REJECTED


def _ask_for_code(operation: Operation, error: CodeRequired, at: datetime) -> State:
    """Wait for the customer's code, unless no answer is left in this sign-in."""
    asked = error.challenge
    _compare(operation, Asked.of(asked, sign_in=operation.origin.pk))
    over = _why_no_answer_is_left(operation)
    cause = Cause.CODE_NEEDED if over else Cause.CODE_WAITING
    waiting = Observation(cause=cause, raw_code=error.failure.code, raw_words=error.failure.words)
    store_link(operation, RemoteLink(remote_id=asked.remote_link_id, observation=waiting), at=at)
    if over:
        operation.outcome = over
        return State.REJECTED
    encrypted.store_challenge(operation, asked, received_at=at)
    return State.NEEDS_CODE


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
