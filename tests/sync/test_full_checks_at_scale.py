"""Twenty thousand links: found by the first full check, unchanged by the second, updated by the third."""

import time
from collections.abc import Iterator

import pytest

from linkadmin.integrations.models import Integration
from linkadmin.links.models import HealthChange
from linkadmin.simulator.settings import SimulatorSettings
from linkadmin.sync import full_checks
from linkadmin.sync.models import FullCheck, FullCheckState
from tests.environment import Environment
from tests.sync.full_checking import at_provider, generated_links, in_linkadmin
from tests.sync.statements import changed_tables

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

BELVO_LINKS, HERON_LINKS = 18_000, 2_000  # the latter cost a call for each customer
LIMITS = SimulatorSettings(
    belvo_limit=80, heron_limit=12_000
)  # the latter is a contract's: by the documented one it takes hours


@pytest.fixture
def large_env(transactional_db: None) -> Iterator[Environment]:
    with generated_links(BELVO_LINKS, LIMITS, heron_links=HERON_LINKS) as env:
        yield env


def completed_full_check(integration: Integration) -> FullCheck:
    """Run a full check in real time, with its waits."""
    full_check = full_checks.start(integration)
    while full_check.is_running:
        full_checks.work(full_check.pk)
        time.sleep(0.1)
        full_check.refresh_from_db()
    assert full_check.state == FullCheckState.DONE, full_check.note
    return full_check


def test_twenty_thousand_links_are_found_left_alone_and_followed(large_env: Environment) -> None:
    both = (large_env.belvo, large_env.heron)
    first = [completed_full_check(each) for each in both]

    with changed_tables() as tables:
        second = [completed_full_check(each) for each in both]
    large_env.simulator.drift(belvo=0.02, heron=0.02, seed=3)
    known = HealthChange.objects.count()
    third = [completed_full_check(each) for each in both]

    assert sum(each.found for each in first) == known > BELVO_LINKS + 0.8 * HERON_LINKS
    assert [each.written for each in second] == [0, 0]
    assert {"links_link", "links_healthchange"}.isdisjoint(tables)
    changed = sum(each.changed for each in third)
    assert changed == HealthChange.objects.count() - known > 0.015 * (BELVO_LINKS + HERON_LINKS)
    assert all(in_linkadmin(each) == at_provider(large_env, each) for each in both)
    assert large_env.simulator.refused() == {}
    assert large_env.simulator.peak()["belvo calls from 127.0.0.1"] <= LIMITS.belvo_limit
