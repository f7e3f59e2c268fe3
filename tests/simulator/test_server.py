"""The server: pages, recorded requests, threads, and shutdown."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from linkadmin.simulator.belvo.guide import CODES
from linkadmin.simulator.belvo.guide import TRIGGERS as BELVO_TRIGGERS
from linkadmin.simulator.heron.guide import ITEM_PREFIXES
from linkadmin.simulator.heron.guide import TRIGGERS as HERON_TRIGGERS
from linkadmin.simulator.server import Simulator
from tests.slowness import SlowProvider

from .conftest import Belvo, Heron

ROOT = Path(__file__).parents[2]


def page(simulator: Simulator, path: str) -> str:
    return requests.get(simulator.url + path, timeout=60).text


def test_the_first_page_lists_everything_that_can_be_typed(simulator: Simulator) -> None:
    text = page(simulator, "/")

    words = [word for trigger in (*BELVO_TRIGGERS, *HERON_TRIGGERS, *CODES) for word in trigger.shown]
    assert [word for word in words if f"<code>{word}</code>" not in text] == []
    assert all(item_prefix.prefix in text for item_prefix in ITEM_PREFIXES)
    assert "sandbox-id" in text
    assert "key_sandbox" in text


def test_pages_use_no_script_and_no_inline_style(simulator: Simulator) -> None:
    answer = requests.get(simulator.url, timeout=60)

    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert requests.get(f"{simulator.url}/guide.css", timeout=60).headers["Content-Type"].startswith("text/css")


def test_the_calls_page_shows_calls_without_their_secrets(simulator: Simulator, belvo: Belvo) -> None:
    belvo.register("canaryuser", "canarypass", external_id="<b>cust</b>")

    text = page(simulator, "/calls/")

    assert "POST /api/links/" in text
    assert "201" in text
    assert "canary" not in text
    assert "&lt;b&gt;cust" in text


def test_calls_are_remembered_without_secrets(simulator: Simulator, heron: Heron) -> None:
    heron.create("item-1", "access-canary")

    call = simulator.calls[0]

    assert (call.method, call.path, call.status) == ("POST", heron.links, 201)
    assert call.body["item_id"] == "item-1"
    assert "canary" not in repr(call)
    assert "key_sandbox" not in repr(call)


def test_calls_are_remembered_whole_when_recording() -> None:
    with Simulator(record=True) as simulator:
        client = Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))
        with client.session:
            client.register("canaryuser", "canarypass")

        call = simulator.calls[0]
        shown = page(simulator, "/calls/")

    assert call.body["password"] == "canarypass"
    assert json.loads(call.raw)["username"] == "canaryuser"
    assert call.headers["authorization"].startswith("Basic ")
    assert "canary" not in shown


def test_a_cut_call_is_remembered_without_a_status(simulator: Simulator, belvo: Belvo) -> None:
    with pytest.raises(requests.ConnectionError):
        belvo.register("maria", "lost_after")

    assert [call.status for call in simulator.calls] == [None]
    assert page(simulator, "/calls/").count("<td>cut</td>") == 1


def test_a_running_request_is_recorded_and_blocks_no_other(simulator: Simulator, belvo: Belvo) -> None:
    slower = SlowProvider(simulator.store)
    slow = threading.Thread(target=lambda: belvo.register("maria", "slow_1"))
    slow.start()
    other = Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))
    while not simulator.calls:
        time.sleep(0.01)

    with other.session:
        quick = other.register("tomas")

    assert (quick.status_code, simulator.calls[0].milliseconds) == (201, None)
    slower.answers()
    slow.join()
    assert simulator.calls[0].status == 201


def test_two_threads_register_one_person_once(simulator: Simulator) -> None:
    statuses = []

    def register() -> None:
        client = Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))
        with client.session:
            statuses.append(client.register("maria", "slow_1").status_code)

    threads = [threading.Thread(target=register) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201, 400]


def test_a_keep_alive_connection_serves_many_requests(simulator: Simulator) -> None:
    connection = http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=60)
    connection.connect()
    line = connection.sock
    for _ in range(50):
        connection.request("GET", "/api/hello_world")
        assert connection.getresponse().read() == b'{"hello": "world"}'
    assert connection.sock is line
    connection.close()


def test_a_body_that_is_too_long_is_rejected(simulator: Simulator) -> None:
    connection = http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/api/links/")
    connection.putheader("Content-Length", str(2 << 20))
    connection.endheaders()

    assert connection.getresponse().status == 413
    connection.close()


def test_stopping_ends_slow_calls_without_effect() -> None:
    simulator = Simulator().start()
    client = Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))
    failures: list[Exception] = []

    def register() -> None:
        try:
            client.register("maria", "slow_300")
        except requests.ConnectionError as error:
            failures.append(error)

    thread = threading.Thread(target=register)
    thread.start()
    while not simulator.calls:
        time.sleep(0.01)
    began = time.monotonic()
    simulator.stop()
    thread.join()
    client.session.close()

    assert time.monotonic() - began < 60
    assert len(failures) == 1
    assert simulator.store.belvo_links == {}


@pytest.fixture
def command(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "simulator", "--port", "0", "--state", str(tmp_path / "state.json")],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_sigterm(
    command: subprocess.Popen[str], number: signal.Signals, tmp_path: Path
) -> None:
    assert command.stdout
    assert command.stderr
    url = command.stdout.readline().split()[-1].rstrip("/")
    with (client := Belvo(url, auth=("sandbox-id", "sandbox-password"))).session:
        link = client.new_link()

        command.send_signal(number)
        status = command.wait(timeout=600)

    assert status == 0
    assert command.stderr.read() == ""
    assert link in (tmp_path / "state.json").read_text()


@pytest.mark.processes
def test_a_taken_port_is_reported_in_one_sentence(simulator: Simulator) -> None:
    port = simulator.url.rsplit(":", 1)[1]

    ended = subprocess.run(
        [sys.executable, "manage.py", "simulator", "--port", port],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert ended.returncode == 1
    assert ended.stderr == f"CommandError: The simulator can't start on port {port}: Address already in use.\n"
