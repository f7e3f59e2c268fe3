"""Adds colleagues and changes their accounts, recorded in the audit log. Their passwords are their own."""

from collections.abc import Collection

from django.db import transaction

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from . import invitations


@transaction.atomic
def add(user: User, *, by: User) -> str:
    """Save a new account without a password. Return the code of its invitation."""
    user.set_unusable_password()
    user.save()
    _record(user, by=by, action=Action.STAFF_CREATED, details={"roles": user.roles})
    return invitations.invite(user, by=by)


@transaction.atomic
def update(user: User, fields: Collection[str], *, by: User) -> None:
    """Save the changed fields. New roles, or none to work with, ends the person's sessions."""
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
