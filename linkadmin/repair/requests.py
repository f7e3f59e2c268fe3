"""Repair requests from being sent to their end. Each change is written with its step and its audit event.

A URL works until the request's life is over, it is revoked or replaced, or its link works. Whether the link works is
read from the link, so that nothing has to be told when it does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.links import due_reads
from linkadmin.links.models import EndUser, HostedSession, Link, Reason, RepairRequest, RepairStep, RepairVisit
from linkadmin.operations.presentation.repair_requests import works
from linkadmin.providers.types import HealthState

from .decisions import decide
from .tokens import TOKEN, digest_of, new_token

Channel = RepairRequest.Channel
Step = RepairRequest.Step
End = RepairRequest.End
VISIT = timedelta(minutes=30)
ENDED_AT_ONCE = 200
NEVER_ARRIVED = (Outcome.NOT_SENT, Outcome.REJECTED)
_WITH_LINK = ("link__integration", "link__institution", "link__end_user")


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What staff send: how, in which language, for how long, and why so soon after an earlier one."""

    channel: RepairRequest.Channel
    language: str
    text: str
    life: timedelta
    reason: str = ""


class RequestOver(Exception):
    """No request has this token or cookie, or it is over. `completed` if its link works."""

    def __init__(self, *, completed: RepairRequest | None = None) -> None:
        super().__init__()
        self.completed = completed


class TooSoon(Exception):
    """The customer already has a recent message, and nobody said why they need another."""


@transaction.atomic
def send(link: Link, message: NewRequest, *, by: User) -> tuple[RepairRequest, str]:
    """Return the request and the token of its URL, which can't be read again. An earlier request is replaced.

    Unless staff send it themselves, it's only requested: call `record_outcome` once its message is sent or not.
    Raises `TooSoon`.
    """
    EndUser.objects.select_for_update(no_key=True).get(pk=link.end_user_id)  # colleagues decide one after the other
    now, token = timezone.now(), new_token()
    if decide(link, now=now).last_sent_at and not message.reason:
        raise TooSoon
    Link.objects.select_for_update(no_key=True).get(pk=link.pk)
    for earlier in _open_of(link):
        _end(earlier, End.REPLACED, by=by, at=now)
    request = RepairRequest.objects.create(
        link=link,
        sent_by=by,
        at=now,
        channel=message.channel,
        outcome=Outcome.DONE if message.channel == Channel.COPY else Outcome.REQUESTED,
        language=message.language,
        message=message.text,
        reason=message.reason,
        digest=digest_of(token),
        expires_at=now + message.life,
        step_at=now,
    )
    _log(request, Step.SENT, by=by, at=now)
    details = {"channel": str(message.channel), "language": message.language, "until": request.expires_at.isoformat()}
    _record(request, Action.REPAIR_REQUEST_SENT, by, details, Outcome(request.outcome))
    return request, token


@transaction.atomic
def record_outcome(request: RepairRequest, outcome: Outcome, *, by: User | None) -> None:
    """Of sending its message. One that surely didn't reach the customer ends."""
    now = timezone.now()
    Link.objects.select_for_update(no_key=True).get(pk=request.link_id)
    request.refresh_from_db()  # the customer may have opened it already
    request.outcome = outcome
    request.step_at = now if request.step == Step.SENT else request.step_at
    request.save(update_fields=["outcome", "step_at"])
    _record(request, Action.REPAIR_REQUEST_SENT, by, {"channel": request.channel}, outcome)
    if outcome in NEVER_ARRIVED and not request.ended_at:
        _end(request, End.NOT_SENT, by=by, at=now)


@transaction.atomic
def revoke(link: Link, *, by: User) -> bool:
    """False if no request is open."""
    Link.objects.select_for_update(no_key=True).get(pk=link.pk)
    open_requests = list(_open_of(link))
    for request in open_requests:
        _end(request, End.REVOKED, by=by, at=timezone.now())
        _record(request, Action.REPAIR_REQUEST_REVOKED, by)
    return bool(open_requests)


def fetch(token: str) -> RepairRequest:
    """The request behind a URL, counted as fetched once more. Nothing else changes. Raises `RequestOver`."""
    if not TOKEN.fullmatch(token):
        raise RequestOver
    now, digest = timezone.now(), digest_of(token)
    found = _still_open(RepairRequest.objects.select_related(*_WITH_LINK).filter(digest=digest).first(), now)
    first = RepairRequest.objects.filter(pk=found.pk, fetched_at=None)
    with transaction.atomic():
        if found.fetched_at is None and first.update(fetches=F("fetches") + 1, fetched_at=now):
            _log(found, Step.FETCHED, at=now)
        else:
            RepairRequest.objects.filter(pk=found.pk).update(fetches=F("fetches") + 1)
    return found


@transaction.atomic
def enter(token: str) -> str:
    """Return the cookie of a new visit, which ends the one before. Raises `RequestOver`."""
    if not TOKEN.fullmatch(token):
        raise RequestOver
    now, cookie = timezone.now(), new_token()
    rows = RepairRequest.objects.select_for_update(of=("self",), no_key=True).select_related(*_WITH_LINK)
    request = _still_open(rows.filter(digest=digest_of(token)).first(), now)
    visit = {"digest": digest_of(cookie), "expires_at": min(now + VISIT, request.expires_at)}
    RepairVisit.objects.update_or_create(request=request, defaults=visit)
    add_step(request, Step.OPENED)
    _record(request, Action.REPAIR_REQUEST_OPENED, None)
    return cookie


def visited(cookie: str) -> RepairRequest:
    """The request that a browser's visit is about. Raises `RequestOver`."""
    if not TOKEN.fullmatch(cookie):
        raise RequestOver
    now = timezone.now()
    visits = RepairVisit.objects.select_related("request", *(f"request__{name}" for name in _WITH_LINK))
    visit = visits.filter(digest=digest_of(cookie), expires_at__gt=now).first()
    return _still_open(visit.request if visit else None, now)


@transaction.atomic
def came_back(request: RepairRequest, step: RepairRequest.Step) -> None:
    """From the provider's page. What it says isn't believed: the link is read."""
    if request.step == Step.AT_PROVIDER:
        add_step(request, step)
    due_reads.want([request.link_id], reason=Reason.REPAIR, at=timezone.now())


def add_step(request: RepairRequest, step: RepairRequest.Step) -> None:
    """Say where the customer is. Call it in a transaction."""
    request.step, request.step_at = step, timezone.now()
    request.save(update_fields=["step", "step_at"])
    _log(request, step, at=request.step_at)


def end_over(*, now: datetime) -> None:
    """End the requests whose life is over or whose links work. Without this, they couldn't be used either."""
    over = RepairRequest.objects.filter(ended_at=None).select_related(*_WITH_LINK)
    healthy = over.filter(Q(expires_at__lte=now) | Q(link__health=HealthState.HEALTHY.value))
    for request in healthy.order_by("expires_at")[:ENDED_AT_ONCE]:
        if works(request.link) or request.expires_at <= now:
            _end_alone(request, End.COMPLETED if works(request.link) else End.EXPIRED, at=now)
    RepairVisit.objects.filter(expires_at__lte=now).delete()


@transaction.atomic
def _end_alone(request: RepairRequest, end: RepairRequest.End, *, at: datetime) -> None:
    """Unless somebody else has just ended it."""
    still = RepairRequest.objects.select_for_update(of=("self",), no_key=True).filter(pk=request.pk, ended_at=None)
    if still.exists():
        _end(request, end, by=None, at=at)


def _still_open(request: RepairRequest | None, now: datetime) -> RepairRequest:
    if request is None:
        raise RequestOver
    if works(request.link) and request.end in ("", End.COMPLETED):
        raise RequestOver(completed=request)
    if request.ended_at or request.expires_at <= now or request.link.is_disconnected:
        raise RequestOver
    return request


def _open_of(link: Link) -> list[RepairRequest]:
    return list(link.repair_requests.filter(ended_at=None))


def _end(request: RepairRequest, end: RepairRequest.End, *, by: User | None, at: datetime) -> None:
    request.end, request.ended_at = end, at
    request.save(update_fields=["end", "ended_at"])
    if end != End.COMPLETED:  # that visit still shows that the link works
        RepairVisit.objects.filter(request=request).delete()
    HostedSession.objects.filter(request=request).delete()
    _log(request, Step.ENDED, by=by, at=at, end=end)


def _log(
    request: RepairRequest, kind: RepairRequest.Step, *, at: datetime, by: User | None = None, end: str = ""
) -> None:
    RepairStep.objects.create(request=request, link_id=request.link_id, kind=kind, at=at, by=by, end=end)


def _record(
    request: RepairRequest,
    action: Action,
    by: User | None,
    details: Mapping[str, str | int] | None = None,
    outcome: Outcome = Outcome.DONE,
) -> None:
    record(
        actor=by,
        action=action,
        object_type=ObjectType.LINK,
        object_id=request.link_id,
        outcome=outcome,
        details={"request": str(request.pk), **(details or {})},
    )
