"""Restricts connections to listed hosts and public IP addresses, checked before use."""

import socket
import threading
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from linkadmin.providers.messages import gettext_noop as _

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
_LOOPBACK_ADDRESSES = frozenset({ip_address("127.0.0.1"), ip_address("::1")})
# Reserved, though `is_global` says public: protocol assignments, 6to4 relays, documentation.
_SET_ASIDE = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))


class AddressBlocked(OSError):
    """The host resolves to a blocked address."""


class InvalidBaseUrl(ValueError):
    """Says what's wrong with a base URL; `message` and `values` let a page translate it."""

    def __init__(self, message: str, **values: str) -> None:
        super().__init__(message % values)
        self.message, self.values = message, values


def check_base_url(url: str, allowed_hosts: Collection[str], allow_loopback: bool) -> None:
    if not url.isascii() or any(character.isspace() for character in url):
        raise InvalidBaseUrl(_("The URL can contain only ASCII characters, with no spaces."))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host:
        raise InvalidBaseUrl(_("Enter a URL such as https://api.example.com."))
    if "@" in parts.netloc:
        raise InvalidBaseUrl(_("The URL can't contain a username or password."))
    if parts.query or parts.fragment or "?" in url or "#" in url or parts.path not in {"", "/"}:
        raise InvalidBaseUrl(_("The URL must end after the host: no path, query, or fragment."))
    if allow_loopback and host in LOOPBACK_HOSTS and parts.scheme in {"http", "https"}:
        return
    if parts.scheme != "https":
        raise InvalidBaseUrl(_("The URL must start with https://."))
    if host not in allowed_hosts:
        raise InvalidBaseUrl(_("The host must be one of: %(hosts)s."), hosts=", ".join(sorted(allowed_hosts)))
    if port not in {None, 443}:
        raise InvalidBaseUrl(_("Only the standard port 443 is allowed."))


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def resolve(host: str, port: int, *, allow_loopback: bool, timeout: float) -> list[tuple[socket.AddressFamily, str]]:
    """Raises AddressBlocked if any address isn't public, TimeoutError, or OSError for an unknown name."""
    found = _look_up(host, port, timeout)
    for _family, text in found:
        if not _is_allowed(host, text, allow_loopback=allow_loopback):
            raise AddressBlocked("the host resolves to an address that is not public")
    return found


def is_public(address: IPv4Address | IPv6Address) -> bool:
    # An address that embeds another one doesn't count as public.
    if isinstance(address, IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address.is_site_local
    ):
        return False
    if any(address in network for network in _SET_ASIDE):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _is_allowed(host: str, text: str, *, allow_loopback: bool) -> bool:
    address = ip_address(text.partition("%")[0])
    if allow_loopback and host in LOOPBACK_HOSTS:
        return address in _LOOPBACK_ADDRESSES
    return is_public(address)


def _look_up(host: str, port: int, timeout: float) -> list[tuple[socket.AddressFamily, str]]:
    # The resolver has no timeout, so it runs in a thread that we abandon.
    answers: list[tuple[socket.AddressFamily, str]] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        answers.extend((family, str(address[0])) for family, _type, _proto, _name, address in found)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise TimeoutError("the name was not resolved in time")
    if not answers:
        raise OSError("the name is unknown")
    return answers
