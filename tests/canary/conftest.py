"""A stack with an echo server, after secrets were typed into every form."""

import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from tests.processes import servers
from tests.processes.stack import Stack

from .canaries import Canaries
from .echo_server import Shown, serving
from .typist import Typist


@dataclass
class Typed:
    """All secrets that were typed or received, and everything that could have stored them."""

    secrets: Canaries  # typed by staff, or sent by the provider to our server only
    shown: Canaries  # sent by the provider for the one page that shows it
    made: str  # a webhook secret that we generated and showed once
    invitation: str  # the code of a link that we showed once
    repair_tokens: list[str]  # of customers' URLs and cookies
    second_factor: list[str]  # an app's key and recovery codes, each shown once
    heard: list[str]  # received by the provider in our calls
    killed: str  # a link's page after the web process was killed during its call
    places: Mapping[str, bytes]


@pytest.fixture(
    scope="session",
    params=[pytest.param("embedded", marks=pytest.mark.processes), pytest.param("servers", marks=pytest.mark.servers)],
)
def typed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Typed:
    secrets, shown = Canaries(), Canaries()
    told = Shown(
        session=secrets.plain("session"),
        number=shown.short("number"),
        instructions=shown.plain("instructions"),
        access=shown.plain("access"),
        refresh=secrets.plain("refresh"),
    )
    folder, static = tmp_path_factory.mktemp("canary"), tmp_path_factory.mktemp("static")
    with (
        _servers(request.param) as environment,
        serving(told) as echo_server,
        Stack(folder, static=static, **environment) as stack,
        nothing_overwritten(stack.data / "linkadmin.sqlite3"),
    ):
        typist = Typist(stack, echo_server, secrets)
        typist.keys_of_integrations()
        typist.secrets_of_messages()
        typist.passwords_of_staff()
        typist.every_end_of_a_call()
        typist.forms_that_are_not_sent()
        typist.the_simulators_banks()
        stack.kill("worker")  # so that messages stay in the broker
        killed = typist.a_call_that_is_killed()
        return Typed(
            secrets,
            shown,
            typist.made_secret,
            typist.invitation,
            typist.repair_tokens,
            typist.second_factor,
            echo_server.heard,
            killed,
            places_of(stack),
        )


def _servers(kind: str) -> AbstractContextManager[dict[str, str]]:
    return servers.borrowed() if kind == "servers" else nullcontext({})


@contextmanager
def nothing_overwritten(database: Path) -> Iterator[None]:
    """Keep all pages written from now on in the write-ahead log, with a read transaction that stays open."""
    if not database.exists():
        yield
        return
    with closing(sqlite3.connect(database)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM accounts_staffsession").fetchone()
        yield


def places_of(stack: Stack) -> dict[str, bytes]:
    """Read everything that a stack stored, logged or answered, by location."""
    copy = stack.folder / "copy"
    copy.mkdir()
    # In a separate process: closing an SQLite file in this one would release the reader's locks.
    subprocess.run(["cp", "-r", stack.data, stack.logs, copy], check=True)
    files = [path for path in copy.rglob("*") if path.is_file()]
    read = {str(path.relative_to(copy)): path.read_bytes() for path in files if "static" not in path.parts}
    tables = {name: text.encode() for name, text in stack.run("tests.canary.dump:tables").items()}
    answers: dict[str, bytes] = {}
    for answer in (answer for browser in stack.browsers for answer in browser.answers):
        name = f"answer to {answer.request.method} {answer.request.path_url.split('?')[0]}"
        answers[name] = answers.get(name, b"") + f"{answer.headers}\n".encode() + answer.content
    return read | tables | answers | _redis_of(stack)


def _redis_of(stack: Stack) -> dict[str, bytes]:
    """Read all keys of the stack's cache and broker."""
    found: dict[str, bytes] = {}
    for name in ("LINKADMIN_REDIS_URL", "LINKADMIN_BROKER_URL"):
        if url := stack.environment.get(name):
            with Redis.from_url(url) as server:
                found |= {f"{name} {key!r}": _value(server, key) for key in server.scan_iter()}
    return found


def _value(server: Redis, key: bytes) -> bytes:
    kind = server.type(key)
    if kind == b"list":
        return repr(server.lrange(key, 0, -1)).encode()
    if kind == b"hash":
        return repr(server.hgetall(key)).encode()
    return repr(server.get(key) if kind == b"string" else server.dump(key)).encode()
