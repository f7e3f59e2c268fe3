"""Hosts that don't resolve, in time, to a public address are never called."""

import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest

from linkadmin.providers.errors import NotSent
from linkadmin.providers.http.addresses import check_base_url, is_public

from .conftest import Script, belvo_at, reply
from .faults import GOOD_LINK, LINK, change, suffer

Serve = Callable[..., Script]
Answers = Callable[..., None]


@pytest.fixture
def name_leads_to(monkeypatch: pytest.MonkeyPatch) -> Answers:
    def answer(*addresses: str, first_family: int = 0) -> None:
        families = [first_family or socket.AF_INET, *[socket.AF_INET] * len(addresses)]

        def look_up(_host: str, port: int, **_options: object) -> list[tuple[object, ...]]:
            listed = zip(families, addresses, strict=False)
            return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for family, address in listed]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return answer


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["0.0.0.0"],  # noqa: S104 - must be blocked
        ["192.168.0.1"],
        ["255.255.255.255"],
        ["::"],
        ["::1"],
        ["fe80::1%eth0"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["::ffff:8.8.8.8"],
        ["2002:7f00:1::"],
        ["64:ff9b::7f00:1"],
        ["8.8.8.8", "10.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["2606:4700:4700::1111", "::ffff:10.0.0.1"],
    ],
    ids="+".join,
)
def test_a_listed_name_that_leads_inside_is_not_called(name_leads_to: Answers, addresses: list[str]) -> None:
    name_leads_to(*addresses)
    error = suffer(lambda: change("https://api.belvo.com", seconds=60), within=0).error
    assert (type(error), error.failure.reason) == (NotSent, "address_refused")


def test_a_name_without_address_is_not_called(name_leads_to: Answers) -> None:
    name_leads_to()
    error = suffer(lambda: change("https://api.belvo.com", seconds=60), within=0).error
    assert (type(error), error.failure.reason) == (NotSent, "not_connected")


@pytest.mark.parametrize("failure", [socket.gaierror(-3, "try again"), UnicodeError("label too long"), OSError(24, "")])
def test_a_name_that_cannot_be_looked_up_is_not_called(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = suffer(lambda: change("https://api.belvo.com", seconds=60), within=0).error
    assert (type(error), error.failure.reason) == (NotSent, "not_connected")


@pytest.fixture
def hanging_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    answering = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: answering.wait(60) and [])
    yield answering
    answering.set()


def test_a_look_up_that_hangs_is_left_in_time(hanging_resolver: threading.Event) -> None:
    def call() -> None:
        try:
            change("https://api.belvo.com", seconds=0.6)
        finally:
            hanging_resolver.set()

    error = suffer(call, within=0.6).error
    assert (type(error), error.failure.reason) == (NotSent, "timeout")


def test_an_address_of_a_kind_that_this_machine_lacks_is_passed_over(serve: Serve, name_leads_to: Answers) -> None:
    name_leads_to("127.0.0.1", "127.0.0.1", first_family=socket.AF_X25 if hasattr(socket, "AF_X25") else 9)
    url = serve(reply(200, GOOD_LINK)).url.replace("127.0.0.1", "localhost")
    assert belvo_at(url, read=3).read_link(LINK).remote_id == GOOD_LINK["id"]


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104 - must be blocked
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[fe80::1%25eth0]",
        "127.1",
        "127.0.0.2",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost.",
        "localhost.localdomain",
        "127.0.0.1.nip.io",
        "api.belvo.com.",
        "api.belvo.com%2eevil.example",
        "api.belvo.com\\.evil.example",
    ],
)
def test_allowing_loopback_opens_no_other_spelling(host: str) -> None:
    for url in (f"http://{host}:8800", f"https://{host}"):
        with pytest.raises(ValueError, match=r"[A-Z].*\.$"):
            check_base_url(url, {"api.belvo.com"}, allow_loopback=True)


@pytest.mark.parametrize(
    "address",
    [
        "0.1.2.3",
        "192.0.0.8",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.9",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::7f00:1",
        "100::1",
        "2001:db8::1",
        "3fff::1",
        "ff0e::1",
    ],
)
def test_an_address_that_is_set_aside_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
