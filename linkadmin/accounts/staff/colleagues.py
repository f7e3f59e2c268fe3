"""Adds colleagues and changes their accounts, recorded in the audit log. Their passwords are their own."""

from collections.abc import Collection

from django.db import transaction

from linkadmin.accounts.factors import owned
from linkadmin.accounts.models import ApprovalKind, User
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from . import approvals, invitations

ACCESS = frozenset({"roles", "is_active"})
OF_INVITATIONS = ACCESS | {"username", "email"}  # who a link is for, and what it opens


@transaction.atomic
def add(user: User, *, by: User) -> str:
    """Save a new account, inactive and without a password. Return the code of its invitation."""
    user.is_active = False
    user.set_unusable_password()
    user.save()
    _record(user, by=by, action=Action.STAFF_CREATED, details={"roles": user.roles})
    return invitations.invite(user, by=by)


@transaction.atomic
def update(user: User, changed: Collection[str], *, by: User) -> bool:
    """Save the changed fields. Return whether more roles, or access again, wait for approval instead.

    Fewer roles or no access end the person's sessions. An invitation ends when who it's for, or what it opens, changes.
    """
    stored, fields = User.objects.locked(user.pk), [*changed]
    for name in ACCESS.difference(changed):
        setattr(user, name, getattr(stored, name))
    gains = _gains(stored, user)
    if gains:
        approvals.ask(ApprovalKind.ROLES, user, by=by)
        user.roles, user.is_active = stored.roles, stored.is_active
        fields = [name for name in changed if name not in ACCESS]
    elif not ACCESS.isdisjoint(changed):
        approvals.cancel(user, by=by)
    if not OF_INVITATIONS.isdisjoint(changed):
        invitations.revoke(user)
    if fields:
        _save(user, fields, by=by)
    return gains


@transaction.atomic
def reset(user: User, *, by: User) -> str:
    """Remove all that a colleague signs in with, and end their sessions. Return the code of an invitation.

    The password, too: anyone who knows it could sign in with it alone.
    """
    owned.reset(user, by=by)
    approvals.cancel(user, by=by)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    return invitations.invite(user, by=by)


def _gains(before: User, after: User) -> bool:
    had = set(before.roles.split(",")) if before.is_active else set()
    return after.is_active and not had.issuperset(after.roles.split(","))


def _save(user: User, fields: Collection[str], *, by: User) -> None:
    user.save(update_fields=fields)
    details: dict[str, str | int] = {"fields": ", ".join(fields), "roles": user.roles, "active": user.is_active}
    _record(user, by=by, action=Action.STAFF_UPDATED, details=details)


def _record(user: User, *, by: User, action: Action, details: dict[str, str | int]) -> None:
    record(
        actor=by,
        action=action,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=Outcome.DONE,
        details=details,
    )
