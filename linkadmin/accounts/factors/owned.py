"""The second factors a person has: listed, added and removed, each recorded in the audit log."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from linkadmin.accounts import sessions
from linkadmin.accounts.models import RecoveryCode, User
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from . import authenticator_apps, passkeys

PASSKEY, APP = str(Authenticator.Type.WEBAUTHN), str(Authenticator.Type.TOTP)


class LastFactor(Exception):
    """They need at least one."""


@dataclass(frozen=True, slots=True)
class Factor:
    pk: int
    kind: str
    name: str
    added_at: datetime
    used_at: datetime | None

    @property
    def label(self) -> str:
        return _("Passkey") if self.kind == PASSKEY else _("Authenticator app")


@dataclass(frozen=True, slots=True)
class Owned:
    factors: list[Factor]
    codes_left: int

    @property
    def has_passkey(self) -> bool:
        return any(each.kind == PASSKEY for each in self.factors)


def owned_by(user: User) -> Owned:
    rows = Authenticator.objects.filter(user=user).order_by("created_at", "pk")
    factors = [
        Factor(each.pk, each.type, each.data.get("name", ""), each.created_at, each.last_used_at) for each in rows
    ]
    return Owned(factors, RecoveryCode.objects.filter(user=user).count() if factors else 0)


def has_any(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user).exists())


def without_any() -> "QuerySet[User]":
    """Active people whose password alone signs them in. An identity provider asks for more than that itself."""
    return User.objects.filter(authenticator=None, identity=None, is_active=True)


@transaction.atomic
def add_app(given: authenticator_apps.OfferedKey, code: str) -> bool:
    _lock(given.user)
    if authenticator_apps.add(given, code) is None:
        return False
    _record(given.user, Action.FACTOR_ADDED, by=given.user, kind=APP)
    return True


@transaction.atomic
def add_passkey(user: User, name: str, response: passkeys.Json) -> None:
    """Raises `passkeys.InvalidResponse`."""
    _lock(user)
    passkeys.add(user, name, response)
    _record(user, Action.FACTOR_ADDED, by=user, kind=PASSKEY)


@transaction.atomic
def remove(user: User, pk: int, *, keeps_one: bool) -> bool:
    """Remove one of their own. Recovery codes go with the last. Raises LastFactor."""
    _lock(user)
    removed = Authenticator.objects.filter(user=user, pk=pk).first()
    if removed is None:
        return False
    removed.delete()
    if not has_any(user):
        if keeps_one:
            raise LastFactor
        RecoveryCode.objects.filter(user=user).delete()
    _record(user, Action.FACTOR_REMOVED, by=user, kind=removed.type)
    return True


def remove_all(user: User) -> None:
    """Without an event: callers record why."""
    _lock(user)
    Authenticator.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()


@transaction.atomic
def reset(user: User, *, by: User) -> None:
    """Remove all that a colleague has, and end their sessions."""
    remove_all(user)
    sessions.end_all(user, actor=by)
    _record(user, Action.FACTORS_RESET, by=by)


@transaction.atomic
def recover(user: User) -> None:
    """The same from the host, for the last administrator who lost everything."""
    remove_all(user)
    sessions.end_all(user, actor=None, reason="access recovered")
    _record(user, Action.ACCESS_RECOVERED, by=None)


def _lock(user: User) -> None:
    """One change of their factors and recovery codes at a time."""
    User.objects.locked(user.pk)


def _record(user: User, action: Action, *, by: User | None, kind: str = "") -> None:
    record(
        actor=by,
        action=action,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=Outcome.DONE,
        details={"kind": kind} if kind else {},
    )
