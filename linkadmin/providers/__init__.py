"""Clients for the providers of bank connections. Plain Python: knows nothing of the rest of Linkadmin.

Start with base: the calls a provider may offer. declared is what it says of itself, http what goes over the wire.
"""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from .base import Provider

# One line per provider: its kind, and where its class is. Loaded when first asked for.
PROVIDERS: Mapping[str, str] = {
    "belvo": "linkadmin.providers.belvo.provider:Belvo",
    "heron": "linkadmin.providers.heron.provider:Heron",
}


def provider_class(kind: str) -> "type[Provider]":
    """Return the class that speaks to a kind of provider. Raises KeyError if there is none."""
    return cast("type[Provider]", resolve_name(PROVIDERS[kind]))
