"""Pages and monitors report background processing that has stopped, but not workers that are just busy."""

import json
import os
import re
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path

import pytest

from .browser import Browser
from .stack import PROJECT, Stack, wait_for

pytestmark = pytest.mark.processes
LONG = 180  # seconds; silent programs count as dead after 40 s, but a busy machine reports it later
BUSY_SECONDS = 75
SHOWN = re.compile(r"Task heartbeats\.tick\[\S+\] succeeded")  # logged only when a slot was free
STOPPED = "Background processing has stopped."


def status(browser: Browser, probe: str) -> int:
    return browser.get(probe).status_code


def test_dead_scheduler_is_reported_until_it_runs_again(stack: Stack) -> None:
    browser = stack.browser()
    wait_for(lambda: status(browser, "/statusz/") == HTTPStatus.OK, within=LONG)
    stack.kill("beat")

    wait_for(lambda: status(browser, "/statusz/") == HTTPStatus.SERVICE_UNAVAILABLE, within=LONG)
    wait_for(lambda: browser.says("/", STOPPED), within=LONG)
    assert status(browser, "/readyz/") == HTTPStatus.OK

    stack.start("beat")
    wait_for(lambda: status(browser, "/statusz/") == HTTPStatus.OK, within=LONG)
    wait_for(lambda: not browser.says("/", STOPPED), within=LONG)


def test_worker_whose_slots_are_all_busy_is_alive_and_one_that_hangs_is_dead(stack: Stack) -> None:
    browser = stack.browser()
    stack.run_other_worker("--concurrency", "2", "--include", "tests.processes.long_tasks")
    try:
        wait_for(lambda: status(browser, "/statusz/") == HTTPStatus.OK, within=LONG)
        fill(stack, "tests.read_on", stack.integrations["belvo"], str(BUSY_SECONDS))
        time.sleep(5)  # for earlier tasks to finish
        until, shown = time.monotonic() + BUSY_SECONDS - 15, SHOWN.findall(stack.log("worker"))
        while time.monotonic() < until:
            assert status(browser, "/statusz/") == HTTPStatus.OK
            time.sleep(1)
        assert SHOWN.findall(stack.log("worker")) == shown, "a slot was free"

        fill(stack, "tests.hang")
        wait_for(lambda: status(browser, "/statusz/") == HTTPStatus.SERVICE_UNAVAILABLE, within=LONG)
        assert browser.says("/", STOPPED)
    finally:
        stack.kill("worker")


def fill(stack: Stack, task: str, *arguments: str) -> None:
    """Occupy both of the worker's slots with a task."""
    before = stack.log("worker").count(f"{task}[")
    for _slot in range(2):
        stack.run("tests.processes.long_tasks:send", task, *arguments)
    wait_for(lambda: stack.log("worker").count(f"{task}[") >= before + 2, within=LONG)


def test_beat_says_in_its_log_what_it_cannot_write(tmp_path: Path) -> None:
    """The database has no tables."""
    log = tmp_path / "log"
    command = [sys.executable, "-m", "celery", "--app", "linkadmin", "beat", "--pidfile", ""]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LINKADMIN_", "DJANGO_"))}
    env = inherited | {"LINKADMIN_DATA": str(tmp_path)}
    subprocess.run([sys.executable, "manage.py", "makekeys"], cwd=PROJECT, env=env, check=True)
    with log.open("wb") as output:
        beat = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=output, stderr=output)
    try:
        wait_for(lambda: "heartbeat.lost" in log.read_text(), within=60)
    finally:
        beat.kill()
        beat.wait()

    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert {line["kind"] for line in lines if line["event"] == "heartbeat.lost"} == {"beat"}
