"""Institutions that links wait on: those with several, since when, and links that wait too long."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.compiled_query import CompiledQuery, time_of
from linkadmin.links import counts
from linkadmin.links.causes import ESCALATED_RANK, STATES
from linkadmin.links.listing.known import Kept
from linkadmin.links.models import ESCALATE_AFTER, Institution, Link
from linkadmin.links.queries import standing
from linkadmin.providers.types import INSTITUTION_DOWN, HealthState
from linkadmin.timestamps import exact_words, span_words
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon

SHOWN = 5
AT_ONCE = SHOWN + 1  # with the one that the headline names
INCIDENT_LINKS = 2  # this many links waiting on one institution count as one incident
WAITING_RANKS = (ESCALATED_RANK, STATES[HealthState.WAITING].rank)

_INCIDENT = FlatPart("reports/_incident.html")


@dataclass(frozen=True, slots=True)
class Bank:
    name: str
    integration: str
    is_down: bool  # according to the provider
    waiting_since: datetime | None


def most_waited_on(environment: str) -> dict[UUID, int]:
    """Links that wait on each, most first."""
    several = counts.most_waiting(SHOWN, environment, at_least=INCIDENT_LINKS)
    return {pk: several[pk] for pk in sorted(several, key=lambda pk: (-several[pk], pk))[:SHOWN]}


def banks(pks: Collection[UUID]) -> dict[UUID, Bank]:
    if not pks:
        return {}
    wanted = list(pks)
    return {
        UUID(str(pk)): Bank(
            name, integration, status == INSTITUTION_DOWN, min(filter(None, map(time_of, since)), default=None)
        )
        for pk, name, status, integration, *since in _BANKS.rows(*wanted, *wanted[:1] * (AT_ONCE - len(wanted)))
    }


def draw_incidents(
    waiting: Mapping[UUID, int],
    found: Mapping[UUID, Bank],
    by_bank: Mapping[UUID, Counter[str]],
    *,
    may_view_links: bool,
) -> str:
    return _INCIDENT.fill(_incidents(waiting, found, by_bank, reverse("link-list") if may_view_links else ""))


def _incidents(
    waiting: Mapping[UUID, int], found: Mapping[UUID, Bank], by_bank: Mapping[UUID, Counter[str]], url: str
) -> Iterator[dict[str, object]]:
    now = timezone.now()
    for pk, links in waiting.items():
        if (bank := found.get(pk)) is None:
            continue
        active, since = standing(by_bank[pk]).total(), bank.waiting_since
        words = ngettext(
            "%(waiting)s of %(links)s link is waiting", "%(waiting)s of %(links)s links are waiting", active
        )
        yield {
            "icon": icon("landmark"),
            "open": _("Open %(span)s") % {"span": span_words(now - since)} if since else _("Open"),
            "since": exact_words(since),
            "name": bank.name,
            "bank_url": reverse("institution-detail", args=[pk]),
            "url": f"{url}?institution={pk}&state=wait" if url else "",
            "count": links,
            "words": words % {"waiting": links, "links": active},
            "integration": bank.integration,
            "is_down": bank.is_down,
        }


def _banks(*institutions: UUID) -> "QuerySet[Any]":
    since = [Subquery(_oldest_waiting(rank)) for rank in WAITING_RANKS]
    found = Institution.objects.filter(pk__in=institutions).order_by()
    return found.values_list("pk", "display_name", "status", F("integration__name"), *since)


def _oldest_waiting(rank: int) -> "QuerySet[Any]":
    here = Link.objects.filter(institution=OuterRef("pk"), urgency=rank)
    return here.order_by("health_since").values("health_since")[:1]


def _waiting_since(environment: str, since: datetime) -> "QuerySet[Any]":
    # By rank, which follows from the state, so that the index alone is enough.
    found = Link.objects.filter(environment=environment, urgency__in=WAITING_RANKS, health_since__lte=since).order_by()
    counted: QuerySet[Any] = found.values(one=Value(1)).annotate(n=Count("*"))
    return counted.values_list("n")


def _waiting_long(environment: str) -> int:
    links: int = _WAITING_SINCE.rows(environment, timezone.now() - ESCALATE_AFTER)[0][0]
    return links


_WAITING_SINCE = CompiledQuery(_waiting_since, types=(str, datetime))
WAITING_LONG = Kept(_waiting_long, times_as_long=30)
_BANKS = CompiledQuery(_banks, types=(UUID,) * AT_ONCE)
