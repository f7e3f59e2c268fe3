"""The identity provider, as the settings name it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from linkadmin.accounts.roles import Role
from linkadmin.providers.http.addresses import InvalidBaseUrl, check_base_url
from linkadmin.providers.types import Secret

MAX_ISSUER = 255  # characters, as its column has


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    issuer: str
    client_id: str
    client_secret: Secret
    name: str
    scopes: str
    role_claim: str
    roles: Mapping[str, str]  # values of the claim, and the role that each stands for

    @property
    def origin(self) -> str:
        return origin_of(self.issuer)


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def identity_provider(
    *,
    issuer: str,
    client_id: str,
    client_secret: str,
    name: str,
    scopes: str,
    role_claim: str,
    roles: Sequence[str],
    allow_loopback: bool,
) -> IdentityProvider | None:
    """None without an issuer. Raises ImproperlyConfigured."""
    needed = {
        "LINKADMIN_OIDC_CLIENT_ID": client_id,
        "LINKADMIN_OIDC_CLIENT_SECRET": client_secret,
        "LINKADMIN_OIDC_ROLES": roles,
    }
    if not issuer:
        for variable in filter(needed.get, needed):
            raise ImproperlyConfigured(f"{variable} is set, but LINKADMIN_OIDC_ISSUER isn't")
        return None
    for variable, value in needed.items():
        if not value:
            raise ImproperlyConfigured(f"LINKADMIN_OIDC_ISSUER is set, but {variable} isn't")
    _check_issuer(issuer, allow_loopback=allow_loopback)
    if "openid" not in scopes.split():
        raise ImproperlyConfigured("LINKADMIN_OIDC_SCOPES must contain openid")
    return IdentityProvider(issuer, client_id, Secret(client_secret), name, scopes, role_claim, _roles(roles))


def _check_issuer(issuer: str, *, allow_loopback: bool) -> None:
    problem = ""
    try:
        check_base_url(origin_of(issuer), {urlsplit(issuer).hostname or ""}, allow_loopback)
    except (InvalidBaseUrl, ValueError) as error:
        problem = str(error)
    if problem or "?" in issuer or "#" in issuer or not issuer.isascii() or len(issuer) > MAX_ISSUER:
        raise ImproperlyConfigured(
            f"LINKADMIN_OIDC_ISSUER must be like https://id.example.com/company. {problem}".rstrip()
        )


def _roles(given: Sequence[str]) -> dict[str, str]:
    """Read each VALUE=ROLE."""
    pairs = [tuple(part.strip() for part in pair.rpartition("=")) for pair in given]
    for value, _equals, role in pairs:
        if not value or role not in Role.values:
            raise ImproperlyConfigured(
                f"LINKADMIN_OIDC_ROLES must be like VALUE=ROLE,VALUE=ROLE; roles are {', '.join(Role.values)}"
            )
    return {value: role for value, _equals, role in pairs}
