"""What the pages of a link and of an operation await, and by what they see that it changed."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from linkadmin.links.live import NOTHING_AWAITED, Pulse, seconds_between, version_of
from linkadmin.links.models import Link
from linkadmin.providers.types import HealthState

from .models import RUNNING_STATES, Operation, State

CODE_SECONDS = 5  # between two polls while a person is to give a code
A_READ_LASTS = timedelta(minutes=1)  # one that began earlier has died
SHOWN_OF_LINK = (
    "health",
    "cause",
    "conflict",
    "raw_status",
    "raw_code",
    "renew_by",
    "last_good_at",
    "asked_at",
    "ask_failed",
    "ended_at",
    "owner_id",
    "health_since",
    "proving_since",
    "integration__key_state",
    "integration__keys_retry_at",
    "integration__traffic__paused_until",
    "integration__traffic__probe_until",
)


class _Last(NamedTuple):
    """The latest operation on a link."""

    id: UUID
    version: int
    state: str
    prepared_at: datetime
    sent_at: datetime | None


def pulse_of_link(pk: UUID) -> Pulse | None:
    """Return the pulse of a link's pages; None if there is no such link."""
    row = Link.objects.filter(pk=pk).values_list(*SHOWN_OF_LINK, "asking_since").first()
    if row is None:
        return None
    shown, asking_since = row[:-1], row[-1]
    latest = Operation.objects.filter(link=pk).order_by("-prepared_at", "-id").values_list(*_Last._fields).first()
    last = _Last(*latest) if latest else None
    link = dict(zip(SHOWN_OF_LINK, shown, strict=True))
    now = timezone.now()
    holds = [at is not None and at > now for at in shown[-3:]]  # they end with time alone
    return Pulse(
        reverse("link-live", args=[pk]),
        version_of(shown, last, holds),
        _seconds(link, last, asking_since),
    )


def pulse_of_operation(operation: Operation) -> Pulse:
    """Return the pulse of the page of an operation that is not over."""
    name = "operation-live" if operation.end_user_id else "integration-operation-live"
    version = version_of(operation.version, operation.state)
    seconds = seconds_between(operation.began_at) if operation.is_running else NOTHING_AWAITED
    return Pulse(reverse(name, args=[operation.pk]), version, seconds)


def _seconds(link: dict[str, Any], last: _Last | None, asking_since: datetime | None) -> int:
    """Return how often a link's page asks: while a call runs, a code is awaited, a repair or a new link is verified."""
    if last is not None and last.state == State.NEEDS_TOKEN:
        return CODE_SECONDS
    awaited = [asking_since] if asking_since and timezone.now() - asking_since < A_READ_LASTS else []
    if last is not None and last.state in RUNNING_STATES:
        awaited.append(last.sent_at or last.prepared_at)
    if link["proving_since"]:
        awaited.append(link["proving_since"])
    elif link["health"] == HealthState.SETTING_UP.value:
        awaited.append(link["health_since"])
    return seconds_between(max(awaited, default=None))
