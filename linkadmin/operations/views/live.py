"""Polling of open pages: which version of a link or an operation they show, and how often they ask."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from linkadmin.compiled_query import CompiledQuery, Row, time_of
from linkadmin.integrations.models import CircuitBreaker
from linkadmin.links import queries
from linkadmin.links.models import Link, RepairRequest
from linkadmin.links.views.access import require_visible
from linkadmin.links.views.live import (
    NOTHING_AWAITED,
    SOMETHING_AWAITED,
    TROUBLE,
    PageVersion,
    answer,
    seconds_between,
    trouble_of,
    version_of,
)
from linkadmin.operations.activity import visible_to
from linkadmin.operations.models import RUNNING_STATES, Operation, State
from linkadmin.providers.types import HealthState
from linkadmin.web.pages import go_when_done, reader

from .sending import page_of

Stamp = datetime | str | None  # as the database returns it
CODE_SECONDS = 5  # between polls while a code is needed
A_READ_LASTS = timedelta(minutes=1)  # an older one has died
SHOWN_OF_LINK = (
    "cause",
    "conflict",
    "raw_status",
    "raw_code",
    "renew_by",
    "last_good_at",
    "checked_at",
    "check_failed",
    "disconnected_at",
    "assignee_id",
)
_LAST = Operation.objects.filter(link=OuterRef("pk")).order_by("-created_at", "-id")
_ASKED = RepairRequest.objects.filter(link=OuterRef("pk"), ended_at=None)
_BEGAN = Coalesce("sent_at", "created_at")
_LINK = CompiledQuery(
    lambda pk: Link.objects.filter(pk=pk).values_list(
        Subquery(_LAST.values("version")[:1]),
        Subquery(_LAST.values("state")[:1]),
        Subquery(_LAST.annotate(began=_BEGAN).values("began")[:1]),
        Subquery(_ASKED.values("step_at")[:1]),
        Subquery(_ASKED.values("fetches")[:1]),
        "health",
        "health_since",
        "verifying_since",
        "checking_since",
        *(f"integration__{name}" for name in TROUBLE),
        *SHOWN_OF_LINK,
    )
)
_OPERATION = CompiledQuery(
    lambda pk: Operation.objects.filter(pk=pk).values_list("version", "state", _BEGAN, "end_user")
)


def link_page_version(pk: UUID) -> PageVersion:
    version, seconds = link_version(pk) or ("", NOTHING_AWAITED)
    return PageVersion(reverse("link-live", args=[pk]), version, seconds)


def link_version(pk: UUID) -> tuple[str, int] | None:
    """Version of a link, and the polling interval of its pages in seconds; None if it doesn't exist."""
    row = _LINK.row(pk)
    return None if row is None else _version_of(row)


def shown_version(
    link: Link, latest: Operation | None, breaker: CircuitBreaker | None, asked: RepairRequest | None
) -> PageVersion:
    """As `link_page_version`, of what is already loaded."""
    operation = (latest.version, latest.state, latest.began_at) if latest else (None, None, None)
    request = (asked.step_at, asked.fetches) if asked else (None, None)
    times = (link.health, link.health_since, link.verifying_since, link.checking_since)
    keys = (link.integration.key_state, link.integration.keys_retry_at)
    until = (breaker.open_until, breaker.probe_until) if breaker else (None, None)
    shown = (getattr(link, name) for name in SHOWN_OF_LINK)
    version, seconds = _version_of((*operation, *request, *times, *keys, *until, *shown))
    return PageVersion(reverse("link-live", args=[link.pk]), version, seconds)


def _version_of(row: Row) -> tuple[str, int]:
    """The customer of a link with an open repair request may come at any time."""
    (version, state, began, step_at, fetches), times, rest = row[:5], row[5:9], row[9:]
    health, health_since, verifying_since, _checking_since = times
    trouble, shown = trouble_of(*rest[: len(TROUBLE)]), rest[len(TROUBLE) :]
    return (
        version_of(version, state, began, step_at, fetches, health, health_since, verifying_since, trouble, shown),
        SOMETHING_AWAITED if step_at else _seconds(state, began, *times),
    )


def operation_page_version(operation: Operation) -> PageVersion:
    name = "operation-live" if operation.end_user_id else "integration-operation-live"
    version = version_of(operation.version, operation.state)
    return PageVersion(reverse(name, args=[operation.pk]), version, seconds_between(operation.began_at))


def operation_version(pk: UUID, *, has_customer: bool) -> tuple[str, int] | None:
    """As `link_version`, for an open operation; None once it is closed."""
    row = _OPERATION.row(pk)
    if row is None or row[1] not in RUNNING_STATES or (row[3] is not None) != has_customer:
        return None
    return version_of(*row[:2]), seconds_between(time_of(row[2]))


def _seconds(
    state: str | None, began: Stamp, health: str, health_since: Stamp, verifying_since: Stamp, checking_since: Stamp
) -> int:
    if state == State.NEEDS_CODE:
        return CODE_SECONDS
    awaited = [time_of(verifying_since)]
    if state in RUNNING_STATES:
        awaited.append(time_of(began))
    if not verifying_since and health == HealthState.SETTING_UP.value:
        awaited.append(time_of(health_since))
    if (asked := time_of(checking_since)) and timezone.now() - asked < A_READ_LASTS:
        awaited.append(asked)
    return seconds_between(max(filter(None, awaited), default=None))


@require_safe
def link_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    require_visible(reader(request), queries.visible_to(reader(request)), pk)
    look = link_version(pk)
    if look is None:
        raise Http404
    return answer(request, *look)


@require_safe
def operation_live(request: HttpRequest, pk: UUID, *, has_customer: bool) -> HttpResponse:
    require_visible(reader(request), visible_to(reader(request)), pk)
    look = operation_version(pk, has_customer=has_customer)
    if look is None:
        return go_when_done(page_of(get_object_or_404(Operation, pk=pk, end_user__isnull=not has_customer)))
    return answer(request, *look)
