"""How an operation reaches its one request: checked, written, claimed, sent once."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from linkadmin.audit import log
from linkadmin.compiled_query import CompiledQuery
from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, Institution
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import KeysRejected
from linkadmin.staff_limits.counting import LimitReached, note_reached, take
from linkadmin.staff_limits.kinds import LimitKind
from linkadmin.web import storage

from . import refusals, slots
from .models import Operation, OperationKind, PendingChallenge, State
from .outcomes import Call, make_call
from .states import By, lock_integration, locked, move, record, refused

logger = structlog.get_logger(__name__)

Rules = Callable[[], None]
_SENT = CompiledQuery(
    lambda actor, key: Operation.objects.filter(actor=actor, operation_key=key).values_list("pk"), types=(UUID, UUID)
)
_OPEN_ON_LINK = CompiledQuery(lambda link: Operation.objects.open().filter(link=link).values_list("pk"))


def start(
    operation: Operation, call: Call, *, rules: Rules, name: str, answers: PendingChallenge | None = None
) -> Operation:
    """Write the intent, claim it, and send its one request. The same form submitted twice is one operation.

    `rules` raises a `Refusal` if our own rules forbid it. It runs with the intent written, so that no concurrent
    operation can pass as well. `name` is the provider's call, for quotas. `answers` is the challenge this submits a
    code for; it ends with the intent.
    """
    if earlier := sent_before(operation):
        return earlier
    try:
        if answers is None:
            _require_free(operation)
        provider = _client_or_refusal(operation.integration)
        seconds = _deadline_of(operation)
        with (
            _saved_or_refused(),
            slots.slot_for(
                operation.integration_id,
                person=operation.actor,
                call=name,
                seconds=seconds,
                with_it=lambda: _write(operation, rules, answers),
            ) as held,
        ):
            make_call(operation, held, provider, call)
    except (IntegrityError, _LinkTaken, refusals.ChallengeClosed) as taken:
        # Lost a race: to the second click of this form, or to a colleague.
        if earlier := sent_before(operation):
            return earlier
        refusal = taken if isinstance(taken, refusals.Refusal) else refusals.AlreadyOpen(_open_rival(operation))
        raise refused(operation, refusal) from None
    except LimitReached as reached:  # recorded once, not each time
        note_reached(reached)
        raise refusals.TooManyCredentials(reached) from None
    except refusals.NotSaved:  # then neither can its audit event
        raise
    except refusals.Refusal as refusal:
        raise refused(operation, refusal) from None
    return operation


@contextmanager
def _saved_or_refused() -> Iterator[None]:
    # A refusal lets the form say so and keep its values.
    try:
        yield
    except storage.UNUSABLE as error:
        if storage.trouble_of(error) is None:
            raise
        logger.error("operation.not_saved", trouble=storage.trouble_of(error))
    else:
        return
    raise refusals.NotSaved


def sent_before(operation: Operation) -> Operation | None:
    """The operation this form already started. Raises `KeyReused` if its values differ."""
    if not _SENT.row(operation.actor.pk, operation.operation_key):
        return None
    made = Operation.objects.with_names().get(actor=operation.actor, operation_key=operation.operation_key)
    if made.fingerprint != fingerprint(operation):
        raise refused(operation, refusals.KeyReused())
    return made


def _client_or_refusal(integration: Integration) -> Provider:
    if not integration.is_active or integration.keys_rejected:
        raise refusals.IntegrationOff
    try:
        return client_for(integration)
    except KeysRejected:
        raise refusals.IntegrationOff from None


def _deadline_of(operation: Operation) -> float:
    """In seconds: many more where the provider may sign in at the bank."""
    may_log_in = operation.logs_in and operation.integration.provider_class.signs_in_at_bank
    return settings.PROVIDER_CREDENTIALS_SECONDS if may_log_in else settings.PROVIDER_CHANGE_SECONDS


def fingerprint(operation: Operation) -> str:
    said = {
        "kind": operation.kind,
        "integration": str(operation.integration_id),
        "link": str(operation.link_id),
        "end_user": operation.end_user.external_id if operation.end_user else "",
        "target": operation.natural_key,
        "institution": operation.institution.name if operation.institution else "",
        "parent": str(operation.parent_id),
        "parameters": operation.parameters,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


class _LinkTaken(Exception):
    """Writing this operation showed that another one is open on the link."""


def _require_free(operation: Operation) -> None:
    # The locks would show these only later.
    if operation.link_id and _OPEN_ON_LINK.row(operation.link_id):
        raise _LinkTaken
    slots.require_free_slot(operation.integration_id, person=operation.actor)


def _write(operation: Operation, rules: Rules, answers: PendingChallenge | None) -> None:
    """Write the intent and claim it, with its audit event: committed together, before the first byte leaves."""
    operation.fingerprint = fingerprint(operation)
    is_new_customer = False
    if operation.link is None:  # otherwise both are stored
        if operation.end_user is not None:
            lock_integration(operation.integration_id)  # before its new customers, as discovery does
            operation.end_user, is_new_customer = _stored_customer(operation.end_user)
        operation.institution = _stored_bank(operation.institution)
    if answers:
        asked = locked(answers.operation, State.NEEDS_CODE)
        if asked is None:
            raise refusals.ChallengeClosed
        move(asked, State.CODE_ENTERED, by=By.CODE, at=timezone.now())
        answers.delete()
    operation.save(force_insert=True)
    rules()
    if operation.logs_in:
        take(operation.actor, LimitKind.CREDENTIALS, operation.pk)
    _claim(operation)
    # Last, for the audit log is locked from here on: others lock customers and integrations before it.
    if is_new_customer:
        log.record(
            actor=operation.actor,
            action=log.Action.END_USER_CREATED,
            object_type=log.ObjectType.END_USER,
            object_id=str(operation.end_user_id),
            outcome=log.Outcome.DONE,
        )
    record(operation, log.Outcome.REQUESTED, actor=operation.actor)


def _stored_customer(customer: EndUser) -> tuple[EndUser, bool]:
    """And whether it's new."""
    return EndUser.objects.get_or_create(
        external_id=customer.external_id, defaults={"pk": customer.pk, "name": customer.name}
    )


def _stored_bank(bank: Institution | None) -> Institution | None:
    if bank is None:
        return None
    stored, _made = Institution.objects.get_or_create(
        integration=bank.integration, name=bank.name, defaults={"pk": bank.pk, "display_name": bank.display_name}
    )
    return stored


def _claim(operation: Operation) -> None:
    """Lease it to its one request."""
    seconds = _deadline_of(operation) + settings.LEASE_MARGIN_SECONDS
    operation.sent_at = timezone.now()
    operation.lease_until = operation.sent_at + timedelta(seconds=seconds)
    move(operation, State.SENDING, by=By.START, at=operation.sent_at)


def _open_rival(operation: Operation) -> Operation | None:
    rivals = Operation.objects.open().with_names()
    if operation.link_id:
        return rivals.filter(link=operation.link_id).first()
    same_item = Q(integration=operation.integration_id, natural_key=operation.natural_key) & ~Q(natural_key="")
    customer = operation.end_user.external_id if operation.end_user else ""
    bank = operation.institution.name if operation.institution else ""
    same_bank = Q(end_user__external_id=customer, institution__name=bank, integration=operation.integration_id)
    return rivals.filter(same_item | same_bank, kind=OperationKind.CREATE_LINK).first()
