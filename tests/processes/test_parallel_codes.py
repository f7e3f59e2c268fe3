"""The same code a hundred times at once at two web processes: it signs in once, on both databases."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from linkadmin.accounts.factors import authenticator_apps, owned
from linkadmin.accounts.models import User
from tests.environment import PASSWORD
from tests.second_factors import STEP, App

from . import servers
from .browser import UNUSED_CODES, Browser, forms_of
from .stack import Stack

pytestmark = pytest.mark.processes

SIGN_INS, AT_ONCE_EACH = 20, 5
FACTOR_PAGE = "/accounts/login/factor/"


@contextmanager
def web_only(folder: Path, static: Path, **environment: str) -> Iterator[Stack]:
    with Stack(folder, static=static, **environment) as running:
        running.kill("worker", "beat")
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)], scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("codes")
    if request.param == "sqlite":
        with web_only(folder, static) as running:
            yield running
    else:
        with servers.database() as url, web_only(folder, static, LINKADMIN_DATABASE_URL=url) as running:
            yield running


def add_app(name: str) -> str:
    """Runs in the stack. The app's present code isn't used yet."""
    offer = authenticator_apps.offer(User.objects.get(username=name))
    key = offer.key.reveal()
    assert owned.add_app(offer, App(key).code(later=-STEP))
    return key


def waiting_for_a_code(stack: Stack, name: str) -> Browser:
    browser = Browser(stack.url)
    page = browser.submit("/accounts/login/", having="password", login=name, password=PASSWORD)
    assert page.url.endswith(FACTOR_PAGE), page.text
    return browser


def give_at_once(stack: Stack, name: str, code: str) -> list[str]:
    """Where each response leads; empty for a refusal."""
    browsers = [waiting_for_a_code(stack, name) for _each in range(SIGN_INS)]
    token = forms_of(browsers[0].get(FACTOR_PAGE).text)
    values = next(form.fields for form in token if "code" in form.fields) | {"code": code}
    cookies = [browser.cookies | {"csrf": browsers[0].cookies["csrf"]} for browser in browsers] * AT_ONCE_EACH
    start = time.monotonic() + 1

    def give(sent: dict[str, str]) -> str:
        time.sleep(max(0, start - time.monotonic()))
        url = f"{stack.url}{FACTOR_PAGE}"
        answer = requests.post(url, values, cookies=sent, timeout=120, allow_redirects=False)
        assert answer.status_code in (302, 422), answer.text
        return answer.headers.get("Location", "")

    with ThreadPoolExecutor(len(cookies)) as tabs:
        led_to = list(tabs.map(give, cookies))
    for browser in browsers:
        browser.close()
    return led_to


def sign_ins_of(stack: Stack, name: str) -> int:
    return int(stack.run("tests.processes.test_parallel_codes:count_sign_ins", name))


def count_sign_ins(name: str) -> int:
    return User.objects.get(username=name).sessions.count()


@pytest.mark.parametrize("kind", ["app", "recovery code"])
def test_code_signs_in_exactly_once(stack: Stack, kind: str) -> None:
    name = {"app": "ana", "recovery code": "mia"}[kind]
    if kind == "app":
        code = App(stack.run("tests.processes.test_parallel_codes:add_app", name)).next_code
    else:
        code = next(UNUSED_CODES)

    led_to = give_at_once(stack, name, code)

    assert len(led_to) == SIGN_INS * AT_ONCE_EACH
    assert led_to.count("/") == 1
    assert {each.partition("?")[0] for each in led_to} <= {"/", "", "/accounts/login/"}
    assert sign_ins_of(stack, name) == 1
    assert len(set(stack.served_by(f"POST {FACTOR_PAGE}"))) == 2, "one process answered them all"
