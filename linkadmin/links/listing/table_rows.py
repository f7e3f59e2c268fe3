"""Rows of tables of links. A drawn row is kept in the process until what it shows or says about time changes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from linkadmin.accounts.roles import Right
from linkadmin.compiled_query import Loaded
from linkadmin.links.models import Link, repair_kind_of
from linkadmin.links.presentation import UnderWay, action_on, glance, under_way_on
from linkadmin.providers.names import isolated
from linkadmin.providers.types import Cause
from linkadmin.staff_limits import shown
from linkadmin.timestamps import exact_words, short_ago_words, short_span_words
from linkadmin.web.badges import StateBadge, draw_state
from linkadmin.web.flat_parts import FlatPart, joined

from .known import Names, names_of
from .marks import is_marked, sandbox_mark

MOST_KEPT = 4000  # rows, of about 2.5 KB each
UNITS = ((60, 1), (3600, 60), (86_400, 3600))  # up to this age in seconds, words change this often

COLUMNS = (  # that a row needs, besides the names that every process knows
    "integration", "institution", "assignee", "end_user__external_id", "end_user__name", "urgency", "health", "cause",
    "conflict", "health_since", "refused_at", "verifying_since", "last_good_at", "disconnected_at",
)  # fmt: skip

_ROW = FlatPart("links/_row.html")
_kept: dict[tuple[Any, ...], tuple[datetime, str]] = {}  # with when its words change


def listed(links: "QuerySet[Link]") -> "QuerySet[Link]":
    """Links with all that rows need."""
    return links.select_related("end_user").only(*COLUMNS)


def rows(
    links: Loaded[Link],
    *,
    rights: frozenset[Right],
    selectable: bool = False,
    of_one_customer: bool = False,
    under_way: Mapping[UUID, UnderWay] | None = None,
) -> str:
    """Markup of table rows for a reader with these rights; empty without links.

    `links` are `listed`. Those of one customer don't name them. `under_way` if it's known already.
    """
    now, pks, drawn = timezone.now(), links.values("id"), []
    if Right.SEE_NAMES in rights and not of_one_customer:
        shown.note(links.values("end_user_id"))  # kept rows don't ask for names again
    busy = under_way_on(pks) if under_way is None else under_way
    reader = (rights, selectable, of_one_customer, get_language(), timezone.get_current_timezone_name())
    for place, (pk, names) in enumerate(zip(pks, names_of(links), strict=True)):
        key = (reader, links.columns, links.rows[place], _facts(names), busy.get(pk))
        kept = _kept.get(key)
        if kept is None or kept[0] <= now:
            if len(_kept) >= MOST_KEPT:
                _kept.clear()
            link = links[place]
            link.integration, link.institution, link.assignee = names
            until, texts = _until_and_texts(link, busy.get(pk), now, rights=rights)
            more = {"selectable": selectable, "of_one_customer": of_one_customer}
            kept = _kept[key] = until, _ROW.fill([{**texts, **more}])
        drawn.append(kept[1])
    return joined(drawn)


def _facts(names: Names) -> tuple[object, ...]:
    """What rows show of related rows that their own statement doesn't read."""
    integration, bank, assignee = names
    return (
        integration.name,
        is_marked(integration),
        integration.keys_rejected,
        integration.is_active,
        repair_kind_of(integration, bank),
        bank and (bank.display_name, bank.is_listed_since(integration.institutions_read_at)),
        assignee and assignee.display_name,
    )


def _until_and_texts(
    link: Link, busy: UnderWay | None, now: datetime, *, rights: frozenset[Right]
) -> tuple[datetime, dict[str, object]]:
    state, since = glance(link, busy)
    action, action_url = action_on(link, busy, rights)
    until = min(_next_change(at, now) for at in (since, link.last_good_at or since))
    texts = _texts(link, state, since, now, see_names=Right.SEE_NAMES in rights)
    return until, {**texts, "action": action, "action_url": action_url}


def _texts(link: Link, state: StateBadge, since: datetime, now: datetime, *, see_names: bool) -> dict[str, object]:
    bank, customer, good_at = link.institution, link.end_user.called(see_names=see_names), link.last_good_at
    return {
        "pk": link.pk,
        "url": link.get_absolute_url(),
        "customer": customer,
        "select": _("Select %(name)s") % {"name": isolated(customer)},
        "customer_id": link.end_user.external_id,
        "bank": link.bank or _("Unnamed institution"),
        "integration": link.integration.name,
        "sandbox": sandbox_mark(link.integration),
        "is_unlisted": bank is not None and not bank.is_listed_since(link.integration.institutions_read_at),
        "state": draw_state(state),
        "since": since.isoformat(),
        "since_exact": exact_words(since),
        "since_span": short_span_words(now - since),
        "synced": good_at.isoformat() if good_at else "",
        "synced_exact": exact_words(good_at),
        "synced_ago": short_ago_words(good_at, now=now) if good_at else "",
        "assignee": link.assignee.display_name if link.assignee else "",
        "is_hot": link.cause == Cause.CODE_WAITING.value and not link.is_verifying,
    }


def _next_change(at: datetime, now: datetime) -> datetime:
    """When "5 min ago" becomes "6 min ago"."""
    if at > now:
        return at
    age = (now - at).total_seconds()
    unit = next((unit for most, unit in UNITS if age < most), 86_400)
    return now + timedelta(seconds=unit - age % unit)
