"""Processes a full check: a few requests at once, one worker at a time, for a time slice."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import structlog
from django.utils.translation import gettext as _

from linkadmin.integrations import connections
from linkadmin.integrations.denials import KEYS_REJECTED
from linkadmin.integrations.models import Integration
from linkadmin.operations.reading import why_check_failed
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import KeysRejected, ProviderError
from linkadmin.providers.http.admission import ADDRESS_REFUSED
from linkadmin.providers.records import FullCheckBy
from linkadmin.sync.live_queries import QueryFailure
from linkadmin.sync.models import FullCheck, FullCheckBatch
from linkadmin.sync.troubles import explain_failure
from linkadmin.wake_worker import wake_worker
from linkadmin.work_queue import TimeSlice, release, retry_later, wait_after, work_side_by_side

from . import lifecycle, lists, missing

logger = structlog.get_logger(__name__)

CALLS_AT_ONCE = 4
CLAIMED_AT_ONCE = 12  # few enough to finish before their leases expire
SIGN_OF_LIFE = 2.0  # seconds
FEW_CUSTOMERS = 20  # may be skipped
LASTING = frozenset({KEYS_REJECTED, ADDRESS_REFUSED})  # until someone fixes it


def work(full_check_id: UUID) -> None:
    full_check = lifecycle.claim_check(full_check_id)
    if full_check is None:
        return
    time_slice = TimeSlice()
    try:
        _continue(full_check, time_slice)
    finally:
        release([full_check])
    if full_check.is_running and time_slice.is_over:
        wake_worker(lifecycle.WORK_TASK, full_check.pk)


def _continue(full_check: FullCheck, time_slice: TimeSlice) -> None:
    if not full_check.integration.is_active:
        lifecycle.fail(full_check, _("This integration is inactive."))
        return
    try:
        provider = connections.client_for(full_check.integration, in_background=True)
    except KeysRejected as error:
        lifecycle.fail(full_check, _why(error))
        return
    _read_parts(full_check, provider, time_slice)
    full_check.refresh_from_db(fields=["state", "listed_at"])
    if full_check.is_running and full_check.listed_at is not None and not lifecycle.undone(full_check).exists():
        missing.conclude(full_check)


def _read_parts(full_check: FullCheck, provider: Provider, time_slice: TimeSlice) -> None:
    ready: list[FullCheckBatch] = []

    def look(free: int) -> list[FullCheckBatch]:
        if not lifecycle.extend_claim(full_check) or time_slice.is_over:
            for part in ready:  # one at a time: locking several needs the full check's lock
                release([part])
            ready.clear()
        elif free and not ready:
            ready.extend(lifecycle.claim_parts(full_check.pk, limit=CLAIMED_AT_ONCE))
        found, ready[:] = ready[:free], ready[free:]
        return found

    read = partial(_read, full_check, provider=provider)
    work_side_by_side(look, read, threads=CALLS_AT_ONCE, every=SIGN_OF_LIFE, name="full_check")


def _read(full_check: FullCheck, part: FullCheckBatch, provider: Provider) -> None:
    part.full_check, integration = full_check, full_check.integration
    try:
        _reader(part, integration)(part, integration, provider)
    except ProviderError as error:
        _take_failure(part, integration, error)
    except Exception as error:  # noqa: BLE001 - one bad response doesn't end the others
        logger.error(
            "full_check.response_failed", full_check=str(part.full_check_id), part=part.pk, error=type(error).__name__
        )
        words = _("We couldn't process the provider's response.")
        _try_again(part, integration, error, reason="our_fault", words=words)


def _reader(part: FullCheckBatch, integration: Integration) -> Callable[[FullCheckBatch, Integration, Provider], None]:
    if part.is_customer:
        return lists.read_links_of_customer
    of_links = integration.provider_class.full_check_by is FullCheckBy.LINKS
    return lists.read_links_page if of_links else lists.read_customers_page


def _take_failure(part: FullCheckBatch, integration: Integration, error: ProviderError) -> None:
    wait = wait_after(error)
    if isinstance(error, KeysRejected) or error.failure.reason in LASTING:
        lifecycle.fail(part.full_check, _why(error))
    elif wait.is_attempt:
        _try_again(part, integration, error, reason=why_check_failed(error), words=_why(error))
    else:
        until = retry_later([part], error)
        if wait.holds_integration:
            lifecycle.postpone(part.full_check_id, until=until, why=_why(error))


def _try_again(part: FullCheckBatch, integration: Integration, error: Exception, *, reason: str, words: str) -> None:
    if part.attempts < lifecycle.MAX_TRIES:
        retry_later([part], error)
    elif part.is_customer:
        lists.give_up_customer(part, integration, why=reason)
        _end_if_most_fail(part.full_check, words)
    else:
        lifecycle.fail(part.full_check, words)


def _end_if_most_fail(full_check: FullCheck, words: str) -> None:
    unread = full_check.parts.filter(gave_up=True).count()
    # With so many, the cause isn't a single customer.
    if unread > FEW_CUSTOMERS and unread * 10 > full_check.parts.count():
        lifecycle.fail(full_check, words)


def _why(error: ProviderError) -> str:
    said = explain_failure(QueryFailure(type(error), error.failure))
    return f"{said.title}. {said.meaning}"
