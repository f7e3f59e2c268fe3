"""One-time links with which people choose their own password, so that nobody else ever knows it.

A link carries a random code. Only its digest is stored, and a new link replaces the person's earlier one.
"""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import Invitation, User
from linkadmin.audit.log import Action, ObjectType, Outcome, record

VALID_FOR = timedelta(days=3)


class NoInvitation(Exception):
    """The code belongs to no link that can still be used."""


@transaction.atomic
def invite(user: User, *, by: User) -> str:
    """Return the code, which can't be read again."""
    code = secrets.token_urlsafe(32)
    values = {"digest": _digest(code), "expires_at": timezone.now() + VALID_FOR}
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
    return _open(code).user


def is_for(user: User, code: str) -> bool:
    try:
        return invited(code) == user
    except NoInvitation:
        return False


@transaction.atomic
def accept(code: str, password: str) -> User:
    """Set the password, which ends the person's sessions, and use the link up. Raises `NoInvitation`."""
    invitation = _open(code, for_update=True)
    user = invitation.user
    user.set_password(password)
    user.save(update_fields=["password"])
    invitation.delete()
    record(
        actor=user,
        action=Action.INVITATION_ACCEPTED,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=Outcome.DONE,
    )
    return user


def delete_expired() -> None:
    Invitation.objects.filter(expires_at__lte=timezone.now()).delete()


def _open(code: str, *, for_update: bool = False) -> Invitation:
    rows = Invitation.objects.select_related("user")
    if for_update:
        rows = rows.select_for_update(of=("self",), no_key=True)
    found = rows.filter(digest=_digest(code), expires_at__gt=timezone.now(), user__is_active=True).first()
    if found is None:
        raise NoInvitation
    return found


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
