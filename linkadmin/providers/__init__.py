"""Clients for Heron and Belvo. Plain Python: imports neither Django nor other packages of Linkadmin.

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


def provider_class(kind: str) -> "type[Provider]":
    return cast("type[Provider]", resolve_name(PROVIDERS[kind]))
