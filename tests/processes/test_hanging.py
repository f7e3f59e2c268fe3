"""A provider that accepts calls and never responds delays no page, and unserved requests are rejected at once.

Prints timings (`pytest -s`). Asserts only what doesn't depend on the machine's load.
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from requests import Response

from .browser import Browser, Form
from .stack import Stack, wait_for

pytestmark = pytest.mark.processes

POSTS, OF_ONE_PERSON = 49, 4
SENT, SAME_LINK, NO_SLOT = 303, 409, 503
LOOK_SECONDS = 12.0  # how long the list is watched, both before and during the posts
RHYTHMS = {"within ten seconds": 0.2, "at the same moment": 0.0}  # seconds between two clicks
LONG = "60"  # seconds: practically forever
LIST = "/links/"


@pytest.fixture
def hanging(tmp_path: Path, static: Path) -> Iterator[Stack]:
    with Stack(tmp_path, static=static, LINKADMIN_PROVIDER_CREDENTIALS_SECONDS=LONG) as running:
        yield running


def test_neither_pages_nor_refusals_wait_for_a_provider_that_hangs(hanging: Stack) -> None:
    people = [hanging.browser("ana"), hanging.browser("ben")]
    links = [hanging.link(bank).page for bank in ("erebor_mx_retail", "heimdall_mx_retail") for _each in range(8)]
    forms = [_forms(people, links) for _rhythm in RHYTHMS]
    hanging.kill("worker", "beat")
    idle = _watch(people[0])
    hanging.freeze("simulator")

    answers = []
    for posts, (rhythm, apart) in zip(forms, RHYTHMS.items(), strict=True):
        with ThreadPoolExecutor(POSTS + 1) as threads:
            watching = threads.submit(_watch, people[0])
            these = list(threads.map(lambda post: _send(*post), _in_rhythm(posts, apart)))
            busy = watching.result()
        _print(rhythm, idle, busy, sorted(seconds for answer, seconds in these if answer.status_code != SENT))
        answers += [answer for answer, _seconds in these]

    sent = [answer for answer in answers if answer.status_code == SENT]
    refused = [answer for answer in answers if answer.status_code != SENT]
    by_person = Counter(answer.request.headers["Cookie"] for answer in sent)
    assert 0 < max(by_person.values()) <= OF_ONE_PERSON
    assert len({answer.request.url for answer in sent}) == len(sent)
    # The order of posts is random: only a link with a call in progress may be reported as busy.
    busy_links = {answer.request.url for answer in refused if answer.status_code == SAME_LINK}
    assert busy_links <= {answer.request.url for answer in sent}
    assert {answer.status_code for answer in refused} <= {NO_SLOT, SAME_LINK}
    assert NO_SLOT in {answer.status_code for answer in refused}
    assert all("Nothing was sent" in answer.text for answer in refused)


def _forms(people: list[Browser], links: list[str]) -> list[tuple[Browser, Form]]:
    """Open the forms for all posts, alternating between people."""
    posts = [(people[number % 2], links[number // 2 % len(links)]) for number in range(POSTS)]
    return [(person, person.open(f"{link}credentials/", having="operation_key")) for person, link in posts]


def _in_rhythm(posts: list[tuple[Browser, Form]], apart: float) -> Iterator[tuple[Browser, Form]]:
    for post in posts:
        yield post
        time.sleep(apart)


def _send(person: Browser, form: Form) -> tuple[Response, float]:
    began = time.monotonic()
    answer = person.send(form, patience=120, password="pass_valid")
    first = answer.history[0] if answer.history else answer
    return first, first.elapsed.total_seconds() if answer.history else time.monotonic() - began


def _watch(person: Browser) -> list[float]:
    """Time requests of the list for a fixed period, so that a single burst doesn't decide."""
    seen, until = [], time.monotonic() + LOOK_SECONDS
    while time.monotonic() < until:
        seen.append(_look(person))
    return seen


def _look(person: Browser) -> float:
    began = time.monotonic()
    page = wait_for(lambda: person.get(LIST))
    assert page.status_code == 200
    return time.monotonic() - began


def _print(rhythm: str, idle: list[float], busy: list[float], refused: list[float]) -> None:
    p95_idle, p95_busy = (statistics.quantiles(seconds, n=20)[-1] for seconds in (idle, busy))
    sys.stdout.write(
        f"\n{POSTS} posts {rhythm}"
        f"\nlist page: p95 idle {p95_idle * 1000:.0f} ms, meanwhile {p95_busy * 1000:.0f} ms"
        f" ({p95_busy / p95_idle:.2f} x idle, {len(busy)} looks)"
        f"\nrefusals:  median {statistics.median(refused) * 1000:.0f} ms, longest {refused[-1] * 1000:.0f} ms\n"
    )
