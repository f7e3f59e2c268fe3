"""The work at a sweep: a few calls at once, by one worker at a time and for a while, so that others have their turn."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import structlog
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.links import connections
from linkadmin.links.denials import KEYS_REFUSED
from linkadmin.links.models import CallQuota, Integration
from linkadmin.operations.reading import why_unasked
from linkadmin.providers.admission import ADDRESS_REFUSED
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import KeysRefused, ProviderError
from linkadmin.providers.records import SweepBy
from linkadmin.sync.live_queries import Trouble
from linkadmin.sync.models import Sweep, SweepPart
from linkadmin.sync.troubles import told
from linkadmin.wake_worker import wake_worker
from linkadmin.work_queue import TimeSlice, release, retry_later, wait_after, work_side_by_side

from . import batches, customers, lifecycle, links, missing

logger = structlog.get_logger(__name__)

CALLS_AT_ONCE = 4
CLAIMED_AT_ONCE = 12  # so few that their leases hold until all of them are read
CALLS = ("list_links", "list_end_users")
SHARE = 0.6  # of a quota; all that machines do has three quarters
SIGN_OF_LIFE = 2.0  # seconds
FEW_CUSTOMERS = 20  # may be left out
LASTING = frozenset({KEYS_REFUSED, ADDRESS_REFUSED})  # until a person does something


def work(sweep_id: UUID) -> None:
    """Read the parts of a sweep that are due, until none is or others must have a turn; end it after the last one."""
    sweep = lifecycle.claim_check(sweep_id)
    if sweep is None:
        return
    time_slice = TimeSlice()
    try:
        _go_on(sweep, time_slice)
    finally:
        lifecycle.leave(sweep)
    if sweep.is_running and time_slice.is_over:
        wake_worker(lifecycle.WORK_TASK, sweep.pk)


def _go_on(sweep: Sweep, time_slice: TimeSlice) -> None:
    if not sweep.integration.is_active:
        lifecycle.fail(sweep, _("This integration is switched off."))
        return
    try:
        provider = connections.client_for(sweep.integration, in_background=True)
    except KeysRefused as error:
        lifecycle.fail(sweep, _why(error))
        return
    _read_parts(sweep, provider, time_slice)
    sweep.refresh_from_db(fields=["state", "listed_at"])
    if sweep.is_running and sweep.listed_at is not None and not batches.undone(sweep).exists():
        missing.conclude(sweep)


def _read_parts(sweep: Sweep, provider: Provider, time_slice: TimeSlice) -> None:
    ready: list[SweepPart] = []

    def look(free: int) -> list[SweepPart]:
        _leave_to_others(sweep)
        if not lifecycle.stay(sweep) or time_slice.is_over:
            for part in ready:  # one by one: several are locked only under the lock of their sweep
                release([part])
            ready.clear()
        elif free and not ready:
            ready.extend(batches.claim(sweep.pk, limit=CLAIMED_AT_ONCE))
        found, ready[:] = ready[:free], ready[free:]
        return found

    read = partial(_read, sweep, provider=provider)
    work_side_by_side(look, read, threads=CALLS_AT_ONCE, every=SIGN_OF_LIFE, name="sweep")


def _leave_to_others(sweep: Sweep) -> None:
    """Let a sweep wait while its share of a quota is used: what is left to machines is for what messages ask for."""
    now, integration = timezone.now(), sweep.integration
    scopes = {"", *map(integration.speaks.quota_scope, CALLS)}
    windows = CallQuota.objects.filter(integration=integration, scope__in=scopes, window_ends_at__gt=now)
    used_up = windows.filter(used__gte=F("calls") * SHARE).order_by("window_ends_at").last()
    if used_up is not None:
        why = _("What is left of the provider's quota is kept for messages and for what people do.")
        lifecycle.hold_back(sweep.pk, until=used_up.window_ends_at, why=why)


def _read(sweep: Sweep, part: SweepPart, provider: Provider) -> None:
    """Read a part, and take care of what goes wrong."""
    part.sweep, integration = sweep, sweep.integration
    try:
        _reader(part, integration)(part, integration, provider)
        _note_good_keys(integration)
    except ProviderError as error:
        _take_failure(part, integration, error)
    except Exception as error:  # noqa: BLE001 - a page that we stumble over does not end the others
        logger.error("sweep.stumbled", sweep=str(part.sweep_id), part=part.pk, error=type(error).__name__)
        words = _("We stumbled over what the provider answered.")
        _try_again(part, integration, error, reason="our_fault", words=words)


def _reader(part: SweepPart, integration: Integration) -> Callable[[SweepPart, Integration, Provider], None]:
    if part.kind == SweepPart.Kind.CUSTOMER:
        return customers.read_links
    return links.read_page if integration.speaks.sweep_by is SweepBy.LINKS else customers.read_page


def _note_good_keys(integration: Integration) -> None:
    connections.note_good_keys(integration)
    integration.key_state = Integration.KeyState.GOOD  # which is not to be written with every call


def _take_failure(part: SweepPart, integration: Integration, error: ProviderError) -> None:
    """Let a part wait, and with it the sweep where no call can be made now; or end the sweep."""
    connections.note_keys(integration, error)
    wait = wait_after(error)
    if isinstance(error, KeysRefused) or error.failure.reason in LASTING:
        lifecycle.fail(part.sweep, _why(error))
    elif wait.is_attempt:
        _try_again(part, integration, error, reason=why_unasked(error), words=_why(error))
    else:
        until = retry_later([part], error)
        if wait.holds_integration:
            lifecycle.hold_back(part.sweep_id, until=until, why=_why(error))


def _try_again(part: SweepPart, integration: Integration, error: Exception, *, reason: str, words: str) -> None:
    """Let a part be read later; after the last try without the customer it is about, or not at all."""
    if part.attempts < batches.MOST_TRIES:
        retry_later([part], error)
    elif part.kind == SweepPart.Kind.CUSTOMER:
        customers.give_up(part, integration, why=reason)
        _end_if_most_fail(part.sweep, words)
    else:
        lifecycle.fail(part.sweep, words)


def _end_if_most_fail(sweep: Sweep, words: str) -> None:
    """End a sweep that reads nearly nobody: it is not one customer that is odd."""
    unread = sweep.parts.filter(gave_up=True).count()
    if unread > FEW_CUSTOMERS and unread * 10 > sweep.parts.count():
        lifecycle.fail(sweep, words)


def _why(error: ProviderError) -> str:
    said = told(Trouble(type(error), error.failure))
    return f"{said.title}. {said.meaning}"
