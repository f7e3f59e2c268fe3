"""Log-ins, refused log-ins and log-outs, on the record."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from linkadmin.audit.log import record
from linkadmin.audit.models import Outcome

from .models import User


@receiver(user_logged_in)
def record_log_in(user: User, **kwargs: Any) -> None:
    record(actor=user, action="session.started", object_type="staff", object_id=user.id, outcome=Outcome.DONE)


@receiver(user_logged_out)
def record_log_out(user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record_end(user, reason="logged out")


@receiver(user_login_failed)
def record_refused_log_in(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Name the account, if there is one: what was typed may be a password in the wrong field."""
    user = User.objects.named(credentials.get("username", ""))
    record(
        actor=None,
        action="session.refused",
        object_type="staff",
        object_id=user.id if user else "",
        outcome=Outcome.REFUSED,
    )


def record_end(user: User, *, reason: str) -> None:
    record(
        actor=user,
        action="session.ended",
        object_type="staff",
        object_id=user.id,
        outcome=Outcome.DONE,
        details={"reason": reason},
    )
