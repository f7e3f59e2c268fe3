"""Whose account an identity belongs to. Issuer and `sub` say so, never an e-mail address or a username.

The identity provider decides roles, at every sign-in.
"""

import hashlib

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from linkadmin.accounts import sessions
from linkadmin.accounts.factors import owned
from linkadmin.accounts.models import ApprovalKind, Identity, User
from linkadmin.accounts.roles import RIGHTS, joined
from linkadmin.accounts.staff import approvals
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from .provider import Claims, identity_provider

FACTOR = "single sign-on"  # as sessions and the audit log name it
_NAME_CHARACTERS = 120


class NoAccess(Exception):
    """The identity provider vouches for somebody who may not sign in here. Says why."""

    def __init__(self, reason: str, user: User | None) -> None:
        super().__init__(reason)
        self.reason, self.user = reason, user


class Taken(Exception):
    """The identity belongs to another account."""


def signs_in_there(user: User) -> bool:
    """Whether this person signs in only at the identity provider."""
    if settings.IDENTITY_PROVIDER is None:
        return False
    return not settings.PASSWORD_SIGN_IN or Identity.objects.filter(user=user).exists()


def sign_in_there() -> str:
    return _("Your account uses single sign-on. Sign in with %(name)s.") % {"name": identity_provider().name}


def person_of(claims: Claims) -> User:
    """The account, new or with its present roles. Raises NoAccess, and takes the roles of who lost theirs."""
    user, roles = _known(claims["sub"]), _roles(claims)
    if not roles:
        if user is not None:
            _end_roles(user)
        raise NoAccess("no role", user)
    user = user or _new(claims, roles)
    if not user.is_active:
        raise NoAccess("inactive", user)
    if user.roles != roles:
        _change_roles(user, roles)
    return user


@transaction.atomic
def link(user: User, subject: str, *, by: User) -> None:
    """Let an identity sign in to this account once a second person approves it, or none if it's empty.

    Until it's approved, the account is inactive. Nothing else signs in to it: without an identity, the way back is an
    invitation. Raises Taken.
    """
    user = User.objects.locked(user.pk)
    if subject:
        approvals.ask(ApprovalKind.IDENTITY, user, by=by)
    else:
        approvals.cancel(user, by=by)
    owned.remove_all(user)
    sessions.end_all(user, actor=by)
    user.set_unusable_password()
    user.is_active = user.is_active and not subject
    user.save(update_fields=["password", "is_active"])
    Identity.objects.filter(user=user).delete()
    if subject:
        _identify(user, subject)
    _record(user, Action.IDENTITY_LINKED if subject else Action.IDENTITY_UNLINKED, by=by)


def subject_of(user: User) -> str:
    found = Identity.objects.filter(user=user, issuer=identity_provider().issuer).first()
    return found.subject if found else ""


def is_taken(subject: str, *, by_other_than: User) -> bool:
    return _known(subject) not in {None, by_other_than}


def is_theirs(claims: Claims, user: User) -> bool:
    return _known(claims["sub"]) == user


def _known(subject: str) -> User | None:
    found = Identity.objects.select_related("user").filter(issuer=identity_provider().issuer, subject=subject).first()
    return found.user if found else None


def _roles(claims: Claims) -> str:
    """As stored; empty if the claim stands for none, or for roles that nobody may have together."""
    provider = identity_provider()
    given = claims.get(provider.role_claim)
    values = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    roles = joined(provider.roles[value] for value in values if isinstance(value, str) and value in provider.roles)
    return roles if roles in RIGHTS else ""


def _new(claims: Claims, roles: str) -> User:
    try:
        return _create(claims, roles)
    except (IntegrityError, Taken):  # another sign-in just took the identity or the username
        return _known(claims["sub"]) or _create(claims, roles)


@transaction.atomic
def _create(claims: Claims, roles: str) -> User:
    name = claims.get("name")
    user = User(username=_username(claims), name=name[:_NAME_CHARACTERS] if isinstance(name, str) else "", roles=roles)
    user.set_unusable_password()
    user.save()
    _identify(user, claims["sub"])
    _record(user, Action.STAFF_CREATED, roles=roles, reason=FACTOR)
    return user


def _identify(user: User, subject: str) -> None:
    try:
        with transaction.atomic():
            Identity.objects.create(user=user, issuer=identity_provider().issuer, subject=subject)
    except IntegrityError:
        raise Taken from None


def _username(claims: Claims) -> str:
    """The one that the identity provider prefers, if it's free and fit."""
    wanted = claims.get("preferred_username")
    field = User._meta.get_field("username")
    try:
        if isinstance(wanted, str) and User.objects.named(field.clean(wanted, None)) is None:
            return wanted
    except ValidationError:
        pass
    return f"sso-{hashlib.sha256(claims['sub'].encode()).hexdigest()[:12]}"


@transaction.atomic
def _end_roles(user: User) -> None:
    sessions.end_all(user, actor=None, reason="no role")
    approvals.cancel(User.objects.locked(user.pk), by=None)
    if user.roles:
        _change_roles(user, "")


@transaction.atomic
def _change_roles(user: User, roles: str) -> None:
    user.roles = roles
    user.save(update_fields=["roles"])  # ends all sessions
    _record(user, Action.STAFF_UPDATED, fields="roles", roles=roles, reason=FACTOR)


def _record(user: User, action: Action, *, by: User | None = None, **details: str) -> None:
    record(
        actor=by,
        action=action,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=Outcome.DONE,
        details=details,
    )
