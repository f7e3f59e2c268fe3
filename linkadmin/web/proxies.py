"""The client's IP address behind trusted proxies."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"  # behind a Unix socket there is no client address
_SUBSCRIBER = 64  # bits of an IPv6 address that providers assign as a block


def client_address(request: HttpRequest) -> str:
    """The client's IP address. Of X-Forwarded-For, only what trusted proxies wrote counts.

    Each proxy appends the address it was called from. With N proxies the client is the Nth entry from the right;
    anything further left is the client's own claim. They didn't write a header that is too short or unreadable.
    """
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    hops = settings.TRUSTED_PROXIES
    forwarded = _parsed(entries[-hops]) if 0 < hops <= len(entries) else None
    return str(forwarded or _parsed(request.META.get("REMOTE_ADDR", "")) or UNKNOWN)


def client_network(request: HttpRequest) -> str:
    address = client_address(request)
    return str(IPv6Network((address, _SUBSCRIBER), strict=False)) if ":" in address else address


def _parsed(entry: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: bare, in brackets, with a port. None for anything else."""
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
