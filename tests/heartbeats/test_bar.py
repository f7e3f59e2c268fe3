"""The bar on every page that says since when nothing has run."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.heartbeats.models import Heartbeat, ProgramKind
from tests.environment import Environment

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.database,
    pytest.mark.usefixtures("started_long_ago", "at_once"),
]
STOPPED = "Background processing has stopped."


def page(env: Environment, name: str, path: str = "/") -> str:
    return env.client(name).get(path).content.decode()


@pytest.mark.usefixtures("running")
def test_says_nothing_while_all_runs(env: Environment) -> None:
    assert STOPPED not in page(env, "ana")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("kind", ProgramKind.values)
def test_shows_everyone_since_when_nothing_ran(env: Environment, kind: str) -> None:
    followed = env.client("ana").get("/live/").content
    Heartbeat.objects.filter(kind=kind).update(alive_at=timezone.now() - timedelta(seconds=45))

    assert STOPPED in page(env, "ana", "/links/")
    assert "Nothing has been checked since" in page(env, "mia")
    assert "Tell an administrator." in page(env, "aud")
    assert "Restart the scheduler and a worker" in page(env, "adm")
    assert env.client("ana").get("/live/").content != followed


@pytest.mark.usefixtures("running")
def test_shows_the_time_of_the_process_that_died(env: Environment) -> None:
    died = timezone.now().replace(microsecond=0) - timedelta(hours=3)
    Heartbeat.objects.filter(kind=ProgramKind.BEAT).update(alive_at=died)

    assert f"Nothing has been checked since {died:%b} {died.day}, {died:%Y, %H:%M} UTC" in page(env, "ana")


def test_says_that_nothing_ever_ran(env: Environment) -> None:
    assert "No background process has run yet" in page(env, "ana")
