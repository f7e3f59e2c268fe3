"""What really happened when an answer was lost: learnt by reading, never by sending again.

A login may still be running at the provider after our line broke, so "not done" is believed only once that time is
over. What no record proves within a quarter of an hour is left to a person.
"""

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.database import release_connections
from linkadmin.links import connections
from linkadmin.providers.errors import ProviderError
from linkadmin.providers.types import Cause, RemoteLink

from . import reading, runner, settle
from .models import Operation, PendingChallenge, State

CHECK_EVERY = timedelta(seconds=10)
STILL_REFUSED = "still_refused"  # the bank may well have been asked, and said no
CLOCK_SKEW = timedelta(seconds=60)  # between the provider's clock and ours


def reconcile(operation: Operation, *, now: datetime) -> None:
    """Read what became of an operation of unknown outcome; close it if the records prove something.

    Raises `ProviderError` when the provider could not be asked.
    """
    if not _claim_check(operation, now=now):
        return
    proof = reading.read(operation.link) if operation.link else _created_link(operation)
    conclude(operation, *_verdict(operation, proof, now=now), proof=proof)


def check(*, actor: User, operation: Operation, seconds: float) -> bool:
    """Read for a person instead of waiting for the next round; tell whether the answer is in.

    A reading of the last seconds is not repeated.
    """
    with runner.place(operation.integration_id) as held:
        log.record(
            actor=actor,
            action="operation.checked",
            object_type="operation",
            object_id=str(operation.pk),
            outcome=Outcome.REQUESTED,
            operation_id=str(operation.pk),
        )
        runner.start(operation.pk, held, partial(reconcile_quietly, operation))
    return runner.wait_for(operation.pk, seconds)


def reconcile_quietly(operation: Operation) -> None:
    """Read what became of an operation; where that fails, the next round tries again."""
    now = timezone.now()
    try:
        reconcile(operation, now=now)
    except ProviderError:
        give_to_a_person(operation, now=now)


def give_to_a_person(operation: Operation, *, now: datetime) -> None:
    """Stop waiting for a provider that cannot be asked, once the time for proof is over."""
    conclude(operation, *_or_undecided(operation, now=now))


@transaction.atomic
def conclude(operation: Operation, state: State, why: str, *, proof: RemoteLink | None = None) -> None:
    """Close an operation of unknown outcome in `state`, unless somebody else did; UNKNOWN leaves it open."""
    if state is State.UNKNOWN:
        return
    rows = Operation.objects.select_for_update(of=("self",)).with_names()
    current = rows.filter(pk=operation.pk, state=State.UNKNOWN, version=operation.version).first()
    if current is None:
        return
    current.state, current.outcome, current.version = state, why, current.version + 1
    current.ended_at = None if state is State.UNDECIDED else timezone.now()
    current.counts_as_attempt = why == STILL_REFUSED
    # A lost request for a code repaired nothing, but it may have left a new link, not yet confirmed.
    if proof is not None and (state is State.CONFIRMED_DONE or (state is State.EXPIRED and current.link is None)):
        settle.done(current, proof, at=current.began_at)
    current.save()
    settle.record_end(current, actor=None)


def close_overdue(*, now: datetime) -> int:
    """Close what time has decided; return how many.

    Calls whose process died, intents never sent, codes that came too late, outcomes that no reading could prove.
    """
    closed = 0
    for operation in Operation.objects.with_names().filter(state=State.SENDING, lease_until__lt=now)[:100]:
        closed += _move(operation, State.UNKNOWN, "process_died", check_at=now)
    abandoned = now - timedelta(seconds=60)
    for operation in Operation.objects.with_names().filter(state=State.PREPARED, prepared_at__lt=abandoned)[:100]:
        closed += _move(operation, State.CANCELLED, "never_sent", ended_at=now)
    too_long = now - timedelta(seconds=settings.OPERATION_UNDECIDED_SECONDS) - CHECK_EVERY
    for operation in Operation.objects.with_names().filter(state=State.UNKNOWN, sent_at__lt=too_long)[:100]:
        closed += _move(operation, State.UNDECIDED, "no_proof")
    for challenge in PendingChallenge.objects.filter(expires_at__lt=now)[:100]:
        closed += _expire(challenge, now=now)
    return closed


def _claim_check(operation: Operation, *, now: datetime) -> bool:
    """Take this round of reading for ourselves, so that two workers do not ask twice."""
    due = Operation.objects.filter(pk=operation.pk, state=State.UNKNOWN, check_at__lte=now)
    return bool(due.update(check_at=now + CHECK_EVERY))


def _created_link(operation: Operation) -> RemoteLink | None:
    """Return the link a lost create may have made: the id we gave, or a new one of this customer at this bank."""
    provider = connections.connect(operation.integration)
    release_connections()
    found = provider.find_link(
        remote_id=operation.natural_key,
        end_user_id=operation.end_user.external_id,
        institution=operation.institution.name if operation.institution else "",
    )
    if operation.natural_key:
        return next(iter(found), None)
    ids = [link.remote_id for link in found]
    known = set(
        operation.integration.links.filter(remote_id__in=ids, ended_at=None).values_list("remote_id", flat=True)
    )
    earliest = operation.began_at - CLOCK_SKEW
    new = [link for link in found if link.remote_id not in known and link.created_at and link.created_at >= earliest]
    return next(iter(new), None)


def _verdict(operation: Operation, proof: RemoteLink | None, *, now: datetime) -> tuple[State, str]:
    settled = now - operation.began_at >= timedelta(seconds=settings.RECONCILE_SETTLED_SECONDS)
    if proof is None and settled and _absence_proves(operation):
        return State.CONFIRMED_NOT_DONE, "not_found"
    if proof is None:
        return _or_undecided(operation, now=now)
    if proof.observation.cause in (Cause.CODE_NEEDED, Cause.UNCONFIRMED):
        return (State.EXPIRED, "code_request_lost") if settled else _or_undecided(operation, now=now)
    if operation.begins_link and operation.link is None:
        return State.CONFIRMED_DONE, "found"
    if _shows_the_repair(operation, proof):
        return State.CONFIRMED_DONE, "good_data_since"
    if settled and proof.observation.cause is Cause.LOGIN_REFUSED:
        return State.CONFIRMED_NOT_DONE, STILL_REFUSED
    return _or_undecided(operation, now=now)


def _absence_proves(operation: Operation) -> bool:
    """Tell whether a link that is not found was not made: only where we gave it its id, or it was there before."""
    return bool(operation.natural_key or operation.link_id)


def _shows_the_repair(operation: Operation, proof: RemoteLink) -> bool:
    """A log-in at the bank that succeeded after we sent, on a link that works now."""
    good = proof.observation.last_good_at
    if good is None or good == operation.good_data_before or not settle.works(proof.observation):
        return False
    # Only where the log-in before it is known can one that seems a little earlier than the call be told from it.
    return good >= operation.began_at - (CLOCK_SKEW if operation.good_data_before else timedelta(0))


def _or_undecided(operation: Operation, *, now: datetime) -> tuple[State, str]:
    waited = now - operation.began_at
    if waited >= timedelta(seconds=settings.OPERATION_UNDECIDED_SECONDS):
        return State.UNDECIDED, "no_proof"
    return State.UNKNOWN, ""


@transaction.atomic
def _move(operation: Operation, state: State, why: str, **times: datetime) -> bool:
    rows = Operation.objects.filter(pk=operation.pk, state=operation.state, version=operation.version)
    if not rows.update(state=state, outcome=why, version=operation.version + 1, **times):
        return False
    operation.state, operation.outcome = state, why
    settle.record_end(operation, actor=None)
    return True


@transaction.atomic
def _expire(challenge: PendingChallenge, *, now: datetime) -> bool:
    """Close a code step whose time is over, unless the code was given or the step withdrawn at this very moment."""
    operation = Operation.objects.with_names().filter(pk=challenge.operation_id, state=State.NEEDS_TOKEN).first()
    if operation is None or not _move(operation, State.EXPIRED, "code_too_late", ended_at=now):
        return False
    challenge.delete()
    settle.stop_waiting(operation, Cause.CODE_TOO_LATE, at=now)
    return True
