"""Where this process may connect."""

import socket
import threading
from ipaddress import ip_address

import pytest

from linkadmin.providers import provider_class
from linkadmin.providers.http.addresses import AddressBlocked, check_base_url, is_public, resolve

HOSTS = frozenset({"api.belvo.com"})


@pytest.mark.parametrize(
    "url",
    [
        "http://api.belvo.com",
        "https://api.belvo.com:8443",
        "https://api.belvo.com.evil.example",
        "https://api.belvo.com@evil.example",
        "https://user:key@api.belvo.com",
        "https://api.belvo.com/api",
        "https://api.belvo.com?x=1",
        "https://api.belvo.com/?",
        "https://api.belvo.com#x",
        "https://api.bélvo.com",
        "https://api.belvo.com\n.evil.example",
        "https://api.belvo.com:port",
        "https://127.0.0.1",
        "https://[::1]",
        "ftp://api.belvo.com",
        "api.belvo.com",
        "",
    ],
)
def test_an_address_off_the_list_is_blocked_with_a_sentence(url: str) -> None:
    with pytest.raises(ValueError, match=r"[A-Z].*\.$"):
        check_base_url(url, HOSTS, allow_loopback=False)


@pytest.mark.parametrize("url", ["https://api.belvo.com", "https://api.belvo.com/", "https://api.belvo.com:443"])
def test_a_listed_host_is_accepted(url: str) -> None:
    check_base_url(url, HOSTS, allow_loopback=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8800", "http://localhost:1", "http://[::1]:8800/"])
def test_loopback_is_accepted_only_where_it_is_allowed(url: str) -> None:
    check_base_url(url, HOSTS, allow_loopback=True)
    with pytest.raises(ValueError, match="https"):
        check_base_url(url, HOSTS, allow_loopback=False)


@pytest.mark.parametrize("url", ["http://api.belvo.com", "http://127.0.0.2:8800", "http://10.0.0.1", "http://0.0.0.0"])
def test_allowing_loopback_opens_nothing_else(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        check_base_url(url, HOSTS, allow_loopback=True)


@pytest.mark.parametrize("kind", ["belvo", "heron"])
def test_every_provider_has_its_own_list(kind: str) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        provider_class(kind).check_base_url("https://example.com")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - must be blocked
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "2002:808:808::",
        "2001:0:4136:e378::",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
    ],
)
def test_an_address_that_is_not_public_is_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(ip_address(address))


def resolver(*addresses: str) -> object:
    def answer(_host: str, port: int, **_options: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return answer


def test_a_listed_name_with_one_private_address_among_public_ones_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver("8.8.8.8", "169.254.169.254"))
    with pytest.raises(AddressBlocked):
        resolve("api.belvo.com", 443, allow_loopback=True, timeout=60)


def test_localhost_is_not_followed_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver("10.0.0.1"))
    with pytest.raises(AddressBlocked):
        resolve("localhost", 8800, allow_loopback=True, timeout=60)


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    left = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: left.wait(60) and [])
    with pytest.raises(TimeoutError):
        resolve("api.belvo.com", 443, allow_loopback=False, timeout=0.05)
    left.set()
