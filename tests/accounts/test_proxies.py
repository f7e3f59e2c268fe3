"""The client's IP address: only what a trusted proxy wrote counts, in any notation."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from pytest_django import Settings

from linkadmin import environment
from linkadmin.web.proxies import client_address, client_network

DIRECT = "10.0.0.9"


def seen(settings: Settings, hops: int, forwarded: str | None, direct: str = DIRECT) -> str:
    settings.TRUSTED_PROXIES = hops
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=direct, **headers))


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, None, DIRECT),
        (0, "192.0.2.1", DIRECT),
        (1, None, DIRECT),
        (1, "", DIRECT),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.66, 192.0.2.1", "192.0.2.1"),
        (1, "garbage, 192.0.2.1", "192.0.2.1"),
        (2, "203.0.113.66,192.0.2.1,10.0.0.8", "192.0.2.1"),
        (2, "192.0.2.1", DIRECT),
        (1, "192.0.2.1, garbage", DIRECT),
        (1, "192.0.2.1, unknown", DIRECT),
        (1, "192.0.2.1,", DIRECT),
        (1, "192.0.2.1:50123", "192.0.2.1"),
        (1, '"[2001:db8::1]:50123"', "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "999.0.2.1", DIRECT),
    ],
)
def test_client_is_counted_from_the_right(settings: Settings, hops: int, forwarded: str | None, address: str) -> None:
    assert seen(settings, hops, forwarded) == address


def test_server_at_a_unix_socket_uses_the_forwarded_address(settings: Settings) -> None:
    assert seen(settings, 0, None, direct="") == "unknown"
    assert seen(settings, 1, "192.0.2.1", direct="") == "192.0.2.1"


@pytest.mark.parametrize(
    ("address", "network"), [("192.0.2.1", "192.0.2.1"), ("2001:db8:0:1::9", "2001:db8:0:1::/64"), ("", "unknown")]
)
def test_ipv6_subscriber_is_one_client(settings: Settings, address: str, network: str) -> None:
    settings.TRUSTED_PROXIES = 0

    assert client_network(RequestFactory().get("/", REMOTE_ADDR=address)) == network


@pytest.mark.parametrize("text", ["-1", "1.5", "yes", "¹"])
def test_number_of_proxies_is_a_whole_number(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LINKADMIN_TRUSTED_PROXIES", text)

    with pytest.raises(ImproperlyConfigured, match="LINKADMIN_TRUSTED_PROXIES"):
        environment.count("LINKADMIN_TRUSTED_PROXIES", 0)
