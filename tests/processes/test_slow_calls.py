"""Many slow calls in flight hold no database connection, and delay no page."""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from .browser import Browser, Form
from .stack import DATABASE, Stack, wait_for

pytestmark = pytest.mark.processes

INTEGRATIONS, CALLS_EACH = 5, 8
CALLS = INTEGRATIONS * CALLS_EACH


@pytest.fixture
def slow(tmp_path: Path, static: Path) -> Iterator[Stack]:
    with Stack(tmp_path, static=static, LINKADMIN_PROVIDER_CREDENTIALS_SECONDS="120") as running:
        yield running


def test_pages_are_served_while_many_calls_wait(slow: Stack) -> None:
    slow.kill("worker", "beat")
    links = slow.run("tests.processes.integrations:add_integrations", INTEGRATIONS, CALLS_EACH)
    people = [slow.browser("ana"), slow.browser("ben")]  # each may use half of the slots
    forms = [
        (people[number % 2], people[number % 2].open(f"/links/{link}/credentials/", having="operation_key"))
        for number, link in enumerate(links)
    ]
    slow.freeze("simulator")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, forms))
    assert Counter(answers) == {303: CALLS}
    wait_for(lambda: in_flight(slow) == CALLS)
    open_files = connections(slow)
    pages = [people[0].get(f"/links/{link}/").status_code for link in links[:10]]

    assert pages == [200] * 10
    assert open_files < CALLS  # those of the threads that serve pages
    slow.thaw("simulator")
    wait_for(lambda: "sending" not in states(slow))
    outcomes = states(slow)
    assert outcomes.keys() <= {"succeeded", "needs_code"}  # as each bank has it
    assert sum(outcomes.values()) == CALLS


def send(post: tuple[Browser, Form]) -> int:
    person, form = post
    answer = person.send(form, patience=120, password="pass_valid")
    return answer.history[0].status_code if answer.history else answer.status_code


def in_flight(stack: Stack) -> int:
    """Count the connections of web processes to the simulator."""
    port = int(stack.simulator_url.rpartition(":")[2])
    established = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(remote.endswith(f":{port:04X}") and state == "01" for _local, remote, state in established)


def connections(stack: Stack) -> int:
    """Count the open database files of all web processes."""
    found = 0
    for worker in stack.web_workers():
        folder = Path(f"/proc/{worker}/fd")
        found += sum(os.readlink(each).endswith(DATABASE) for each in folder.iterdir() if each.is_symlink())
    return found


def states(stack: Stack) -> dict[str, int]:
    with closing(sqlite3.connect(stack.data / DATABASE)) as database:
        return dict(database.execute("SELECT state, count(*) FROM operations_operation GROUP BY state"))
