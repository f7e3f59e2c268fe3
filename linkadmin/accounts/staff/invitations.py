"""One-time links with which people choose their own password, so that nobody else ever knows it.

A link carries a random code. Only its digest is stored, and a new link replaces the person's earlier one. The password
works once somebody other than the link's creator approves it: otherwise, administrators could open any account.
"""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import ApprovalKind, Invitation, User
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from . import approvals

VALID_FOR = timedelta(days=3)


class NoInvitation(Exception):
    """The code belongs to no link that can still be used."""


@transaction.atomic
def invite(user: User, *, by: User) -> str:
    """Return the code, which can't be read again."""
    code = secrets.token_urlsafe(32)
    User.objects.locked(user.pk)
    values = {"digest": _digest(code), "expires_at": timezone.now() + VALID_FOR, "created_by": by}
    Invitation.objects.update_or_create(user=user, defaults=values)
    record(
        actor=by,
        action=Action.INVITATION_CREATED,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=Outcome.DONE,
    )
    return code


def invited(code: str) -> User:
    """Raises `NoInvitation`."""
    return _open(code)[0].user


def is_for(user: User, code: str) -> bool:
    try:
        return invited(code) == user
    except NoInvitation:
        return False


@transaction.atomic
def accept(code: str, password: str) -> User:
    """Use the link up, and set a password that waits for approval. Ends all sessions. Raises `NoInvitation`."""
    user = User.objects.locked(invited(code).pk)
    invitation, creator = _open(code)  # as it is now
    approvals.ask(ApprovalKind.PASSWORD, user, by=creator)
    user.set_password(password)
    user.is_active = False
    user.save(update_fields=["password", "is_active"])
    invitation.delete()
    record(
        actor=user,
        action=Action.INVITATION_ACCEPTED,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=Outcome.DONE,
    )
    return user


def revoke(user: User) -> None:
    Invitation.objects.filter(user=user).delete()


def delete_expired() -> None:
    Invitation.objects.filter(expires_at__lte=timezone.now()).delete()


def _open(code: str) -> tuple[Invitation, User]:
    rows = Invitation.objects.select_related("user", "created_by")
    found = rows.filter(digest=_digest(code), expires_at__gt=timezone.now()).first()
    if found is None or found.created_by is None:
        raise NoInvitation
    return found, found.created_by


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
