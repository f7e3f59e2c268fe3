"""Limits on attempts to sign in: counted in database rows, under a lock, before any password or code is checked.

An account has five attempts per 15 minutes from unknown browsers, five from each known device, and five for a
signed-in person. Its second factors have five of their own, wherever they come from. Unknown devices of one IP address
share 20 per hour, and in 15 minutes 300 challenges for passkeys and visits to the identity provider. Customers of one
network continue with repair requests 60 times an hour, and with one of them 20 times. From the client, only the
username, the signed device cookie and the IP address affect the count. The cookie shows that somebody signed in to the
account with this browser.
"""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext_lazy

from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.web.proxies import client_network

from .models import SignInLimit, User

ONE_BY_ONE = 100  # rejected attempts recorded one by one; later ones per hundred, so no flood fills the log

DEVICE_SECONDS = 30 * 24 * 60 * 60
_DEVICE_SALT = "linkadmin.accounts.devices"


@dataclass(frozen=True, slots=True)
class Bound:
    """How many attempts a row allows, and in what time."""

    attempts: int
    within: timedelta


BOUNDS = {
    "account": Bound(5, timedelta(minutes=15)),
    "device": Bound(5, timedelta(minutes=15)),
    "session": Bound(5, timedelta(minutes=15)),
    "factor": Bound(5, timedelta(minutes=15)),
    "address": Bound(20, timedelta(hours=1)),
    "challenge": Bound(300, timedelta(minutes=15)),
    "repairs": Bound(60, timedelta(hours=1)),
    "repair": Bound(20, timedelta(hours=1)),
}


class TooManyAttempts(ValidationError):
    """No password is checked for now. Forms show the message."""

    def __init__(self, kind: str, wait: timedelta) -> None:
        minutes = -int(wait.total_seconds() // -60)
        failed = ngettext_lazy(
            "Too many failed sign-ins. Try again in %(minutes)d minute.",
            "Too many failed sign-ins. Try again in %(minutes)d minutes.",
            minutes,
        )
        started = ngettext_lazy(
            "Too many sign-ins were started from your network. Try again in %(minutes)d minute.",
            "Too many sign-ins were started from your network. Try again in %(minutes)d minutes.",
            minutes,
        )
        sentence = started if kind == "challenge" else failed
        super().__init__(sentence, code="too_many_login_attempts", params={"minutes": minutes})


@dataclass(frozen=True, slots=True)
class Attempt:
    """A check of a password, code or passkey that was let through."""

    keys: tuple[str, ...]
    at: datetime

    def succeeded(self) -> None:
        """Clear earlier failures. For an IP address, only take back this attempt."""
        with transaction.atomic():
            for key in self.keys:
                row = SignInLimit.objects.select_for_update(no_key=True).filter(pk=key).first()
                if row is None:
                    continue
                recent = [moment for moment in row.attempts if moment != self.at.timestamp()]
                row.attempts = recent if _kind(key) == "address" else []
                row.save(update_fields=["attempts"])


def count(request: HttpRequest, username: str, user: User | None) -> Attempt:
    """Count a password. Raises TooManyAttempts, and records it, if no attempt is left."""
    return _count(_keys(request, username, user), user)


def count_factor(user: User) -> Attempt:
    """Count a code or passkey of somebody whose password was right. Raises TooManyAttempts."""
    return _count((_key("factor", str(user.pk)),), user)


def count_unnamed(request: HttpRequest) -> Attempt:
    """Count a passkey of a person still unknown: nobody can lock out somebody else. Raises TooManyAttempts."""
    return _count((_key("address", client_network(request)),), None)


def count_challenge(request: HttpRequest) -> None:
    """Count a passkey's challenge or a visit to the identity provider, which makes a session of somebody still unknown.

    Raises TooManyAttempts.
    """
    _count((_key("challenge", client_network(request)),), None)


def count_repair(request: HttpRequest, what: str) -> None:
    """Count what a customer does with a repair request: of a network, and of the same thing. Raises TooManyAttempts."""
    _count((_key("repairs", client_network(request)), _key("repair", what)), None)


def _count(keys: tuple[str, ...], user: User | None) -> Attempt:
    now = timezone.now()
    with transaction.atomic():
        rows = [_locked(key, now) for key in keys]
        spent = [row for row in rows if len(row.attempts) >= BOUNDS[_kind(row.key)].attempts]
        for row in spent:
            row.rejected += 1
            row.save(update_fields=["rejected"])
        if not spent:
            for row in rows:
                row.attempts, row.rejected = [*row.attempts, now.timestamp()], 0
                row.save(update_fields=["attempts", "rejected"])
        elif spent[0].rejected <= ONE_BY_ONE or spent[0].rejected % ONE_BY_ONE == 0:
            _record_rejected(user, spent[0])
    if spent:
        free = [datetime.fromtimestamp(min(row.attempts), UTC) + BOUNDS[_kind(row.key)].within for row in spent]
        raise TooManyAttempts(_kind(spent[0].key), max(free) - now)
    return Attempt(keys, now)


def device_of(request: HttpRequest, user: User) -> str:
    """Empty if this account hasn't signed in with the device."""
    value = request.get_signed_cookie(_cookie_of(user), "", salt=_DEVICE_SALT, max_age=DEVICE_SECONDS) or ""
    account, _colon, device = value.partition(":")
    return device if account == str(user.pk) else ""


def remember_device(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    device = device_of(request, user) or secrets.token_hex(16)
    response.set_signed_cookie(
        _cookie_of(user),
        f"{user.pk}:{device}",
        salt=_DEVICE_SALT,
        max_age=DEVICE_SECONDS,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Lax",
    )


def _keys(request: HttpRequest, username: str, user: User | None) -> tuple[str, ...]:
    """In the order in which the rows are locked."""
    if user is not None and getattr(request, "user", None) == user:
        return (_key("session", str(user.pk)),)
    if user is not None and (device := device_of(request, user)):
        return (_key("device", f"{user.pk}:{device}"),)
    account = str(user.pk) if user else unicodedata.normalize("NFKC", username).casefold()
    return _key("address", client_network(request)), _key("account", account)


def _key(kind: str, value: str) -> str:
    # What was typed as a username may be a password.
    return f"{kind}:{salted_hmac('linkadmin.accounts.limits', value, algorithm='sha256').hexdigest()}"


def _kind(key: str) -> str:
    return key.partition(":")[0]


def _locked(key: str, now: datetime) -> SignInLimit:
    within = BOUNDS[_kind(key)].within
    row = SignInLimit(key=key, expires_at=now + within)
    # One statement creates or finds the row and locks it.
    SignInLimit.objects.bulk_create([row], update_conflicts=True, unique_fields=["key"], update_fields=["expires_at"])
    row = SignInLimit.objects.get(pk=key)
    attempts = [min(moment, now.timestamp()) for moment in row.attempts]  # none may lie in the future
    row.attempts = [moment for moment in attempts if moment > (now - within).timestamp()]
    return row


def _record_rejected(user: User | None, row: SignInLimit) -> None:
    record(
        actor=None,
        action=Action.REPAIR_LIMITED if _kind(row.key) in ("repairs", "repair") else Action.SIGN_IN_REJECTED,
        object_type=ObjectType.STAFF,
        object_id=user.pk if user else "",
        outcome=Outcome.REJECTED,
        details={"reason": "too many attempts", "limit": _kind(row.key), "rejected": row.rejected},
    )


def _cookie_of(user: User) -> str:
    # One cookie per account: people who share a browser each have their own.
    digest = salted_hmac(_DEVICE_SALT, str(user.pk), algorithm="sha256").hexdigest()
    return f"{'__Host-' if settings.SECURE_COOKIES else ''}device-{digest[:8]}"
