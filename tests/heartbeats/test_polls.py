"""Every open page that polls learns that background processing has stopped."""

import time
from collections.abc import Callable

import pytest

from linkadmin.sync import full_checks
from tests.background import kill, run
from tests.bulk.helpers import started_job
from tests.environment import Environment
from tests.follow import follow

from .test_bar import STOPPED

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("started_long_ago", "running")]


def link(env: Environment) -> str:
    return env.belvo_link().get_absolute_url()


def code(env: Environment) -> str:
    asked = env.belvo_link().get_absolute_url()
    env.send(f"{asked}credentials/", password="mfa_default")
    return f"{asked}code/"


def operation(env: Environment) -> str:
    lost = env.belvo_link()
    env.send(f"{lost.get_absolute_url()}credentials/", password="lost_after")
    return env.last_operation(lost).get_absolute_url()


def job(env: Environment) -> str:
    return started_job(env, "refresh", [env.belvo_link()], name="mia").get_absolute_url()


def full_check(env: Environment) -> str:
    return full_checks.start(env.belvo, started_by=env.people["adm"]).get_absolute_url()


def overview(env: Environment) -> str:
    return "/"


PAGES: list[Callable[[Environment], str]] = [overview, link, code, operation, job, full_check]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("place", PAGES)
def test_open_page_learns_of_stopped_work_and_of_its_return(
    env: Environment, place: Callable[[Environment], str]
) -> None:
    url = place(env)
    before = follow(env.open(url, "mia"))
    assert before.poll(env.client("mia")).status_code == 204

    kill()
    told = before.poll(env.client("mia"))
    drawn = env.open(url, "mia")
    after = follow(drawn)

    assert (told.status_code, told.content.decode()) == (200, after.version)
    assert STOPPED in drawn.source
    assert after.poll(env.client("mia")).status_code == 204

    run()
    assert after.poll(env.client("mia")).status_code == 200


def test_page_learns_it_by_its_next_poll(env: Environment) -> None:
    followed = follow(env.open("/"))
    kill()
    time.sleep(4)  # as live.js does between two polls of a page that awaits nothing

    assert followed.poll(env.client()).status_code == 200
