"""Clients for Heron, Belvo and Plaid. Plain Python: imports neither Django nor other packages of Linkadmin.

Start with `base`, the calls a provider may offer. `declared` has what a provider says about itself; `http` sends.
"""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from .base import Provider

# One line per provider: its kind and its class, imported on first use.
PROVIDERS: Mapping[str, str] = {
    "belvo": "linkadmin.providers.belvo.provider:Belvo",
    "heron": "linkadmin.providers.heron.provider:Heron",
}
# Those that have no links of their own, but help another provider's integrations.
COMPANIONS: Mapping[str, str] = {"plaid": "linkadmin.providers.plaid.provider:Plaid"}


def provider_class(kind: str) -> "type[Provider]":
    return cast("type[Provider]", resolve_name(PROVIDERS.get(kind) or COMPANIONS[kind]))


def hosted_pages() -> list[str]:
    """Origins of all providers' pages where customers repair links."""
    return [origin for kind in (*PROVIDERS, *COMPANIONS) for origin in provider_class(kind).hosted_pages]
