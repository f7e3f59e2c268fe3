"""The page that tells administrators what runs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.heartbeats.models import Heartbeat, Kind
from tests.house import House

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.mark.usefixtures("started_long_ago", "at_once", "running")
def test_names_the_program_that_is_silent(house: House) -> None:
    administrator = house.client("adm")
    well = administrator.get("/status/").content.decode()
    Heartbeat.objects.filter(kind=Kind.BEAT).update(alive_at=timezone.now() - timedelta(minutes=3))
    page = administrator.get("/status/").content.decode()

    assert "Silent for" not in well
    assert page.count("Silent for") == 1
    assert "beat@here" in page
    assert "celery@here" in page
    assert '<a href="/status/">System status</a>' in page  # in the bar
