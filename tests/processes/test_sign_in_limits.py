"""A hundred sign-ins at once at two web processes: the limit is exact on both databases."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.environment import PASSWORD

from . import servers
from .browser import Browser, forms_of
from .counting_hasher import COUNT
from .stack import Stack

pytestmark = pytest.mark.processes

AT_ONCE = 100
SETTINGS = "tests.processes.counting_settings"


@contextmanager
def counting(folder: Path, static: Path, **environment: str) -> Iterator[Stack]:
    with Stack(folder, static=static, DJANGO_SETTINGS_MODULE=SETTINGS, **environment) as running:
        running.kill("worker", "beat")
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)], scope="module")
def guessed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("guessed")
    if request.param == "sqlite":
        with counting(folder, static) as running:
            yield running
    else:
        with servers.database() as url, counting(folder, static, LINKADMIN_DATABASE_URL=url) as running:
            yield running


def hashes(stack: Stack) -> int:
    marks = stack.data / COUNT
    return marks.stat().st_size if marks.exists() else 0


def guess_at_once(stack: Stack, names: list[str]) -> int:
    """Post wrong passwords for all names at the same time, each from another browser and host name."""
    page = requests.get(f"{stack.url}/accounts/login/", timeout=30)
    token = next(form.fields["csrfmiddlewaretoken"] for form in forms_of(page.text) if "password" in form.fields)
    cookies = {"csrf": page.cookies["csrf"]}
    before = hashes(stack)
    start = time.monotonic() + 1

    def guess(number: int, name: str) -> int:
        headers = {"Host": ["localhost", "127.0.0.1"][number % 2] + f":{number + 1}", "User-Agent": f"agent {number}"}
        form = {"csrfmiddlewaretoken": token, "login": name, "password": f"wrong {number}"}
        time.sleep(max(0, start - time.monotonic()))
        answer = requests.post(f"{stack.url}/accounts/login/", form, headers=headers, cookies=cookies, timeout=120)
        return answer.status_code

    with ThreadPoolExecutor(len(names)) as people:
        answers = list(people.map(guess, range(len(names)), names))
    assert set(answers) == {200}
    return hashes(stack) - before


def test_exactly_five_of_a_hundred_parallel_passwords_reach_the_hash(guessed: Stack) -> None:
    assert guess_at_once(guessed, ["ana"] * AT_ONCE) == 5

    posts = guessed.served_by("POST /accounts/login/")
    assert len(set(posts)) == 2, "one process answered them all"
    auditor = Browser(guessed.url)
    assert auditor.sign_in("aud").url == f"{guessed.url}/"
    pages = [auditor.get(f"/admin/audit/auditevent/?q=session.sign_in_rejected&p={page}").text for page in (1, 2)]
    assert sum(page.count('<td class="field-outcome">') for page in pages) == AT_ONCE
    auditor.close()


def test_right_password_is_not_looked_at_after_that(guessed: Stack) -> None:
    ana = Browser(guessed.url)
    before = hashes(guessed)

    page = ana.sign_in("ana", PASSWORD)

    assert "Too many failed sign-ins" in page.text
    assert hashes(guessed) == before
    ana.close()


def test_exactly_twenty_passwords_of_one_address_reach_the_hash(guessed: Stack) -> None:
    reached = 5 + guess_at_once(guessed, [f"name-{number}" for number in range(AT_ONCE)])

    assert reached == 20
