"""A signed cookie that shows that somebody signed in to an account with this browser, which has tries of its own."""

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from .models import User

KEPT_SECONDS = 30 * 24 * 60 * 60
_SALT = "linkadmin.accounts.devices"


def device_of(request: HttpRequest, user: User) -> str:
    """Return the id of the device, if an account was signed in to with it; an empty text for an unknown one."""
    value = request.get_signed_cookie(_name(user), "", salt=_SALT, max_age=KEPT_SECONDS) or ""
    account, _colon, device = value.partition(":")
    return device if account == str(user.pk) else ""


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Give the browser its cookie for this account, or 30 more days with the one it has."""
    device = device_of(request, user) or secrets.token_hex(16)
    response.set_signed_cookie(
        _name(user),
        f"{user.pk}:{device}",
        salt=_SALT,
        max_age=KEPT_SECONDS,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Lax",
    )


def _name(user: User) -> str:
    """Name an account's cookie: people who share a browser each have one."""
    digest = salted_hmac(_SALT, str(user.pk), algorithm="sha256").hexdigest()
    return f"{'__Host-' if settings.SECURE_COOKIES else ''}device-{digest[:8]}"
