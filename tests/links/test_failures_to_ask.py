"""Failed status checks: no link changes state, and its page says why the data may be old."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_django import Settings

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.environment import Environment

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

OF_ASKING = {"checked_at", "check_failed", "checking_since"}  # everything else about a link is what we know of it
TITLE, OLDER = "The last status check failed", "What you see is from before then."
NO_CONNECTION = "We couldn't connect to the provider."
TOO_SLOW = "The provider took too long to respond."

# What the simulator responds with, and what the page quotes of it.
BELVO = {
    "authentication_failed": "authentication_failed",  # 401
    "denied_403": "access_to_resource_denied",
    "access_to_production_denied": "access_to_production_denied",
    "permission_denied": "permission_denied",
    "quota_limit_reached": "quota_limit_reached",
    "html_403": "HTTP 403",
    "rate_429": "HTTP 429",
    "timeout_408": "request_timeout",
    "server_error": "unexpected_error",
    "service_unavailable": "service_unavailable",
}
HERON = {
    "heron_401": "Unauthorized",
    "heron_403": "Forbidden",
    "heron_429": "Too Many Requests",
    "heron_500": "Internal Server Error",
}

each_provider = pytest.mark.parametrize("provider", ["belvo", "heron"])


def broken_link(env: Environment, provider: str) -> Link:
    """A link that works at its provider and that we believe broken, so that a good response would change it."""
    return env.belvo_link() if provider == "belvo" else env.heron_link(cause=Cause.LOGIN_REQUIRED)


def known(link: Link) -> tuple[dict[str, Any], int]:
    """Everything we know about a link, and how many times its state changed."""
    row = Link.objects.filter(pk=link.pk).values().get()
    return {name: value for name, value in row.items() if name not in OF_ASKING}, link.changes.count()


def words_after_check(env: Environment, link: Link) -> str:
    """Check status with the page's button, wait for the result, and read the page."""
    env.post(f"{link.get_absolute_url()}refresh/")
    env.settled()
    return env.open(link.get_absolute_url()).words


@contextmanager
def taken_port(*, listening: bool) -> Iterator[str]:
    """URL of a port that refuses connections, or accepts them and never responds."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if listening:
            taken.listen()
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    ("provider", "answer", "error"),
    [*(("belvo", *row) for row in BELVO.items()), *(("heron", *row) for row in HERON.items())],
    ids=[*BELVO, *HERON],
)
def test_response_that_says_nothing_about_a_link_changes_nothing(
    env: Environment, settings: Settings, provider: str, answer: str, error: str
) -> None:
    settings.PROVIDER_READ_SECONDS = 2  # a longer Retry-After isn't waited for
    link = broken_link(env, provider)
    before = known(link)
    env.simulator.fail("GET", "/api/", answer, times=9)

    words = words_after_check(env, link)

    assert f"{TITLE} The provider responded with the error “{error}”. {OLDER}" in words
    assert known(link) == before


@each_provider
@pytest.mark.parametrize(("listening", "why"), [(False, NO_CONNECTION), (True, TOO_SLOW)], ids=["refused", "silent"])
def test_provider_that_does_not_answer_changes_nothing(
    env: Environment, settings: Settings, provider: str, listening: bool, why: str
) -> None:
    settings.PROVIDER_READ_SECONDS = 0.5
    link = broken_link(env, provider)
    before = known(link)

    with taken_port(listening=listening) as url:
        Integration.objects.update(base_url=url)
        words = words_after_check(env, link)

    assert f"{TITLE} {why} {OLDER}" in words
    assert known(link) == before


@each_provider
def test_next_good_response_changes_the_state_and_removes_the_message(env: Environment, provider: str) -> None:
    link = broken_link(env, provider)
    before = known(link)
    env.simulator.fail("GET", "/api/", "lost_before", times=3)

    assert TITLE in words_after_check(env, link)
    words = words_after_check(env, link)

    assert TITLE not in words
    assert known(link) != before
