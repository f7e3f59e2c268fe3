"""Figures across all links, from counts. Only the few links shown by name are loaded."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import rights_of
from linkadmin.compiled_query import CompiledQuery, time_of
from linkadmin.links import counts
from linkadmin.links.causes import ESCALATED_RANK, STATES
from linkadmin.links.listing.known import INTEGRATIONS
from linkadmin.links.listing.table_rows import listed, rows
from linkadmin.links.models import ESCALATE_AFTER, NEEDS_SOMEBODY, Institution, Link, UnrecognizedValue
from linkadmin.links.presentation import shown_states, under_way_on
from linkadmin.links.queries import needing_somebody, standing
from linkadmin.providers.names import isolated
from linkadmin.providers.types import INSTITUTION_DOWN, HealthState
from linkadmin.timestamps import ago
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon

SHOWN = 8
INCIDENT_LINKS = 2  # this many links waiting on one bank count as one incident
WAITING_RANKS = (ESCALATED_RANK, STATES[HealthState.WAITING].rank)
WIDTH = 100  # units of a bar

_INTEGRATION = FlatPart("reports/_integration.html")
_SHARE = FlatPart("reports/_share.html")
_INCIDENT = FlatPart("reports/_incident.html")


def by_integration(counted: Mapping[UUID, Counter[str]], *, may_view_links: bool) -> str:
    """Markup of an integration's lines, each with a bar of its links by status."""
    url, looks = reverse("link-list"), shown_states().items()
    lines = []
    for integration in INTEGRATIONS.all().values():
        if not (by_state := standing(counted.get(integration.pk, Counter()))):
            continue
        total = by_state.total()
        words = ngettext("%(links)s link", "%(links)s links", total) % {"links": total}
        shares = [(look, by_state[state]) for state, look in looks if by_state[state]]
        tones = tuple([(look.tone, count) for look, count in shares])
        lines.append(
            {
                "url": f"{url}?integration={integration.pk}&state=active" if may_view_links else "",
                "name": integration.name,
                "total": total,
                "words": f"{words} · {_('API keys rejected')}" if integration.keys_rejected else words,
                "label": ", ".join(f"{look.label} {count}" for look, count in shares),
                "shares": _bar(tones, total),
            }
        )
    return _INTEGRATION.fill(lines)


def incidents(*, may_view_links: bool) -> str:
    """Markup of lines: how many links wait on each bank, and since when."""
    several = counts.most_waiting(SHOWN, at_least=INCIDENT_LINKS)
    most = sorted(several, key=lambda pk: (-several[pk], pk))[:SHOWN]
    if not most:
        return ""
    banks = {UUID(str(pk)): rest for pk, *rest in _BANKS.rows(*most, *most[:1] * (SHOWN - len(most)))}
    url = reverse("link-list")
    return _INCIDENT.fill(
        {
            "tone": "warn" if status == INSTITUTION_DOWN else "info",
            "icon": icon("landmark"),
            "url": f"{url}?institution={pk}&state=wait" if may_view_links else "",
            "count": several[pk],
            "name": name,
            "note": _incident_note(several[pk], integration, is_down=status == INSTITUTION_DOWN),
            "since": ago(min(filter(None, map(time_of, since)), default=None), "timeline__time"),
        }
        for pk, (name, status, integration, *since) in ((pk, banks[pk]) for pk in most if pk in banks)
    )


def waiting_long() -> int:
    links: int = _WAITING_LONG.rows(timezone.now() - ESCALATE_AFTER)[0][0]
    return links


def unrecognized_values() -> int:
    values: int = _UNRECOGNIZED.rows()[0][0]
    return values


def tables(user: User) -> tuple[str, str]:
    """Markup of rows: the links that have needed somebody longest, and the user's own."""
    oldest, mine = _OLDEST.instances(), _PORTFOLIO.instances(user.pk)
    under_way = under_way_on([*oldest.values("id"), *mine.values("id")])
    drawn = [rows(links, rights=rights_of(user), under_way=under_way) for links in (oldest, mine)]
    return drawn[0], drawn[1]


def _incident_note(links: int, integration: str, *, is_down: bool) -> str:
    words = ngettext("%(links)s link waiting · %(integration)s", "%(links)s links waiting · %(integration)s", links)
    note = words % {"links": links, "integration": isolated(integration)}
    return f"{note} · {_('down, according to the provider')}" if is_down else note


@lru_cache(maxsize=1000)
def _bar(shares: tuple[tuple[str, int], ...], total: int) -> str:
    parts, start = [], 0.0
    for tone, count in shares:
        width = WIDTH * count / total
        parts.append({"tone": tone, "start": round(start, 2), "width": round(width, 2)})
        start += width
    return _SHARE.fill(parts)


def _live() -> "QuerySet[Link]":
    return listed(Link.objects.filter(disconnected_at=None))


def _oldest() -> "QuerySet[Link]":
    return needing_somebody(_live()).filter(NEEDS_SOMEBODY).order_by("health_since", "id")[:SHOWN]


def _portfolio(user: UUID) -> "QuerySet[Link]":
    return _live().filter(assignee=user).order_by("urgency", "health_since", "id")[:SHOWN]


def _waiting_since(since: datetime) -> "QuerySet[Any]":
    # By rank, which follows from the state, so that the index alone is enough.
    return _count(Link.objects.filter(urgency__in=WAITING_RANKS, health_since__lte=since))


def _count(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    counted: QuerySet[Any] = rows.order_by().values(one=Value(1)).annotate(n=Count("*"))
    return counted.values_list("n")


def _banks(*institutions: UUID) -> "QuerySet[Any]":
    since = [Subquery(_oldest_waiting(rank)) for rank in WAITING_RANKS]
    found = Institution.objects.filter(pk__in=institutions).order_by()
    return found.values_list("pk", "display_name", "status", F("integration__name"), *since)


def _oldest_waiting(rank: int) -> "QuerySet[Any]":
    here = Link.objects.filter(institution=OuterRef("pk"), urgency=rank)
    return here.order_by("health_since").values("health_since")[:1]


_WAITING_LONG = CompiledQuery(_waiting_since, types=(datetime,))
_UNRECOGNIZED = CompiledQuery(lambda: _count(UnrecognizedValue.objects.all()), types=())
_BANKS = CompiledQuery(_banks, types=(UUID,) * SHOWN)
_OLDEST = CompiledQuery(_oldest, types=())
_PORTFOLIO = CompiledQuery(_portfolio)
