"""Clocks that jump back an hour, or ahead ten minutes or a day and back: nothing lasts too long afterwards."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone

from linkadmin.audit import clock
from linkadmin.audit.models import ClockMark
from linkadmin.audit.tasks import check_clock
from linkadmin.celery import app
from linkadmin.heartbeats.beat import Scheduler
from linkadmin.integrations.models import CallQuota, CallSlot, CircuitBreaker
from linkadmin.links.due_reads import want
from linkadmin.links.models import Link, LinkRead, Reason
from linkadmin.moments import BOUNDS, FACTS, repair_times
from linkadmin.operations.models import Operation
from linkadmin.sync.models import UnknownLinkRead
from tests.bulk.helpers import started_job
from tests.environment import Environment

pytestmark = pytest.mark.database

HOUR, TEN_MINUTES, DAY = timedelta(hours=1), timedelta(minutes=10), timedelta(days=1)
MOVES = pytest.mark.parametrize("ahead", [HOUR, TEN_MINUTES, DAY], ids=["hour", "ten minutes", "day"])


@pytest.fixture(autouse=True)
def _no_look_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_seen", clock._Seen())


def test_every_time_column_is_listed_once() -> None:
    columns = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        if model.__module__.startswith("linkadmin.")
        for field in model._meta.concrete_fields
        if isinstance(field, models.DateTimeField)
    }
    bounded = [(label, column) for label, columns in BOUNDS.items() for column in columns]
    facts = [(label, column) for label, columns in FACTS.items() for column in columns]

    assert sorted(bounded + facts) == sorted(columns)


@pytest.mark.django_db(transaction=True)
class TestAfterAClockThatWasAhead:
    @MOVES
    def test_no_column_is_further_ahead_than_allowed(self, env: Environment, ahead: timedelta) -> None:
        now = timezone.now()
        filled = _fill(env, at=now + ahead)
        ClockMark.objects.create(seen_at=now + ahead)

        check_clock()

        for label, column in filled:
            last = apps.get_model(label)._default_manager.aggregate(last=models.Max(column))["last"]
            assert last <= timezone.now() + BOUNDS[label][column], f"{label}.{column}"
        assert repair_times(now=timezone.now()) == 0

    @MOVES
    def test_calls_are_made_at_once(self, env: Environment, ahead: timedelta) -> None:
        link, then = env.belvo_link(), timezone.now() + timedelta(minutes=16) + ahead
        used_up = {"calls": 40, "used": 40, "window_ends_at": then}
        CallQuota.objects.update_or_create(integration=env.belvo, scope="", defaults=used_up)
        paused = {"failures": 5, "open_until": then, "probe_until": then}
        CircuitBreaker.objects.update_or_create(integration=env.belvo, defaults=paused)
        for _each in range(8):
            CallSlot.objects.create(integration=env.belvo, call="read_link", lease_until=then)

        env.post(f"/links/{link.pk}/refresh/")
        env.settled()

        assert len(env.calls("GET", f"/api/links/{link.remote_id}/")) == 1

    @MOVES
    def test_link_read_then_accepts_a_new_read(self, env: Environment, ahead: timedelta) -> None:
        link, then = env.belvo_link(), timezone.now() + ahead
        Link.objects.update(observed_at=then, checked_at=then)
        ClockMark.objects.create(seen_at=then)
        env.simulator.store.belvo_links[link.remote_id].status = "valid"

        check_clock()
        env.post(f"/links/{link.pk}/refresh/")
        env.settled()

        link.refresh_from_db()
        assert link.raw_status == "valid"
        assert link.observed_at is not None
        assert link.observed_at <= timezone.now()

    def test_session_started_then_lasts_no_longer_than_others(self, env: Environment) -> None:
        client, then = env.client(), int(time.time()) + 24 * 3600
        client.get("/links/")
        session = client.session
        marks = {name: then for name, value in session.items() if isinstance(value, int) and value > 10**9}
        session.update(marks)
        session.save()

        client.get("/links/")

        assert marks
        assert all(client.session[name] <= time.time() for name in marks)

    def test_administrators_see_that_it_jumped(self, env: Environment) -> None:
        ClockMark.objects.create(seen_at=timezone.now() + DAY)

        check_clock()

        assert "clock jumped back 1440 minutes" in env.client("adm").get("/integrations/").content.decode()
        assert "clock jumped back" not in env.client("ana").get("/links/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("by", "is_noticed"), [(-3600, True), (600, True), (86400, True), (2, False), (-2, False)])
def test_jump_is_noticed_while_a_worker_runs(by: int, is_noticed: bool) -> None:
    now = timezone.now()
    clock.watch(now=now)

    clock.watch(now=now + timedelta(seconds=by))

    mark = ClockMark.objects.get()
    assert (mark.jumped_at is not None) is is_noticed
    assert not is_noticed or mark.jumped_by == pytest.approx(by, abs=20)


@pytest.mark.django_db
def test_clock_differences_between_machines_are_repaired_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    righted: list[datetime] = []

    def count(*, now: datetime) -> int:
        righted.append(now)
        return 0

    monkeypatch.setattr(clock, "repair_times", count)
    start = timezone.now()

    for seconds in range(0, 660, 5):
        for behind in (timedelta(0), timedelta(minutes=1)):
            monkeypatch.setattr(clock, "_seen", clock._Seen())  # each machine has its own
            clock.watch(now=start + timedelta(seconds=seconds) - behind)

    assert len(righted) == 3


@pytest.mark.django_db
@MOVES
def test_beat_continues_after_the_clock_went_back(tmp_path: Path, ahead: timedelta) -> None:
    scheduler = Scheduler(app=app, schedule_filename=str(tmp_path / "beat"))
    sent: list[str] = []
    scheduler.apply_entry = lambda entry, producer=None: sent.append(entry.name)
    for entry in scheduler.schedule.values():
        entry.last_run_at = entry.default_now() + ahead

    scheduler.tick()
    for entry in scheduler.schedule.values():
        assert entry.last_run_at is not None
        assert entry.last_run_at <= entry.default_now()
        entry.last_run_at -= timedelta(minutes=2)
    scheduler._heap = None
    for _each in range(40):
        scheduler.tick()
    scheduler.close()

    assert {"tick", "tick: minutes"} <= set(sent)


def _fill(env: Environment, *, at: datetime) -> list[tuple[str, str]]:
    """Create a row of most kinds with all times as a fast clock left them. Returns the columns."""
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")
    env.settled()
    started_job(env, "refresh", [link])
    want([link.pk], reason=Reason.AGE, at=timezone.now())
    UnknownLinkRead.objects.create(integration=env.belvo, remote_id="x")
    CallQuota.objects.create(integration=env.heron, scope="find_link", calls=1, window_ends_at=at)
    CallSlot.objects.create(integration=env.belvo, call="read_link", lease_until=at)
    filled = []
    for label, columns in BOUNDS.items():
        rows = apps.get_model(label)._default_manager
        if label != "audit.ClockMark" and rows.exists():
            rows.update(**{column: at + bound for column, bound in columns.items()})
            filled += [(label, column) for column in columns]
    made = {label for label, _column in filled}
    assert made >= {model._meta.label for model in (Link, CallQuota, CallSlot, CircuitBreaker, LinkRead, Operation)}
    return filled
