"""Clients for the providers of bank connections. Plain Python: knows nothing of the rest of Linkadmin.

Start with base: the calls a provider may offer. declared is what it says of itself, http what goes over the wire.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

from .types import Deadlines, Secret

if TYPE_CHECKING:
    from .base import Provider
    from .http.admission import Admission
    from .http.retries import Backoff

__all__ = ["PROVIDERS", "Deadlines", "get_provider", "provider_class"]

# One line per provider: its kind, and where its class is. Loaded when first asked for.
PROVIDERS: Mapping[str, str] = {
    "belvo": "linkadmin.providers.belvo.provider:Belvo",
    "heron": "linkadmin.providers.heron.provider:Heron",
}


def provider_class(kind: str) -> "type[Provider]":
    """Return the class that speaks to a kind of provider. Raises KeyError if there is none."""
    module, _, name = PROVIDERS[kind].partition(":")
    return cast("type[Provider]", getattr(import_module(module), name))


def get_provider(
    kind: str,
    *,
    base_url: str,
    options: Mapping[str, str],
    secrets: Mapping[str, Secret],
    deadlines: Deadlines | None = None,
    allow_loopback: bool = False,
    admission: "Admission | None" = None,
    backoff: "Backoff | None" = None,
) -> "Provider":
    """Return a provider that speaks with one integration's keys, and makes the calls that `admission` admits.

    Raises KeyError for an unknown kind, KeysRefused if the configuration lacks a field. The base URL is
    checked at each call, and by `provider_class(kind).check_base_url` before it is saved.
    """
    return provider_class(kind)(
        base_url=base_url,
        options=options,
        secrets=secrets,
        deadlines=deadlines,
        allow_loopback=allow_loopback,
        admission=admission,
        backoff=backoff,
    )
