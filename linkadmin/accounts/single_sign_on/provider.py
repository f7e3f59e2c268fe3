"""Talks to the identity provider, and believes only what its signature and our request prove.

Its endpoints are on the issuer's host: no URL from a response leads anywhere else. Nothing of a token is stored.
Each process keeps endpoints and keys for ten minutes; it reads keys again for a token with an unknown one.
"""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any, TypeVar
from urllib.parse import quote_plus

import jwt
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import constant_time_compare

from linkadmin.providers.http.plain_text import NotRead, read_text
from linkadmin.providers.http.strict_json import parse

from .settings import IdentityProvider, origin_of

SECONDS = 5.0  # for each call
AT_ONCE = 4  # calls per process: a slow identity provider must not keep all threads busy
SLOT_SECONDS = 2.0  # that a call waits for others
KEPT_SECONDS = 600
CLOCK_SECONDS = 30  # that its clock may be off
MAX_ID = 255  # characters
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]  # none with a shared key

Claims = Mapping[str, Any]
Keys = list[jwt.PyJWK]
T = TypeVar("T")

_REASONS = {
    jwt.InvalidIssuerError: "another issuer",
    jwt.InvalidAudienceError: "issued to another client",
    jwt.ExpiredSignatureError: "expired",
    jwt.InvalidSignatureError: "wrong signature",
}

_slots = BoundedSemaphore(AT_ONCE)
_endpoints: "dict[str, tuple[float, Endpoints]]" = {}  # by issuer, with the time until which they're kept
_keys: dict[str, tuple[float, Keys]] = {}  # by URL, in the same way


class Unavailable(Exception):
    """The identity provider doesn't answer, or not as OpenID Connect says."""


class Untrusted(Exception):
    """What came back doesn't prove who somebody is. Says why, and nothing of what was sent."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    authorization: str
    token: str
    keys: str


def identity_provider() -> IdentityProvider:
    """The one in the settings. Only while there is one."""
    provider: IdentityProvider | None = settings.IDENTITY_PROVIDER
    if provider is None:
        raise ImproperlyConfigured("LINKADMIN_OIDC_ISSUER isn't set")
    return provider


def endpoints() -> Endpoints:
    """Raises Unavailable, or Untrusted if another issuer answers."""
    return _kept(_endpoints, identity_provider().issuer) or _read_endpoints(identity_provider())


def _read_endpoints(provider: IdentityProvider) -> Endpoints:
    found = _read(provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise Untrusted("another issuer")
    urls = [found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    if not all(isinstance(url, str) and url.startswith(f"{provider.origin}/") for url in urls):
        raise Unavailable("endpoints on another host")
    return _keep(_endpoints, provider.issuer, Endpoints(*map(str, urls)))


def claims_for(code: str, *, verifier: str, nonce: str, redirect_uri: str) -> Claims:
    """Exchange the code for an ID token, and return what it says. Raises Unavailable or Untrusted."""
    provider, found = identity_provider(), endpoints()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    answer = _read(found.token, form=form, headers={"Authorization": _credentials(provider)})
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise Unavailable("no ID token")
    return _verified(token, found.keys, provider, nonce)


def _credentials(provider: IdentityProvider) -> str:
    pair = f"{quote_plus(provider.client_id)}:{quote_plus(provider.client_secret.reveal())}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _verified(token: str, keys_url: str, provider: IdentityProvider, nonce: str) -> Claims:
    reason, claims = "", {}
    try:
        claims = jwt.decode(
            token,
            _key(token, keys_url),
            algorithms=ALGORITHMS,
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=CLOCK_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.PyJWTError as error:
        reason = next((words for kind, words in _REASONS.items() if isinstance(error, kind)), "invalid token")
    if reason:
        raise Untrusted(reason)  # outside, because the error may quote the token
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise Untrusted("issued to another client")
    if not constant_time_compare(str(claims.get("nonce", "")), nonce):
        raise Untrusted("another nonce")
    if not 0 < len(claims["sub"]) <= MAX_ID or not claims["sub"].isprintable():
        raise Untrusted("unusable sub")
    return claims


def _key(token: str, url: str) -> jwt.PyJWK:
    """The key that the token names; without a name, the only one there is."""
    name = jwt.get_unverified_header(token).get("kid")
    named = [key for key in _kept(_keys, url) or [] if name and key.key_id == name]
    if not named:
        named = [key for key in _read_keys(url) if name is None or key.key_id in {name, None}]
    if len(named) != 1:
        raise jwt.InvalidKeyError
    return named[0]


def _read_keys(url: str) -> Keys:
    keys = jwt.PyJWKSet.from_dict(dict(_read(url))).keys
    return _keep(_keys, url, [key for key in keys if key.public_key_use in {None, "sig"}])


def _kept(values: dict[str, tuple[float, T]], key: str) -> T | None:
    until, value = values.get(key, (0.0, None))
    return value if time.monotonic() < until else None


def _keep(values: dict[str, tuple[float, T]], key: str, value: T) -> T:
    values[key] = time.monotonic() + KEPT_SECONDS, value
    return value


def authenticated_at(claims: Claims) -> int | None:
    """When the person last proved who they are, in seconds since 1970. None if unknown or not a time until now."""
    at = claims.get("auth_time")
    if not isinstance(at, int) or isinstance(at, bool) or at > time.time() + CLOCK_SECONDS:
        return None
    return min(at, int(time.time()))


def _read(url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Claims:
    if not _slots.acquire(timeout=SLOT_SECONDS):
        raise Unavailable("busy")
    try:
        return _object(url, form, headers or {})
    finally:
        _slots.release()


def _object(url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]) -> Claims:
    origin, reason, value = origin_of(url), "", None
    try:
        text = read_text(
            origin,
            url.removeprefix(origin),
            headers={"Accept": "application/json", **headers},
            form=form,
            seconds=SECONDS,
            allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS,
        )
        value = parse(text.encode())
    except NotRead as error:
        reason = error.reason
    except ValueError:
        reason = "unreadable"
    if not isinstance(value, dict):
        raise Unavailable(reason or "unreadable")
    return value
