"""Lifts a person's limit for an hour. Nobody lifts their own."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from .counting import locked
from .kinds import LimitKind
from .models import LimitLift

LIFTED_FOR = timedelta(hours=1)


@transaction.atomic
def lift(user: User, kind: LimitKind, *, by: User, reason: str) -> None:
    """Until the end, nothing counts against it. Raises PermissionDenied for one's own."""
    if by == user:
        raise PermissionDenied
    row, now = locked(user, kind), timezone.now()
    row.lifted_until = now + LIFTED_FOR
    row.save(update_fields=["lifted_until"])
    LimitLift.objects.create(user=user, kind=kind, lifted_by=by, reason=reason, lifted_at=now, until=row.lifted_until)
    record(
        actor=by,
        action=Action.LIMIT_LIFTED,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=Outcome.DONE,
        details={"limit": kind.value},
    )


def who_may_lift(user: User) -> list[User]:
    """A person's limit."""
    others = User.objects.filter(is_active=True).exclude(pk=user.pk).order_by("name", "username")
    return [each for each in others if may(each, Right.LIFT_LIMIT)]
