"""Counts while several writers change links, move and assign them, fold, and recount at the same time."""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone

from linkadmin.accounts.models import Environment, User
from linkadmin.accounts.roles import Role
from linkadmin.integrations.models import Integration
from linkadmin.links import counts, health, staff_counts
from linkadmin.links.account_managers import set_account_manager
from linkadmin.links.count_upkeep import compare, fold, recount
from linkadmin.links.models import (
    CountMove,
    EndUser,
    Institution,
    Link,
    LinkCount,
    LinkTotal,
    Recount,
    StaffCount,
    StaffMove,
)
from linkadmin.links.staff_work import assign
from linkadmin.providers.types import Cause, Observation, RemoteLink

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

WRITERS, CHANGES, LINKS = 4, 25, 12
CAUSES = [Cause.WORKING, Cause.LOGIN_REFUSED, Cause.BANK_DOWN, Cause.CODE_NEEDED, Cause.STALE]


@pytest.fixture
def links() -> list[Link]:
    customer = EndUser.objects.create(external_id="cus-1", name="Acme Corp")
    User.objects.bulk_create(User(username=name, roles=Role.SUPPORT) for name in ("ana", "ben", "mia"))
    found = []
    for provider, environment in (("belvo", "production"), ("heron", "sandbox")):
        integration = Integration.objects.create(
            provider=provider, name=provider, environment=environment, base_url="https://example.com"
        )
        Institution.objects.bulk_create(
            Institution(integration=integration, name=f"bank-{n}", display_name=f"Bank {n}") for n in range(3)
        )
        found += [Link(integration=integration, end_user=customer, remote_id=f"link-{n}") for n in range(LINKS)]
    now = timezone.now()
    health.start_links([(link, RemoteLink(link.remote_id, Observation(Cause.WORKING))) for link in found], at=now)
    return found


@pytest.fixture
def _one_database_for_all_threads(links: list[Link], tmp_path: Path) -> Iterator[None]:
    """Give threads a copy in a file; the tests' own database lives in one connection's memory."""
    if connection.vendor != "sqlite":
        yield
        return
    with closing(sqlite3.connect(tmp_path / "counts.sqlite3")) as copy, pytest.MonkeyPatch.context() as patch:
        connection.connection.backup(copy)
        patch.setitem(connections.settings["default"], "NAME", tmp_path / "counts.sqlite3")
        yield


def together(*work: Callable[[], None]) -> None:
    def work_and_close(each: Callable[[], None]) -> None:
        try:
            each()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(work_and_close, each) for each in work]:
            done.result()


def change_links(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(CHANGES):
        link = chance.choice(list(Link.objects.select_related("integration", "institution")))
        kind, now = chance.randrange(6), timezone.now()
        if kind == 0:
            health.start_verifying(link, at=now, request_id="")
        elif kind == 1:
            health.stop_verifying(link, now=now)
        elif kind in (2, 3):
            by, person = User.objects.order_by("pk")[0], chance.choice([None, *User.objects.all()])
            if kind == 2:
                assign(link, by=by, assignee=person)
            else:
                set_account_manager(EndUser.objects.get(), person, by=by)
        else:
            bank = chance.choice(["", "bank-0", "bank-1", "bank-2"])
            remote = RemoteLink(link.remote_id, Observation(chance.choice(CAUSES)), institution=bank)
            health.observe_remote(link, remote, source=health.Source.LIST, at=now)


def assert_exact() -> None:
    assert compare().wrong == 0
    links = list(Link.objects.select_related("integration"))
    assert counts.by_integration() == {
        pk: Counter(link.shown_state for link in links if link.integration_id == pk)
        for pk in Integration.objects.values_list("pk", flat=True)
    }
    banks = {link.institution_id for link in links if link.institution_id}
    assert {pk: found for pk, found in counts.by_institution(banks).items() if found} == {
        pk: Counter(link.shown_state for link in links if link.institution_id == pk) for pk in banks
    }
    for environment in Environment.values:
        assert_exact_in(environment, [link for link in links if link.integration.environment == environment])


def assert_exact_in(environment: str, links: list[Link]) -> None:
    assert {link.environment for link in links} == {environment}
    assert counts.in_environment(environment) == Counter(link.shown_state for link in links)
    today = timezone.now().astimezone(UTC).date()
    last = {state: days[-1] for state, days in counts.trend(2, environment, today=today).items() if days[-1]}
    assert last == Counter(link.shown_state for link in links)
    found = staff_counts.read()[environment]
    for pk in User.objects.values_list("pk", flat=True):
        assigned = [link for link in links if link.assignee_id == pk]
        mine = [link for link in links if pk in (link.assignee_id, link.account_manager_id)]
        assert +found.assigned[pk] == Counter(link.shown_state for link in assigned)
        assert +found.mine[pk] == Counter(link.shown_state for link in mine)
    assert found.unassigned == Counter(link.shown_state for link in links if link.assignee_id is None)


def assert_institutions_know_their_links() -> None:
    links = Counter(Link.objects.exclude(health="disconnected").values_list("institution", flat=True))
    assert dict(Institution.objects.values_list("pk", "active_links")) == {
        pk: links[pk] for pk in Institution.objects.values_list("pk", flat=True)
    }


def sabotage() -> None:
    """Make counts wrong, as a fault would."""
    total, count = LinkTotal.objects.order_by("pk")[0], LinkCount.objects.order_by("pk").first()
    LinkTotal.objects.filter(pk=total.pk).update(links=total.links + 7)
    LinkTotal.objects.create(integration_id=total.integration_id, state="unknown", links=3)
    if count:
        LinkCount.objects.filter(pk=count.pk).delete()
    StaffCount.objects.update(assigned=5, mine=7)


@pytest.mark.usefixtures("_one_database_for_all_threads")
def test_counts_stay_exact_while_links_change_and_others_fold() -> None:
    writers = [lambda seed=seed: change_links(seed) for seed in range(WRITERS)]

    def look() -> None:
        for _ in range(CHANGES):
            assert compare().wrong == 0

    together(*writers, look, *[lambda: [fold() for _ in range(CHANGES)]] * 2)
    together(fold)

    together(lambda: assert_no_moves())
    together(assert_exact)
    together(assert_institutions_know_their_links)


def assert_no_moves() -> None:
    assert not CountMove.objects.exists()
    assert not StaffMove.objects.exists()


@pytest.mark.usefixtures("_one_database_for_all_threads")
def test_recount_is_exact_while_links_change_and_others_recount() -> None:
    together(lambda: change_links(99))
    together(fold)
    together(sabotage)
    writers = [lambda seed=seed: change_links(seed) for seed in range(WRITERS)]

    together(*writers, recount, recount, fold, recount)

    together(assert_exact)
    together(fold)
    together(assert_institutions_know_their_links)
    together(lambda: assert_recounts_at_least(1))


def assert_recounts_at_least(number: int) -> None:
    assert Recount.objects.count() > number
