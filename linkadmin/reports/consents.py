"""Consents that end soon: of how many links and customers, and by when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.accounts.models import User
from linkadmin.compiled_query import CompiledQuery
from linkadmin.links.causes import STATES
from linkadmin.links.listing.known import Kept
from linkadmin.links.models import Link
from linkadmin.links.queries import portfolio_of
from linkadmin.providers.types import HealthState
from linkadmin.web.flat_parts import FlatPart

PERIODS = (7, 14)  # days
MOST_NAMED = 500  # links whose customers are counted: each has to be read

_PERIOD = FlatPart("reports/_consents.html")


@dataclass(frozen=True, slots=True)
class EndingConsents:
    links: dict[date, int]
    customers: list[tuple[date, UUID]]  # of each of the first links


def draw_consents(reader: User, environment: str, *, is_mine: bool, may_view_links: bool) -> str:
    today = timezone.localdate()
    own = [reader.pk] if portfolio_of(reader) else [reader.pk, reader.pk]
    found = _read(environment, *own) if is_mine else ENDING.get(environment)
    url = f"{reverse('link-list')}?{'assigned=mine&' if is_mine else ''}consent=" if may_view_links else ""
    return _PERIOD.fill(_periods(found, today, url))


def _periods(found: EndingConsents, today: date, url: str) -> Iterator[dict[str, object]]:
    for days in PERIODS:
        until = today + timedelta(days=days)
        links = sum(count for day, count in found.links.items() if day <= until)
        customers = {pk for day, pk in found.customers if day <= until}
        of = ngettext("%(count)d customer", "%(count)d customers", len(customers)) % {"count": len(customers)}
        yield {
            "label": _("Within %(days)d days") % {"days": days},
            "count": links,
            "words": ngettext("%(count)d link", "%(count)d links", links) % {"count": links},
            "customers": of if 0 < links <= MOST_NAMED else "",
            "url": f"{url}{days}" if url and links else "",
        }


def _read(environment: str, *people: UUID) -> EndingConsents:
    """Of everyone, of an account manager, or of an account manager and an assignee."""
    today = timezone.localdate()
    until = today + timedelta(days=PERIODS[-1])
    keys: list[str | date | UUID] = [environment, today, until, *people]
    by_day, first = _OF[len(people)]
    return EndingConsents(
        {_day(day): links for day, links in by_day.rows(*keys)},
        [(_day(day), pk) for day, pk in first.rows(*keys)],
    )


def _day(stored: Any) -> date:
    return date.fromisoformat(str(stored))


def _ending(environment: str, first: date, last: date, *people: UUID) -> "QuerySet[Link]":
    ranks = {"urgency__lt": STATES[HealthState.DISCONNECTED].rank}
    found = Link.objects.filter(environment=environment, renew_by__range=(first, last), **ranks)
    if people:
        of = zip(("account_manager", "assignee"), people, strict=False)
        found = found.filter(Q.create(list(of), Q.OR))
    return found.order_by("renew_by")


def _by_day(*keys: Any) -> "QuerySet[Any]":
    counted: QuerySet[Any] = _ending(*keys).values("renew_by").annotate(n=Count("*"))
    return counted.values_list("renew_by", "n")


def _first(*keys: Any) -> "QuerySet[Any]":
    return _ending(*keys).values_list("renew_by", "end_user")[:MOST_NAMED]


_OF = [
    [CompiledQuery(build, types=(str, date, date, *(UUID,) * people)) for build in (_by_day, _first)]
    for people in (0, 1, 2)
]
ENDING = Kept(_read, times_as_long=30)
