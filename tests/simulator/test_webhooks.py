"""Sending webhooks: only to this machine, with retries, and as the webhook settings say."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from linkadmin.simulator import deliveries as sending
from linkadmin.simulator.deliveries import Delivery, DeliveryOutcome
from linkadmin.simulator.server import Simulator
from linkadmin.simulator.settings import SimulatorSettings
from linkadmin.simulator.store import Store
from tests.waiting import wait_until

from .conftest import Belvo, Heron
from .receiver import Receiver

ROOT = Path(__file__).parents[2]
QUICK = SimulatorSettings(webhook_pace=0.0001)


@pytest.fixture
def simulator(simulator: Simulator, receiver: Receiver) -> Iterator[Simulator]:
    """Sends Belvo's webhooks to the receiver, and retries quickly."""
    simulator.configure(QUICK)
    simulator.webhooks(belvo_url=receiver.url(), belvo_authorization="Bearer test")
    return simulator


def settings(simulator: Simulator, **wish: Any) -> requests.Response:
    return requests.put(f"{simulator.url}/webhooks.json", json=wish, timeout=60)


def sent(simulator: Simulator) -> Any:
    return requests.get(f"{simulator.url}/webhooks.json", timeout=60).json()


def register(belvo: Belvo, name: str = "maria") -> str:
    """Register a link whose history fits one webhook."""
    return belvo.new_link(name, fetch_resources=["OWNERS"])


def test_nothing_is_sent_unless_there_is_an_address(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    simulator.webhooks(belvo_url="")

    register(belvo)

    assert simulator.deliveries == []
    assert receiver.got == []


def test_an_answer_in_the_two_hundreds_is_enough(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    receiver.answers.append(204)
    register(belvo)

    assert simulator.delivered()
    (delivery,) = simulator.deliveries
    assert (delivery.outcome, delivery.attempts, delivery.status) == (DeliveryOutcome.DELIVERED, 1, 204)


def test_belvo_tries_five_times_more(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    receiver.usual = 500
    register(belvo)

    assert simulator.delivered()
    (delivery,) = simulator.deliveries
    assert (delivery.outcome, delivery.attempts, delivery.status) == (DeliveryOutcome.GIVEN_UP, 6, 500)
    assert len({got.raw for got in receiver.got}) == 1


def test_heron_tries_three_times_more(simulator: Simulator, heron: Heron, receiver: Receiver) -> None:
    receiver.usual = 503
    heron("POST", "/api/webhooks", {"topic": "end_user.created", "url": receiver.url()})
    heron.create("item-1")

    assert simulator.delivered()
    assert len(receiver.got) == 4


def test_the_pauses_are_the_documented_ones(simulator: Simulator, belvo: Belvo, heron: Heron) -> None:
    heron("POST", "/api/webhooks", {"topic": "end_user.created", "url": "http://192.0.2.1/"})
    heron.create("item-1")
    register(belvo)

    pauses = {each.provider: each.pauses for each in simulator.deliveries}
    assert pauses == {"heron": (60, 300, 900), "belvo": (60, 120, 180, 240, 300)}


def test_a_webhook_waits_while_its_receiver_is_away(simulator: Simulator, belvo: Belvo) -> None:
    simulator.configure(SimulatorSettings(webhook_pace=0.005))
    with Receiver() as gone:
        simulator.webhooks(belvo_url=gone.url())
    link = register(belvo)
    wait_until(lambda: simulator.deliveries[0].attempts)

    with Receiver(gone.port) as back:
        assert simulator.delivered()

    assert [got.body["link_id"] for got in back.got] == [link]
    assert simulator.deliveries[0].attempts > 1


def test_a_redirect_is_not_followed(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    receiver.answers.append(302)
    register(belvo)

    assert simulator.delivered()
    assert [got.path for got in receiver.got] == ["/hooks/", "/hooks/"]


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.1/", "https://127.0.0.1/", "http://localhost.example.test/", "http://[::1", "http://127.0.0.1:0/"],
)
def test_nothing_leaves_this_machine(simulator: Simulator, belvo: Belvo, url: str) -> None:
    simulator.webhooks(belvo_url=url)

    register(belvo)

    assert [each.outcome for each in simulator.deliveries] == ["not sent: the URL is not on this machine"]
    assert sent(simulator)["counts"]["not sent: the URL is not on this machine"] == 1


def test_messages_come_in_the_order_of_events(
    simulator: Simulator, belvo: Belvo, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LATE", 3600.0)  # several threads would send overdue webhooks
    links = [register(belvo, f"maria{number}") for number in range(20)]

    assert simulator.delivered()
    assert [got.body["link_id"] for got in receiver.got] == links


def test_each_webhook_is_sent_as_often_as_configured(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    simulator.configure(SimulatorSettings(webhook_copies=3))
    register(belvo)

    assert simulator.delivered()
    assert len(receiver.got) == 3
    assert len({got.raw for got in receiver.got}) == 1


def test_messages_can_come_out_of_order(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    simulator.configure(SimulatorSettings(webhook_shuffle=1))
    links = [register(belvo, f"maria{number}") for number in range(12)]

    assert simulator.delivered()
    came = [got.body["link_id"] for got in receiver.got]
    assert came != links
    assert sorted(came) == sorted(links)


def test_messages_can_come_late(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    simulator.configure(SimulatorSettings(webhook_delay=3600))
    register(belvo)

    assert not simulator.delivered(0.1)
    assert receiver.got == []
    assert sent(simulator)["counts"]["waiting"] == 1


def test_a_slow_receiver_blocks_no_request(
    simulator: Simulator, belvo: Belvo, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LATE", 0.0)
    with Receiver() as slow:
        slow.open.clear()
        simulator.webhooks(belvo_url=slow.url())
        register(belvo)
        wait_until(lambda: slow.got)
        simulator.webhooks(belvo_url=receiver.url())
        links = [register(belvo, f"tomas{number}") for number in range(3)]
        wait_until(lambda: len(receiver.got) == 3)

        assert {got.body["link_id"] for got in receiver.got} == set(links)
        assert simulator.deliveries[0].outcome == DeliveryOutcome.WAITING


def test_the_end_does_not_wait_for_what_waits(belvo: Belvo, simulator: Simulator, receiver: Receiver) -> None:
    simulator.configure(SimulatorSettings(webhook_delay=600))
    register(belvo)
    began = time.monotonic()

    simulator.store.deliveries.stop()

    assert time.monotonic() - began < 60


def test_the_lever_sets_addresses_and_shows_no_secret(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    answer = settings(
        simulator,
        belvo={"url": receiver.url("/other/"), "authorization": "Basic canary"},
        heron={"secret": "sec_canary"},
    )
    link = register(belvo)
    assert simulator.delivered()

    received = sent(simulator)
    assert (answer.status_code, received["belvo"]["url"]) == (200, receiver.url("/other/"))
    assert receiver.got[0].headers["authorization"] == "Basic canary"
    assert "canary" not in json.dumps(received)
    assert received["counts"]["delivered"] == 1
    assert [(each["about"], each["status"], each["attempts"]) for each in received["deliveries"]] == [(link, 200, 1)]


@pytest.mark.parametrize(
    "wish",
    [
        {"plaid": {"secret": "x"}},
        {"belvo": {"colour": "red"}},
        {"belvo": "http://127.0.0.1/"},
        {"belvo": {"url": 7}},
        {"belvo": {"authorization": "Bearer a\r\nX: b"}},
        {"heron": {"secret": ""}},
    ],
)
def test_an_invalid_webhook_setting_is_rejected(simulator: Simulator, receiver: Receiver, wish: Any) -> None:
    answer = settings(simulator, **wish)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert sent(simulator)["belvo"]["url"] == receiver.url()


def test_a_page_shows_what_was_sent(simulator: Simulator, belvo: Belvo) -> None:
    link = register(belvo)
    assert simulator.delivered()

    text = requests.get(f"{simulator.url}/webhooks/", timeout=60).text

    assert "OWNERS historical_update" in text
    assert link in text


def test_the_first_page_names_the_practice_secrets(simulator: Simulator) -> None:
    text = requests.get(simulator.url, timeout=60).text

    assert "<code>Bearer belvo-sandbox-practice</code>" in text
    assert "<code>sec_sandbox_practice</code>" in text


def kept(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_the_command_rejects_an_invalid_secret(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="printable texts of ASCII"):
        call_command("simulator", "--heron-webhook-secret", kept(tmp_path, "secret", "a\nb"))


def test_the_command_names_the_file_it_cant_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="none can't be read: No such file"):
        call_command("simulator", "--belvo-webhook", str(tmp_path / "none"))


@pytest.mark.processes
def test_the_command_takes_an_address_and_what_proves_it(receiver: Receiver, tmp_path: Path) -> None:
    options = ["--port", "0", "--belvo-webhook", kept(tmp_path, "url", receiver.url())]
    options += ["--belvo-webhook-authorization", kept(tmp_path, "header", "Bearer typed\n")]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "simulator", *options],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        url = process.stdout.readline().split()[-1].rstrip("/")
        with (client := Belvo(url, auth=("sandbox-id", "sandbox-password"))).session:
            register(client)
        wait_until(lambda: receiver.got)
        process.terminate()

    assert receiver.got[0].headers["authorization"] == "Bearer typed"


def test_long_past_deliveries_still_count(simulator: Simulator) -> None:
    store: Store = simulator.store
    for _ in range(sending.LENGTH + 5):
        store.deliveries.add(Delivery("belvo", "LINK x", "a", "http://192.0.2.1/", "", {}, b"", ()))

    assert len(simulator.deliveries) == sending.LENGTH
    assert store.deliveries.counts()[DeliveryOutcome.NOT_HERE] == sending.LENGTH + 5
