"""The work at a sweep: a few calls at once, by one worker at a time and for a while, so that others have their turn."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from uuid import UUID

import structlog
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.database import release_connections
from linkadmin.links import connections
from linkadmin.links.models import CallQuota, Integration
from linkadmin.links.pauses import CROWDED, HELD_BACK, KEYS_REFUSED
from linkadmin.nudges import nudge
from linkadmin.operations.reading import why_unasked
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Busy, KeysRefused, ProviderError
from linkadmin.providers.gate import ADDRESS_REFUSED
from linkadmin.providers.records import SweepBy
from linkadmin.sync.asking import Trouble
from linkadmin.sync.models import Sweep, SweepPart
from linkadmin.sync.troubles import told

from . import course, customers, links, missing, parts

logger = structlog.get_logger(__name__)

CALLS_AT_ONCE = 4
CLAIMED_AT_ONCE = 12  # so few that their leases hold until all of them are read
CALLS = ("list_links", "list_end_users")
SHARE = 0.6  # of a quota; all that machines do has three quarters
ROUND = 20.0  # seconds, in which new calls are begun
SIGN_OF_LIFE = 2.0  # seconds
SHORT_WAIT = 5.0  # seconds, where nobody says how long to wait
NO_PAUSE, ONE_SECOND = timedelta(0), timedelta(seconds=1)
FEW_CUSTOMERS = 20  # may be left out
LASTING = frozenset({KEYS_REFUSED, ADDRESS_REFUSED})  # until a person does something


def work(sweep_id: UUID, *, seconds: float = ROUND) -> None:
    """Read the parts of a sweep that are due, until none is or others must have a turn; end it after the last one."""
    sweep = course.attend(sweep_id)
    if sweep is None:
        return
    until = time.monotonic() + seconds
    try:
        _go_on(sweep, until)
    finally:
        course.leave(sweep)
    if sweep.is_running and time.monotonic() >= until:
        nudge(course.WORK_TASK, sweep.pk)


def _go_on(sweep: Sweep, until: float) -> None:
    if not sweep.integration.is_active:
        course.fail(sweep, _("This integration is switched off."))
        return
    try:
        provider = connections.connect(sweep.integration, in_background=True)
    except KeysRefused as error:
        course.fail(sweep, _why(error))
        return
    _read_parts(sweep, provider, until)
    sweep.refresh_from_db(fields=["state", "listed_at"])
    if sweep.is_running and sweep.listed_at is not None and not parts.undone(sweep).exists():
        missing.conclude(sweep)


def _read_parts(sweep: Sweep, provider: Provider, until: float) -> None:
    ready: list[SweepPart] = []
    crew: set[Future[None]] = set()
    with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="sweep") as pool:
        while True:
            _leave_to_others(sweep)
            if not course.stay(sweep) or time.monotonic() >= until:
                parts.release(ready)
                ready = []
            elif not ready and len(crew) < CALLS_AT_ONCE:
                ready = parts.claim(sweep.pk, limit=CLAIMED_AT_ONCE)
            while ready and len(crew) < CALLS_AT_ONCE:
                crew.add(pool.submit(_read, sweep, ready.pop(0), provider))
            if not crew:
                return
            done, crew = wait(crew, timeout=SIGN_OF_LIFE, return_when=FIRST_COMPLETED)
            for each in done:
                each.result()


def _leave_to_others(sweep: Sweep) -> None:
    """Let a sweep wait while its share of a quota is used: what is left to machines is for what messages ask for."""
    now, integration = timezone.now(), sweep.integration
    scopes = {"", *map(integration.speaks.quota_scope, CALLS)}
    windows = CallQuota.objects.filter(integration=integration, scope__in=scopes, window_ends_at__gt=now)
    used_up = windows.filter(used__gte=F("calls") * SHARE).order_by("window_ends_at").last()
    if used_up is not None:
        why = _("What is left of the provider's quota is kept for messages and for what people do.")
        course.hold_back(sweep.pk, until=used_up.window_ends_at, why=why)


def _read(sweep: Sweep, part: SweepPart, provider: Provider) -> None:
    """Read a part in a thread of its own, and take care of what goes wrong."""
    part.sweep, integration = sweep, sweep.integration
    try:
        _reader(part, integration)(part, integration, provider)
        _note_good_keys(integration)
    except ProviderError as error:
        _take_failure(part, integration, error)
    except Exception as error:  # noqa: BLE001 - a page that we stumble over does not end the others
        logger.error("sweep.stumbled", sweep=str(part.sweep_id), part=part.pk, error=type(error).__name__)
        _try_again(part, integration, reason="our_fault", words=_("We stumbled over what the provider answered."))
    finally:
        release_connections()


def _reader(part: SweepPart, integration: Integration) -> Callable[[SweepPart, Integration, Provider], None]:
    if part.kind == SweepPart.Kind.CUSTOMER:
        return customers.read_links
    return links.read_page if integration.speaks.sweep_by is SweepBy.LINKS else customers.read_page


def _note_good_keys(integration: Integration) -> None:
    connections.note_good_keys(integration)
    integration.key_state = Integration.KeyState.GOOD  # which is not to be written with every call


def _take_failure(part: SweepPart, integration: Integration, error: ProviderError) -> None:
    """Let a part wait, and with it the sweep where no call can be made now; or end the sweep."""
    reason, pause = error.failure.reason, error.failure.retry_after or SHORT_WAIT
    connections.note_keys(integration, error)
    if isinstance(error, KeysRefused) or reason in LASTING:
        course.fail(part.sweep, _why(error))
    elif reason in CROWDED:
        parts.put_off(part, pause=ONE_SECOND)
    elif reason in HELD_BACK or isinstance(error, Busy):
        parts.put_off(part, pause=NO_PAUSE)
        course.hold_back(part.sweep_id, until=timezone.now() + timedelta(seconds=pause), why=_why(error))
    else:
        _try_again(part, integration, reason=why_unasked(error), words=_why(error))


def _try_again(part: SweepPart, integration: Integration, *, reason: str, words: str) -> None:
    """Let a part be read later; after the last try without the customer it is about, or not at all."""
    if part.tries < parts.MOST_TRIES:
        parts.put_off(part)
    elif part.kind == SweepPart.Kind.CUSTOMER:
        customers.give_up(part, integration, why=reason)
        _end_if_most_fail(part.sweep, words)
    else:
        course.fail(part.sweep, words)


def _end_if_most_fail(sweep: Sweep, words: str) -> None:
    """End a sweep that reads nearly nobody: it is not one customer that is odd."""
    unread = sweep.parts.filter(gave_up=True).count()
    if unread > FEW_CUSTOMERS and unread * 10 > sweep.parts.count():
        course.fail(sweep, words)


def _why(error: ProviderError) -> str:
    said = told(Trouble(type(error), error.failure))
    return f"{said.title}. {said.meaning}"
