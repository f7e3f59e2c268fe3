"""Passkeys (WebAuthn), which always verify their user. So one alone proves both factors.

A challenge is stored in the session and used up by the first response to it, whatever that says.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.utils import timezone
from fido2.utils import websafe_decode

from linkadmin.accounts.models import User

Json = Mapping[str, Any]
_MALFORMED = ValidationError, ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError


class InvalidResponse(Exception):
    """A response that no passkey of ours gives to the challenge of this session."""


def creation_options(user: User) -> Json:
    return dict(auth.begin_registration(user, passwordless=True))


def request_options(user: User | None = None) -> Json:
    """Without `user`, for any passkey that the browser has for us."""
    return dict(auth.begin_authentication(user))


def add(user: User, name: str, response: Json) -> Authenticator:
    """Raises `InvalidResponse`."""
    with _checked():
        auth.parse_registration_response(response)
        if not auth.complete_registration(response).is_user_verified():
            raise InvalidResponse
        added: Authenticator = auth.WebAuthn.add(user, name, dict(response)).instance
    return added


def owner_of(response: Json) -> User:
    """The person a passkey signs in. Raises `InvalidResponse`, also for an inactive account."""
    with _checked():
        user = User.objects.filter(pk=UUID(websafe_decode(response["response"]["userHandle"]).decode())).first()
        if user is None or not user.is_active:
            raise InvalidResponse
        _complete(user, response)
    return user


def check(user: User, response: Json) -> None:
    """Raises `InvalidResponse`."""
    with _checked():
        _complete(user, response)


def _complete(user: User, response: Json) -> None:
    auth.parse_authentication_response(response)
    used = auth.complete_authentication(user, response)
    Authenticator.objects.filter(pk=used.pk).update(last_used_at=timezone.now())


@contextmanager
def _checked() -> Iterator[None]:
    try:
        yield
    except _MALFORMED:
        raise InvalidResponse from None
    finally:
        auth.clear_state()
