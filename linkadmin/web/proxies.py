"""Whose request it is, when it comes through proxies of ours."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"  # a server at a Unix socket without a proxy in front knows no address
_SUBSCRIBER = 64  # bits of an IPv6 address that a provider gives out as a whole


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address: of X-Forwarded-For only what the trusted proxies themselves wrote.

    Each proxy writes on the right whom it was asked by. With N of them the client is the Nth entry from there; whatever
    stands left of it is the client's own claim. A header that is too short or unreadable was not written by them.
    """
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    hops = settings.TRUSTED_PROXIES
    forwarded = _parsed(entries[-hops]) if 0 < hops <= len(entries) else None
    return str(forwarded or _parsed(request.META.get("REMOTE_ADDR", "")) or UNKNOWN)


def client_network(request: HttpRequest) -> str:
    """Return what counts as one client for limits: an IPv4 address, or the /64 of an IPv6 address."""
    address = client_address(request)
    return str(IPv6Network((address, _SUBSCRIBER), strict=False)) if ":" in address else address


def _parsed(entry: str) -> IPv4Address | IPv6Address | None:
    """Read an address as proxies write it: bare, in brackets, with a port; None for anything else."""
    text = entry.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
