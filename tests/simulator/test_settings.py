"""Settings of both providers: latency, random errors, rate limits, and peak request counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from linkadmin.simulator.server import Simulator
from linkadmin.simulator.settings import MEANINGS, SimulatorSettings
from tests.slowness import SlowProvider

from .conftest import Belvo, Heron, MovableClock

NOBODY = "00000000-0000-4000-8000-000000000000"


@contextmanager
def behaving(clock: MovableClock, **settings: Any) -> Iterator[tuple[Simulator, Belvo, Heron]]:
    with Simulator(clock=clock, settings=SimulatorSettings(**settings)) as simulator:
        belvo = Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))
        heron = Heron(simulator.url, headers={"x-api-key": "key_sandbox"})
        with belvo.session, heron.session:
            yield simulator, belvo, heron


def change(simulator: Simulator, **settings: Any) -> requests.Response:
    return requests.put(f"{simulator.url}/settings.json", json=settings, timeout=60)


def peak(simulator: Simulator) -> dict[str, int]:
    counted: dict[str, int] = requests.get(f"{simulator.url}/settings.json", timeout=60).json()["peak"]
    return counted


def test_nothing_is_slow_or_fails_unless_configured(simulator: Simulator, belvo: Belvo) -> None:
    settings = requests.get(f"{simulator.url}/settings.json", timeout=60).json()

    assert settings == {
        "latency": 0,
        "error_rate": 0.0,
        "error_seed": 0,
        "heron_limit": 1000,
        "belvo_limit": 0,
        "belvo_deletes": 0,
        "webhook_copies": 1,
        "webhook_shuffle": 0,
        "webhook_delay": 0,
        "webhook_pace": 1.0,
        "peak": {},
        "refused": {},
    }


def test_every_answer_takes_its_time(clock: MovableClock) -> None:
    with behaving(clock, latency=80) as (simulator, belvo, heron):
        slow = SlowProvider(simulator.store)
        slow.answers()
        belvo("GET", "/api/")
        heron("GET", "/api/none")

    assert slow.delays == [0.08, 0.08]


def test_the_same_seed_fails_the_same_calls(clock: MovableClock) -> None:
    runs = []
    for seed in (7, 7, 8):
        with behaving(clock, error_rate=0.3, error_seed=seed) as (_, belvo, _heron):
            runs.append([belvo("GET", "/api/links/").status_code for _ in range(40)])

    assert runs[0] == runs[1] != runs[2]
    assert 4 <= runs[0].count(500) <= 20
    assert set(runs[0]) == {200, 500}


def test_a_call_that_fails_by_chance_changes_nothing(clock: MovableClock) -> None:
    with behaving(clock, error_rate=1) as (simulator, belvo, heron):
        refused = [belvo.register("maria"), heron.create("item-1")]

        assert [answer.status_code for answer in refused] == [500, 500]
        assert refused[0].json()[0]["code"] == "unexpected_error"
        assert refused[1].json()["name"] == "Internal Server Error"
        assert not simulator.store.belvo_links
        assert not simulator.store.heron_links


def test_heron_counts_the_calls_of_a_minute_by_endpoint(clock: MovableClock) -> None:
    with behaving(clock, heron_limit=2) as (_, _belvo, heron):
        answers = [heron("GET", f"/api/end_users/{name}") for name in ("a", "b", "c")]
        other = heron("GET", "/api/integrations")
        clock.forward(60)
        later = heron("GET", "/api/end_users/a")

    assert [answer.status_code for answer in (*answers, other, later)] == [404, 404, 429, 200, 404]
    assert answers[2].json()["description"] == "2 per 1 minute"
    assert [answer.headers["x-ratelimit-remaining"] for answer in (*answers, other)] == ["1", "0", "0", "1"]


def test_heron_says_when_its_minute_is_over(clock: MovableClock) -> None:
    with behaving(clock, heron_limit=1) as (_, _belvo, heron):
        heron("GET", "/api/integrations")
        reset = int(heron("GET", "/api/integrations").headers["x-ratelimit-reset"])
        clock.forward(reset - clock.now)

        assert heron("GET", "/api/integrations").status_code == 200
    assert 0 < reset - 1_790_000_000 <= 60


def test_a_rejected_key_gets_the_rate_limit_headers_too(heron: Heron) -> None:
    answer = requests.get(f"{heron.url}/api/integrations", headers={"x-api-key": "no"}, timeout=60)

    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (401, "999")


def test_belvo_blocks_an_address_that_calls_too_often(clock: MovableClock) -> None:
    with behaving(clock, belvo_limit=3) as (_, belvo, heron):
        answers = [belvo("GET", "/api/links/") for _ in range(4)]
        other = heron("GET", "/api/integrations")
        clock.forward(30)
        later = belvo("GET", "/api/links/")

    assert [answer.status_code for answer in (*answers, other, later)] == [200, 200, 200, 403, 200, 200]
    assert answers[3].headers["Content-Type"] == "text/html"


def test_belvo_bears_few_plain_removals_a_minute(clock: MovableClock) -> None:
    with behaving(clock, belvo_deletes=1) as (_, belvo, _heron):
        links = [belvo.new_link(name) for name in ("maria", "tomas", "ines")]
        plain = [belvo("DELETE", f"/api/links/{link}/").status_code for link in links[:2]]
        background = belvo("DELETE", f"/api/links/{links[2]}/", headers={"X-Belvo-Request-Mode": "async"})
        kept = belvo("GET", f"/api/links/{links[1]}/").status_code

    assert (plain, background.status_code, kept) == ([204, 429], 202, 200)


def test_the_largest_number_of_calls_is_remembered(simulator: Simulator, clock: MovableClock) -> None:
    belvo = Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))
    heron = Heron(simulator.url, headers={"x-api-key": "key_sandbox"})
    with belvo.session, heron.session:
        for seconds in (0, 20, 20, 60):
            clock.forward(seconds)
            belvo("GET", "/api/links/")
            heron("GET", "/api/end_users/nobody")

    assert peak(simulator)["belvo calls from 127.0.0.1"] == 2
    assert peak(simulator)["heron GET /api/end_users/{user}"] == 2


def test_each_limit_counts_its_requests_and_rejections(clock: MovableClock) -> None:
    with behaving(clock, heron_limit=2, belvo_limit=3, belvo_deletes=1) as (simulator, belvo, heron):
        for number in range(3):
            heron("GET", f"/api/end_users/{number}")
            heron("GET", "/api/integrations" if number else "/api/end_users")
        for _ in range(3):
            belvo("DELETE", f"/api/links/{NOBODY}/")
        belvo("GET", "/api/links/")

        assert simulator.peak() == {
            "heron GET /api/end_users/{user}": 3,
            "heron GET /api/end_users": 1,
            "heron GET /api/integrations": 2,
            "belvo calls from 127.0.0.1": 4,
            "belvo plain deletes": 3,
        }
        assert simulator.refused() == {
            "heron GET /api/end_users/{user}": 1,
            "belvo plain deletes": 2,
            "belvo calls from 127.0.0.1": 1,
        }


def test_a_client_within_the_limits_is_never_rejected(clock: MovableClock) -> None:
    with behaving(clock, heron_limit=2, belvo_limit=2) as (simulator, belvo, heron):
        for _ in range(3):
            for _ in range(2):
                heron("GET", "/api/integrations")
                belvo("GET", "/api/links/")
            clock.forward(60)

        assert set(simulator.peak().values()) == {2}
        assert simulator.refused() == {}


def test_settings_are_changed_while_it_runs(simulator: Simulator, heron: Heron) -> None:
    heron("GET", "/api/integrations")

    answer = change(simulator, heron_limit=1, latency=1)

    assert (answer.status_code, answer.json()["heron_limit"], answer.json()["peak"]) == (200, 1, {})
    assert [heron("GET", "/api/integrations").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    "wrong",
    [
        {"latency": -1},
        {"latency": 1.5},
        {"error_rate": 2},
        {"heron_limit": True},
        {"belvo_limit": "80"},
        {"speed": 1},
        {"webhook_copies": 0},
        {"webhook_copies": 6},
        {"webhook_shuffle": 2},
        {"webhook_pace": True},
    ],
)
def test_an_invalid_setting_is_rejected(simulator: Simulator, wrong: dict[str, Any]) -> None:
    answer = change(simulator, **wrong)

    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.json()["error"]


def test_without_a_limit_heron_names_none(clock: MovableClock) -> None:
    with behaving(clock, heron_limit=0) as (_, _belvo, heron):
        answer = heron("GET", "/api/integrations")

    assert [name for name in answer.headers if name.startswith("x-ratelimit")] == []


def test_the_command_names_the_invalid_setting() -> None:
    with pytest.raises(CommandError, match="error_rate must be a number from 0 to 1"):
        call_command("simulator", "--error-rate", "2")


def test_the_first_page_explains_each_setting(simulator: Simulator) -> None:
    text = requests.get(simulator.url, timeout=60).text

    assert all(f"<code>{name}</code>" in text for name in MEANINGS)
