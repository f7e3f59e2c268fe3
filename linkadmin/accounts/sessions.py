"""Sign-ins, failed sign-ins and sign-outs, recorded in the audit log."""

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.web.proxies import client_address

from .browsers import browser_in_words
from .models import StaffSession, User, new_stamp
from .session_store import ADDRESS, BROWSER, CONFIRMED, FACTOR, SEEN, STARTED
from .staff import approvals

# What the browser clears when a session ends. No cookies: the session's own is removed anyway, and the device cookie
# keeps others from locking the account.
CLEARED = '"cache", "storage"'


@receiver(user_logged_in)
def record_sign_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    # From the start: a session with nothing but polls has to end as well.
    session = request.session
    session[STARTED] = session[SEEN] = int(time.time())
    session[CONFIRMED] = getattr(request, "confirmed_at", session[STARTED])
    session[FACTOR] = getattr(request, "proved_factor", "")  # each sign-in sets it, so none has an earlier one's
    session[ADDRESS] = client_address(request)
    session[BROWSER] = browser_in_words(request.META.get("HTTP_USER_AGENT", ""))[:60]
    record(
        actor=user,
        action=Action.SESSION_STARTED,
        object_type=ObjectType.STAFF,
        object_id=user.id,
        outcome=Outcome.DONE,
        details={"factor": session[FACTOR]} if session[FACTOR] else {},
    )


@receiver(user_logged_out)
def record_sign_out(user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record_end(user, reason="signed out", actor=user)


@receiver(user_login_failed)
def record_failed_sign_in(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Never records what was typed: that may be a password in the wrong field."""
    user = User.objects.named(credentials.get("username", ""))
    if user is None or user.is_active:
        record_rejected(user)
    else:
        record_rejected(user, reason="waiting for approval" if approvals.is_waiting(user) else "inactive")


def record_rejected(user: User | None, *, reason: str = "") -> None:
    record(
        actor=None,
        action=Action.SIGN_IN_REJECTED,
        object_type=ObjectType.STAFF,
        object_id=user.id if user else "",
        outcome=Outcome.REJECTED,
        details={"reason": reason} if reason else {},
    )


def sessions_of(user: User) -> list[StaffSession]:
    return list(user.sessions.exclude(_over()).order_by("-seen_at", "session_key"))


def end_others(user: User, *, current: str | None) -> int:
    return _end(user.sessions.exclude(session_key=current), actor=user, reason="signed out elsewhere")


def end_one(user: User, *, public_id: str) -> int:
    named = [each.pk for each in user.sessions.all() if each.public_id == public_id]
    return _end(user.sessions.filter(pk__in=named), actor=user, reason="signed out elsewhere")


def end_all(user: User, *, actor: User | None, reason: str = "ended by an administrator") -> int:
    """Includes sessions starting at this moment, and sign-ins that wait for a second factor."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_stamp=new_stamp())
        return _end(user.sessions.all(), actor=actor, reason=reason)


def end_expired() -> int:
    return _end(StaffSession.objects.filter(_over()), actor=None, reason="time limit")


def _over() -> Q:
    now = timezone.now()
    return Q(expire_date__lte=now) | Q(seen_at__lt=now - timedelta(seconds=settings.SESSION_IDLE_SECONDS))


def _end(sessions: Any, *, actor: User | None, reason: str) -> int:
    with transaction.atomic():
        ended = list(sessions.select_for_update(of=("self",), no_key=True).select_related("user"))
        StaffSession.objects.filter(pk__in=[each.pk for each in ended]).delete()
        for each in ended:
            if each.user is not None:
                record_end(each.user, reason=reason, actor=actor)
    return len(ended)


def record_end(user: User, *, reason: str, actor: User | None) -> None:
    """`actor` is None when the system ended it."""
    record(
        actor=actor,
        action=Action.SESSION_ENDED,
        object_type=ObjectType.STAFF,
        object_id=user.id,
        outcome=Outcome.DONE,
        details={"reason": reason},
    )
