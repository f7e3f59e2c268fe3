"""SIGKILL to worker and beat and an emptied broker, during full checks and bulk jobs: everything is done once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from redis import Redis

from linkadmin.simulator.generated import Population
from linkadmin.simulator.heron.generated import heron_links
from tests.environment import HERON_INTEGRATION

from . import servers
from .browser import Browser, Form
from .stack import BANKS, LINKS_PER_BANK, Stack, wait_for

pytestmark = pytest.mark.processes

CROWD = Population(seed=7, belvo_links=9000, heron_links=240)
LATENCY = "200"  # milliseconds: slow enough to be killed midway


class StackWithManyLinks(Stack):
    """A stack with many links in the simulator that aren't in the database yet, and a short read timeout."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings, LINKADMIN_PROVIDER_READ_SECONDS="5")

    def _command(self, name: str) -> list[str]:
        links = ["--belvo-links", str(CROWD.belvo_links), "--heron-links", str(CROWD.heron_links)]
        population = ["--seed", str(CROWD.seed), *links]
        command = super()._command(name)
        return [*command, *population, "--latency", LATENCY] if name == "simulator" else command

    def counts(self) -> dict[str, Any]:
        counted: dict[str, Any] = self.run("tests.processes.counts:count_rows")
        return counted

    def kill_and_empty_broker(self) -> None:
        """Send SIGKILL to worker and beat, delete all messages in the broker, and restart them."""
        self.kill("worker", "beat")
        broker = self.environment.get("LINKADMIN_BROKER_URL", "")
        if broker:
            with Redis.from_url(broker) as redis:
                redis.flushdb()
        for message in (self.data / "broker" / "messages").glob("*"):
            message.unlink()
        self.start("worker", "beat")


@pytest.fixture(scope="module", params=["embedded", pytest.param("servers", marks=pytest.mark.servers)])
def stack_with_many_links(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, static: Path
) -> Iterator[StackWithManyLinks]:
    folder = tmp_path_factory.mktemp(f"crowded-{request.param}")
    if request.param == "embedded":
        with StackWithManyLinks(folder, static=static) as running:
            yield running
        return
    with servers.borrowed() as environment, StackWithManyLinks(folder, static=static, **environment) as running:
        yield running


def links_to_be_found() -> int:
    """Count the simulator's links of both integrations, including those already in the database."""
    generated = heron_links(CROWD, time.time(), time.time())
    at_heron = sum(link.integration == HERON_INTEGRATION for link, _ in generated)
    return CROWD.belvo_links + at_heron + LINKS_PER_BANK * len(BANKS)


def press(browser: Browser, page: str, address: str, **typed: str) -> requests.Response:
    """Submit to an address, as one of the page's buttons does."""
    token = browser.open(page, having="csrfmiddlewaretoken").fields["csrfmiddlewaretoken"]
    return browser.send(Form(browser.url + address, {"csrfmiddlewaretoken": token}), **typed)


def in_the_middle(stack: StackWithManyLinks, how_far: Callable[[dict[str, Any]], tuple[int, int]]) -> None:
    """Wait until some of the work is done. Fails if all of it is."""

    def is_between() -> bool:
        done, of = how_far(stack.counts())
        assert done < max(1, of), "it was over before anything could be killed"
        return done > 0

    wait_for(is_between)


def parts_of_full_checks(counts: dict[str, Any]) -> tuple[int, int]:
    running = [full_check for full_check in counts["full_checks"] if full_check["state"] == "running"]
    return sum(full_check["done"] for full_check in running), sum(full_check["parts"] for full_check in running) or 1


def items_of_job(counts: dict[str, Any]) -> tuple[int, int]:
    job = counts["jobs"][-1]
    return job["total"] - job["items"].get("waiting", 0), job["total"]


def wait_until_full_checks_are_done(stack: StackWithManyLinks) -> dict[str, Any]:
    """Wait until each provider has a completed full check. Returns the counts."""

    def counts_when_done() -> dict[str, Any] | None:
        counts = stack.counts()
        done = {full_check["provider"] for full_check in counts["full_checks"] if full_check["state"] == "done"}
        return counts if done == {"belvo", "heron"} else None

    return wait_for(counts_when_done)


def test_full_checks_that_are_killed_again_and_again_find_every_link_once(
    stack_with_many_links: StackWithManyLinks,
) -> None:
    for _ in range(2):
        in_the_middle(stack_with_many_links, parts_of_full_checks)
        stack_with_many_links.kill_and_empty_broker()

    counts = wait_until_full_checks_are_done(stack_with_many_links)

    assert counts["links"] == counts["beginnings"] == links_to_be_found()
    assert counts["twice"] == 0
    assert len(counts["full_checks"]) == 2


def test_notes_on_all_links_are_written_once_each(stack_with_many_links: StackWithManyLinks) -> None:
    counts = wait_until_full_checks_are_done(stack_with_many_links)
    ana = stack_with_many_links.browser("ana")
    plan = press(ana, "/links/", "/bulk/note/", all="1", text="Call them on Monday")
    job = plan.url.removeprefix(ana.url)
    press(ana, job, job, move="begin")

    in_the_middle(stack_with_many_links, items_of_job)
    stack_with_many_links.kill_and_empty_broker()
    counts = wait_for(lambda: done(stack_with_many_links))

    assert counts["jobs"][-1]["items"] == {"done": counts["links"]}
    assert counts["notes"] == {"1": counts["links"]}


def test_reading_of_many_links_goes_on_after_a_kill(stack_with_many_links: StackWithManyLinks) -> None:
    wait_until_full_checks_are_done(stack_with_many_links)
    ana = stack_with_many_links.browser("ana")
    heron = stack_with_many_links.integrations["heron"]
    plan = press(ana, "/links/", "/bulk/refresh/", all="1", integration=heron)
    job = plan.url.removeprefix(ana.url)
    press(ana, job, job, move="begin")

    in_the_middle(stack_with_many_links, items_of_job)
    stack_with_many_links.kill_and_empty_broker()
    counts = wait_for(lambda: done(stack_with_many_links))

    last = counts["jobs"][-1]
    assert last["items"].get("done", 0) + last["items"].get("skipped", 0) == last["total"]


def done(stack: StackWithManyLinks) -> dict[str, Any] | None:
    counts = stack.counts()
    return counts if counts["jobs"][-1]["state"] == "done" else None
