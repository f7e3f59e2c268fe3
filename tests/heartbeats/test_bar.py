"""The bar on every page that says since when nothing has run."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.heartbeats import signs, watch
from linkadmin.heartbeats.models import Heartbeat, Kind
from tests.house import House

pytestmark = [pytest.mark.django_db, pytest.mark.database]
STOPPED = "Background work has stopped."


@pytest.fixture(autouse=True)
def _started_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_started", -watch.START_SECONDS)


@pytest.fixture
def running() -> None:
    signs.alive(Kind.BEAT, "beat@here")
    signs.alive(Kind.WORKER, "celery@here", has_worked=True)


def page(house: House, name: str, path: str = "/") -> str:
    return house.client(name).get(path).content.decode()


@pytest.mark.usefixtures("running")
def test_says_nothing_while_all_runs(house: House) -> None:
    assert STOPPED not in page(house, "ana")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("kind", Kind.values)
def test_tells_everybody_since_when_nothing_ran(house: House, kind: str) -> None:
    followed = house.client("ana").get("/live/").content
    Heartbeat.objects.filter(kind=kind).update(alive_at=timezone.now() - timedelta(seconds=45))

    assert STOPPED in page(house, "ana", "/links/")
    assert "Nothing has been checked since" in page(house, "mia")
    assert "Tell an administrator." in page(house, "aud")
    assert "Start the scheduler and a worker again" in page(house, "adm")
    assert house.client("ana").get("/live/").content != followed


def test_tells_that_nothing_ever_ran(house: House) -> None:
    assert "No background program has run yet" in page(house, "ana")
