"""What a person can have done at a provider. Each function writes the intent, then starts one call, once.

Every function raises a `Refusal` when our own rules forbid it; the refusal is in the audit trail before it is raised.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.links.connections import connect
from linkadmin.links.models import EndUser, Institution, Integration, Link
from linkadmin.links.sealed import SealBroken, unseal
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import KeysRefused
from linkadmin.providers.types import Cause, NewLink, RemoteLink, Secret

from . import challenges, refusals, runner
from .budget import require_attempt
from .models import Operation, OperationKind, PendingChallenge, State
from .settle import SESSION_TABLE, Call, make_call, repaired, stop_waiting

Values = Mapping[str, str | Secret]


def create_link(
    *,
    actor: User,
    integration: Integration,
    end_user: EndUser,
    institution: Institution | None,
    values: Values,
    operation_key: UUID,
    natural_key: str = "",
    second_link: bool = False,
) -> Operation:
    """Create a link at the provider. Stops before any call when the customer has it, or one at this bank, already."""
    operation = Operation(
        kind=OperationKind.CREATE_LINK,
        integration=integration,
        end_user=end_user,
        institution=institution,
        actor=actor,
        operation_key=operation_key,
        parameters=_not_secret(values),
        natural_key=natural_key,
    )
    if earlier := _sent_before(operation):
        return earlier
    try:
        _require_new(operation, second_link=second_link)
        _require_keys(integration)
    except refusals.Refusal as refusal:
        raise _refused(operation, refusal) from None
    new_link = NewLink(
        end_user_id=end_user.external_id,
        end_user_name=end_user.name,
        institution=institution.name if institution else "",
        values={**integration.speaks.fixed_values(institution), **values},
    )
    return _send(operation, lambda provider: provider.create_link(new_link))


def update_credentials(*, actor: User, link: Link, values: Values, operation_key: UUID) -> Operation:
    """Give the bank's new credentials to the provider: one log-in attempt at the bank, at most."""
    operation = Operation(
        kind=OperationKind.UPDATE_CREDENTIALS,
        integration=link.integration,
        end_user=link.end_user,
        institution=link.institution,
        link=link,
        actor=actor,
        operation_key=operation_key,
        parameters=_not_secret(values),
        good_data_before=link.last_good_at,
    )
    if earlier := _sent_before(operation):
        return earlier
    try:
        _require_form(link)
        require_attempt(link)
        _require_keys(link.integration)
    except refusals.Refusal as refusal:
        raise _refused(operation, refusal) from None
    return _send(operation, lambda provider: provider.update_credentials(link.ref, values))


def submit_token(*, actor: User, challenge: PendingChallenge, token: Secret | None, operation_key: UUID) -> Operation:
    """Give the bank's one-time code to the provider, or tell it to go on where no code is expected."""
    asked = challenge.operation
    operation = Operation(
        kind=OperationKind.SUBMIT_TOKEN,
        integration=asked.integration,
        end_user=asked.end_user,
        institution=asked.institution,
        link=asked.link,
        parent=asked,
        actor=actor,
        operation_key=operation_key,
        good_data_before=asked.good_data_before,
    )
    if earlier := _sent_before(operation):
        return earlier
    try:
        if asked.actor_id != actor.pk:
            raise refusals.NotYours
        if challenge.has_expired(timezone.now()):
            raise refusals.ChallengeOver
        session, remote_link_id = _session_of(challenge), challenge.remote_link_id
        call: Call = partial(_resume, session=session, remote_link_id=remote_link_id, token=token)
        provider = _speak(operation.integration)
        with runner.place(operation.integration_id) as held:
            _answer(challenge, operation)
            challenges.forget(challenge.pk)
            make_call(operation, held, provider, call)
    except refusals.ChallengeOver as refusal:
        # The second click of this form, a moment after the first.
        if earlier := _sent_before(operation):
            return earlier
        raise _refused(operation, refusal) from None
    except refusals.Refusal as refusal:
        raise _refused(operation, refusal) from None
    return operation


def withdraw(*, actor: User, operation: Operation) -> None:
    """Give up a login attempt that waits for a code, so that another can be started."""
    with transaction.atomic():
        moved = Operation.objects.filter(pk=operation.pk, state=State.NEEDS_TOKEN).update(
            state=State.EXPIRED, outcome="withdrawn", ended_at=timezone.now(), version=operation.version + 1
        )
        if not moved:
            raise refusals.NotOpen
        for challenge in PendingChallenge.objects.filter(operation=operation):
            challenges.forget(challenge.pk)
            challenge.delete()
        stop_waiting(operation, Cause.CODE_NEEDED, at=timezone.now())
        _record(operation, actor, ".withdrawn", Outcome.DONE)


def decide(*, actor: User, operation: Operation, done: bool, note: str) -> None:
    """Settle an outcome that nobody could learn, by a person's word and reason."""
    if operation.actor_id == actor.pk:
        raise _refused(operation, refusals.OwnOperation(), actor=actor)
    with transaction.atomic():
        moved = Operation.objects.filter(pk=operation.pk, state=State.UNDECIDED).update(
            state=State.CONFIRMED_DONE if done else State.CONFIRMED_NOT_DONE,
            outcome="decided",
            decided_by=actor,
            note=note,
            ended_at=timezone.now(),
            version=operation.version + 1,
        )
        if not moved:
            raise refusals.NotOpen
        if done:
            repaired(operation, at=operation.began_at, request_id=operation.request_id)
        _record(operation, actor, ".decided", Outcome.DONE)


def deadline_of(operation: Operation) -> float:
    """Return the seconds its call may take in all. A link that logs in at a bank is a credential call, too."""
    if operation.kind == OperationKind.CREATE_LINK and not operation.integration.lists_institutions:
        return settings.PROVIDER_CHANGE_SECONDS
    return settings.PROVIDER_CREDENTIALS_SECONDS


def _send(operation: Operation, call: Call) -> Operation:
    """Write the intent, claim it, and start its one call. The same form sent twice is one operation."""
    try:
        provider = _speak(operation.integration)
        with runner.place(operation.integration_id) as held:
            _prepare(operation)
            if not _claim(operation):
                raise refusals.NotOpen
            make_call(operation, held, provider, call)
    except IntegrityError:
        # Somebody was faster: the second click of this form, or a colleague with another one.
        if earlier := _sent_before(operation):
            return earlier
        raise _refused(operation, refusals.AlreadyOpen(_open_rival(operation))) from None
    except refusals.Refusal as refusal:
        raise _refused(operation, refusal) from None
    return operation


@transaction.atomic
def _prepare(operation: Operation) -> None:
    operation.fingerprint = _fingerprint(operation)
    operation.save(force_insert=True)
    _record(operation, operation.actor, "", Outcome.REQUESTED)


def _claim(operation: Operation) -> bool:
    """Move it to SENDING, if nobody else did. Committed before the first byte leaves."""
    _lease(operation)
    moved = Operation.objects.filter(pk=operation.pk, state=State.PREPARED, version=operation.version).update(
        state=State.SENDING,
        sent_at=operation.sent_at,
        lease_until=operation.lease_until,
        version=operation.version + 1,
    )
    operation.state, operation.version = State.SENDING, operation.version + 1
    return bool(moved)


def _answer(challenge: PendingChallenge, operation: Operation) -> None:
    """Close the operation that asked for the code and begin the one that gives it, both or none."""
    asked = challenge.operation
    operation.state, operation.fingerprint = State.SENDING, _fingerprint(operation)
    _lease(operation)
    with transaction.atomic():
        moved = Operation.objects.filter(pk=asked.pk, state=State.NEEDS_TOKEN, version=asked.version).update(
            state=State.ANSWERED, ended_at=operation.sent_at, version=asked.version + 1
        )
        if not moved:
            raise refusals.ChallengeOver
        challenge.delete()
        operation.save(force_insert=True)
        _record(operation, operation.actor, "", Outcome.REQUESTED)


def _lease(operation: Operation) -> None:
    operation.sent_at = timezone.now()
    seconds = deadline_of(operation) + settings.OPERATION_LEASE_MARGIN_SECONDS
    operation.lease_until = operation.sent_at + timedelta(seconds=seconds)


def _session_of(challenge: PendingChallenge) -> Secret:
    """Open the provider's session. One that does not open any more is as good as over."""
    try:
        return unseal(challenge.sealed_session, table=SESSION_TABLE, row=challenge.pk, field="session", version=1)
    except SealBroken:
        raise refusals.ChallengeOver from None


def _resume(provider: Provider, *, session: Secret, remote_link_id: str, token: Secret | None) -> RemoteLink:
    return provider.submit_token(session=session, remote_link_id=remote_link_id, token=token)


def _sent_before(operation: Operation) -> Operation | None:
    """Return the operation this form already made. Raises `KeyReused` when the form now says something else."""
    made = Operation.objects.with_names().filter(actor=operation.actor, operation_key=operation.operation_key).first()
    if made and made.fingerprint != _fingerprint(operation):
        raise _refused(operation, refusals.KeyReused())
    return made


def _open_rival(operation: Operation) -> Operation | None:
    if operation.link_id:
        return Operation.objects.open().with_names().filter(link=operation.link_id).first()
    same_item = Q(integration=operation.integration_id, natural_key=operation.natural_key) & ~Q(natural_key="")
    same_bank = Q(end_user=operation.end_user_id, institution=operation.institution_id, institution__isnull=False)
    creates = Operation.objects.open().with_names().filter(kind=OperationKind.CREATE_LINK)
    return creates.filter(same_item | same_bank).first()


def _require_new(operation: Operation, *, second_link: bool) -> None:
    """Refuse a link the customer has already, and a second one at a bank unless it is wanted."""
    live = Link.objects.filter(ended_at=None).select_related("end_user", "institution", "integration")
    if operation.natural_key:
        same = live.filter(integration=operation.integration, remote_id=operation.natural_key).first()
        if same:
            raise refusals.DuplicateLink(same, same_item=True)
    if operation.institution and not second_link:
        at_bank = live.filter(end_user=operation.end_user, institution=operation.institution).first()
        if at_bank:
            raise refusals.DuplicateLink(at_bank, same_item=False)


def _require_form(link: Link) -> None:
    if link.is_ended or not link.integration.speaks.update_fields(link.institution):
        raise refusals.NoCredentials


def _require_keys(integration: Integration) -> None:
    if not integration.is_active or integration.keys_refused:
        raise refusals.IntegrationOff


def _speak(integration: Integration) -> Provider:
    """Open the integration's keys, before anything is begun that would need them."""
    try:
        return connect(integration)
    except KeysRefused:
        raise refusals.IntegrationOff from None


def _not_secret(values: Values) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _fingerprint(operation: Operation) -> str:
    """Return a digest of what the form said, without its secrets."""
    said = {
        "kind": operation.kind,
        "integration": str(operation.integration_id),
        "link": str(operation.link_id),
        "end_user": str(operation.end_user_id),
        "institution": str(operation.institution_id),
        "parent": str(operation.parent_id),
        "parameters": operation.parameters,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _refused(operation: Operation, refusal: refusals.Refusal, *, actor: User | None = None) -> refusals.Refusal:
    """Put a refusal of ours into the audit trail and hand it back to be raised."""
    log.record(
        actor=actor or operation.actor,
        action=f"operation.{operation.kind}",
        object_type="link" if operation.link_id else "end_user",
        object_id=str(operation.link_id or operation.end_user_id),
        outcome=Outcome.REFUSED,
        details={"reason": refusal.reason},
    )
    return refusal


def _record(operation: Operation, actor: User, what: str, outcome: Outcome) -> None:
    log.record(
        actor=actor,
        action=f"operation.{operation.kind}{what}",
        object_type="link" if operation.link_id else "end_user",
        object_id=str(operation.link_id or operation.end_user_id),
        outcome=outcome,
        operation_id=str(operation.pk),
    )
