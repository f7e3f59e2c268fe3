"""Runs full checks from start to end without a worker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.integrations import connections
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.simulator.generated import Population
from linkadmin.simulator.server import Simulator
from linkadmin.simulator.settings import DEFAULTS, SimulatorSettings
from linkadmin.sync import full_checks
from linkadmin.sync.full_checks import lifecycle, worker
from linkadmin.sync.models import FullCheck, FullCheckBatch, FullCheckState
from tests.environment import HERON_INTEGRATION, Clock, Environment, build


def full_check(integration: Integration, *, started_by: User | None = None) -> FullCheck:
    """Run a full check, and return it once it has ended."""
    return run_to_end(full_checks.start(integration, started_by=started_by))


def completed_full_check(integration: Integration) -> FullCheck:
    """Run a full check that has to succeed."""
    done = full_check(integration)
    assert done.state == FullCheckState.DONE, done.note
    return done


def run_to_end(full_check: FullCheck, *, rounds: int = 10) -> FullCheck:
    """Process a full check until it ends, for at most so many rounds; between them all waits end."""
    for _round in range(rounds):
        work(full_check)
        if not full_check.is_running:
            break
        end_pauses(full_check)
    return full_check


def work(full_check: FullCheck) -> FullCheck:
    """Process a full check once, as far as possible."""
    full_checks.work(full_check.pk)
    full_check.refresh_from_db()
    return full_check


def read_one(full_check: FullCheck) -> FullCheckBatch:
    """Read only the next batch, like a worker that dies after it."""
    (part,) = lifecycle.claim_parts(full_check.pk, limit=1)
    worker._read(full_check, part, connections.client_for(full_check.integration, in_background=True))
    return part


def end_pauses(full_check: FullCheck) -> None:
    FullCheck.objects.filter(pk=full_check.pk).update(due_at=timezone.now())
    FullCheckBatch.objects.filter(full_check=full_check, done_at=None).update(due_at=timezone.now())


def kill_workers(full_check: FullCheck) -> None:
    """End all leases, as if no worker were alive."""
    past = timezone.now() - timedelta(seconds=1)
    FullCheckBatch.objects.filter(full_check=full_check, lease_until__isnull=False).update(lease_until=past)
    FullCheck.objects.filter(pk=full_check.pk).update(lease_until=None)


class StillClock(Clock):
    """A simulator clock that stands still, so that nothing changes there."""

    def __init__(self) -> None:
        super().__init__()
        self._start = time.time()

    def __call__(self) -> float:
        return self._start + self.ahead


@contextmanager
def generated_links(
    links: int, settings: SimulatorSettings = DEFAULTS, *, heron_links: int | None = None
) -> Iterator[Environment]:
    """Build an environment at a simulator with this many generated links per provider, none known to us."""
    clock, population = StillClock(), Population(7, links, links if heron_links is None else heron_links)
    with Simulator(record=True, clock=clock, settings=settings, population=population) as simulator:
        yield build(simulator, clock)


def at_provider(env: Environment, integration: Integration) -> dict[str, tuple[str, str]]:
    """Return the status and message of each link that the simulated provider has in an integration."""
    snapshot = env.simulator.snapshot()[integration.provider]
    store = env.simulator.store
    here = (each.item_id for each in store.heron_links.values() if each.integration == HERON_INTEGRATION)
    ids = snapshot.keys() if integration == env.belvo else here
    return {remote_id: (snapshot[remote_id][0], snapshot[remote_id][1] or "") for remote_id in ids}


def in_linkadmin(integration: Integration) -> dict[str, tuple[str, str]]:
    """Return the same as stored here, with the stored part of the message."""
    rows = Link.objects.filter(integration=integration, disconnected_at=None)
    return {row.remote_id: (row.raw_status, row.raw_words) for row in rows}
