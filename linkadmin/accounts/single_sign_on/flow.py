"""One visit to the identity provider: what we send there, and whether what comes back belongs to it.

Kept in the session that started it, until it comes back once.
"""

import base64
import hashlib
import secrets
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from .provider import endpoints, identity_provider

_KEY = "single_sign_on"


@dataclass(frozen=True, slots=True)
class Visit:
    state: str
    nonce: str
    verifier: str
    onward: str  # the page of ours that they wanted
    started_at: int
    confirms: bool  # somebody who is signed in, not a sign-in


def start(request: HttpRequest, *, onward: str, redirect_uri: str) -> str:
    """Return the URL to go to. Raises Unavailable or Untrusted."""
    found, provider = endpoints(), identity_provider()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _each in range(3))
    visit = Visit(state, nonce, verifier, onward, int(time.time()), confirms=request.user.is_authenticated)
    request.session[_KEY] = asdict(visit)
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": provider.scopes,
        "state": visit.state,
        "nonce": visit.nonce,
        "code_challenge": _challenge(visit.verifier),
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if visit.confirms else {}),
    }
    return f"{found.authorization}{'&' if '?' in found.authorization else '?'}{urlencode(query)}"


def finish(request: HttpRequest) -> Visit | None:
    """Return the visit that the browser comes back from, once. None if it's another one, or took too long."""
    stored = request.session.get(_KEY)
    if stored is None or not constant_time_compare(request.GET.get("state", ""), stored["state"]):
        return None
    visit = Visit(**request.session.pop(_KEY))
    request.session.save()  # Django saves no session with a 503
    is_late = time.time() - visit.started_at > settings.ACCOUNT_LOGIN_TIMEOUT
    return None if is_late or visit.confirms != request.user.is_authenticated else visit


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
