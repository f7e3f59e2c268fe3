"""The system status page."""

import os
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.heartbeats.models import Heartbeat, ProgramKind
from tests.environment import Environment

MOMENT = r"(just now|\d+ s ago)"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.database,
    pytest.mark.usefixtures("started_long_ago", "at_once", "running"),
]


def test_names_the_silent_process(env: Environment) -> None:
    administrator = env.client("adm")
    well = administrator.get("/status/").content.decode()
    Heartbeat.objects.filter(kind=ProgramKind.BEAT).update(alive_at=timezone.now() - timedelta(minutes=3))
    page = administrator.get("/status/").content.decode()

    assert "Not heard from in" not in well
    assert page.count("Not heard from in") == 1
    assert "beat@here" in page
    assert "celery@here" in page
    assert '<a href="/status/">System status</a>' in page  # in the bar


def test_shows_colored_status_with_process_ids_and_relative_times(env: Environment) -> None:
    died = timezone.now() - timedelta(minutes=3)
    Heartbeat.objects.filter(kind=ProgramKind.BEAT).update(alive_at=died)
    page = env.open("/status/", "adm")

    silent = rf"Scheduler beat@here Not heard from in 3 minutes {os.getpid()} {MOMENT} 3 min ago –"
    assert re.search(silent, page.words)
    assert re.search(rf"Worker celery@here Running {os.getpid()} {MOMENT} {MOMENT} {MOMENT}", page.words)
    assert page.source.count('class="state tone-bad"') >= 2  # the part, and the program
    assert f'title="{died:%b} {died.day}, {died:%Y, %H:%M} UTC">3 min ago' in page.source
