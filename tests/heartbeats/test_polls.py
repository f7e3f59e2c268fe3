"""Whatever an open page polls, it learns that background work has stopped."""

import time
from collections.abc import Callable

import pytest

from linkadmin.sync import full_checks
from tests.background import kill, run
from tests.bulk.desk import begun
from tests.follow import pulse_of
from tests.house import House

from .test_bar import STOPPED

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("started_long_ago", "running")]


def link(house: House) -> str:
    return house.belvo_link().get_absolute_url()


def code(house: House) -> str:
    asked = house.belvo_link().get_absolute_url()
    house.send(f"{asked}credentials/", password="mfa_default")
    return f"{asked}token/"


def operation(house: House) -> str:
    lost = house.belvo_link()
    house.send(f"{lost.get_absolute_url()}credentials/", password="lost_after")
    return house.last_operation(lost).get_absolute_url()


def job(house: House) -> str:
    return begun(house, "refresh", [house.belvo_link()], name="mia").get_absolute_url()


def full_check(house: House) -> str:
    return full_checks.begin(house.belvo, asked_by=house.people["adm"]).get_absolute_url()


def overview(house: House) -> str:
    return "/"


PAGES: list[Callable[[House], str]] = [overview, link, code, operation, job, full_check]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("place", PAGES)
def test_open_page_learns_of_stopped_work_and_of_its_return(house: House, place: Callable[[House], str]) -> None:
    url = place(house)
    before = pulse_of(house.open(url, "mia"))
    assert before.poll(house.client("mia")).status_code == 204

    kill()
    told = before.poll(house.client("mia"))
    drawn = house.open(url, "mia")
    after = pulse_of(drawn)

    assert (told.status_code, told.content.decode()) == (200, after.version)
    assert STOPPED in drawn.source
    assert after.poll(house.client("mia")).status_code == 204

    run()
    assert after.poll(house.client("mia")).status_code == 200


def test_page_learns_it_by_its_next_poll(house: House) -> None:
    pulse = pulse_of(house.open("/"))
    kill()
    time.sleep(4)  # as live.js does between two polls of a page that awaits nothing

    assert pulse.poll(house.client()).status_code == 200
