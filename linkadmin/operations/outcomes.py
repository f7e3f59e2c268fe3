"""How a call ends: its response, link, operation and audit event change together, or not at all."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from linkadmin.database import release_connections
from linkadmin.integrations import call_pool
from linkadmin.integrations.denials import DENIED
from linkadmin.integrations.slots import Slot
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Duplicate, Failure, OutcomeUnknown, ProviderError
from linkadmin.providers.types import LinkRef, RemoteLink
from linkadmin.web import storage

from .apply_response import apply_response
from .link_updates import store_link
from .models import Operation, State
from .states import By, locked, move

logger = structlog.get_logger(__name__)

RECORD_AGAIN_SECONDS = 1.0
Call = Callable[[Provider], object]


def make_call(operation: Operation, slot: Slot, provider: Provider, call: Call) -> None:
    """Make the one call of a claimed operation beside the page, and record its outcome."""
    call_pool.start(operation.pk, slot, partial(_call_and_record, operation, provider, call))


def _call_and_record(operation: Operation, provider: Provider, call: Call) -> None:
    """Make the call if it is still ours to make, with no database connection meanwhile, and record what came of it."""
    if not _may_send(operation):
        logger.warning("call.too_late", operation_id=str(operation.pk))
        return
    began = time.monotonic()
    response = _response_of(operation, provider, call)
    duration_ms = round((time.monotonic() - began) * 1000)
    known = _look_up_duplicate(operation, provider) if isinstance(response, Duplicate) else None
    _record_surely(operation, response, duration_ms=duration_ms, known=known)


def _may_send(operation: Operation) -> bool:
    """Tell whether nobody gave the operation up while it waited for a thread, nor will before the call is over."""
    ours = Operation.objects.filter(pk=operation.pk, state=State.SENDING, version=operation.version)
    waited_too_long = timezone.now() - timedelta(seconds=settings.LEASE_MARGIN_SECONDS)
    return ours.filter(sent_at__gt=waited_too_long).exists()


def _record_surely(operation: Operation, response: object, *, duration_ms: int, known: RemoteLink | None) -> None:
    """Try again and again while the database cannot be reached: a response of the bank is not thrown away."""
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
    except Exception as error:  # noqa: BLE001 - a fault of ours after the request may have left: the outcome is lost
        logger.error("call.broken", operation_id=str(operation.pk), error=type(error).__name__)
    return OutcomeUnknown(Failure(operation=operation.kind, reason="our_fault"))


def _look_up_duplicate(operation: Operation, provider: Provider) -> RemoteLink | None:
    """Read the link the provider says it has already, so that it can be shown."""
    if not operation.begins_link or not operation.natural_key or operation.end_user is None:
        return None
    try:
        return provider.read_link(LinkRef(operation.natural_key, operation.end_user.external_id))
    except ProviderError:
        return None


@transaction.atomic
def record_outcome(
    operation: Operation, response: object, *, duration_ms: int, known: RemoteLink | None = None
) -> None:
    """Move an operation by the response to its call, unless somebody else moved it meanwhile."""
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
    move(current, apply_response(current, response, at=at), by=By.RESPONSE, at=at, actor=current.actor)


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
