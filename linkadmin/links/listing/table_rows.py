"""Rows of tables of links. A drawn row is kept in the process until what it shows or says about time changes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from linkadmin.links.causes import Turn
from linkadmin.links.models import Link
from linkadmin.links.presentation import TURN_ICONS, UnderWay, glance, under_way_on
from linkadmin.providers.names import isolated
from linkadmin.providers.types import Cause
from linkadmin.timestamps import ago_words, exact_words
from linkadmin.web.badges import StateBadge, draw_state
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon

MOST_KEPT = 4000  # rows, of about 1.5 KB each
UNITS = ((60, 1), (3600, 60), (86_400, 3600))  # up to this age in seconds, words change this often

COLUMNS = (  # that a row needs, besides the names that every process knows
    "integration", "institution", "assignee", "end_user__external_id", "end_user__name", "urgency", "health", "cause",
    "conflict", "health_since", "refused_at", "verifying_since", "last_good_at",
)  # fmt: skip

_ROW = FlatPart("links/_row.html")
_FACTS = attrgetter(
    "pk", "cause", "conflict", "health_since", "refused_at", "verifying_since", "last_good_at", "end_user.name",
    "end_user.external_id", "integration.name", "integration.keys_rejected", "repair_kind",
)  # fmt: skip
_kept: dict[tuple[Any, ...], tuple[datetime, str]] = {}  # with when its words change


def rows(
    links: Iterable[Link],
    *,
    see_names: bool,
    selectable: bool = False,
    under_way: Mapping[UUID, UnderWay] | None = None,
) -> str:
    """Markup of table rows; empty without links. `under_way` if it's known already."""
    shown, now = list(links), timezone.now()
    busy = under_way_on(shown) if under_way is None else under_way
    reader = (see_names, selectable, get_language(), timezone.get_current_timezone_name())
    return format_html_join("", "{}", ((_row(link, busy.get(link.pk), now, reader),) for link in shown))


def _row(link: Link, busy: UnderWay | None, now: datetime, reader: tuple[Any, ...]) -> str:
    bank, assignee = link.institution, link.assignee
    key = (
        *reader,
        *_FACTS(link),
        bank and (bank.display_name, bank.is_listed_since(link.integration.institutions_read_at)),
        assignee and assignee.display_name,
        busy,
    )
    kept = _kept.get(key)
    if kept is None or kept[0] <= now:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        see_names, selectable, *_rest = reader
        state, since, turn = glance(link, busy)
        until = min(_next_change(at, now) for at in (since, link.last_good_at or since))
        drawn = _ROW.fill([_texts(link, state, since, turn, now, see_names=see_names, selectable=selectable)])
        kept = _kept[key] = until, drawn
    return kept[1]


def _texts(
    link: Link, state: StateBadge, since: datetime, turn: Turn, now: datetime, *, see_names: bool, selectable: bool
) -> dict[str, object]:
    bank, customer = link.institution, link.end_user.called(see_names=see_names)
    good_at, has_turn = link.last_good_at, turn is not Turn.NOBODY
    return {
        "selectable": selectable,
        "pk": link.pk,
        "url": link.get_absolute_url(),
        "customer": customer,
        "select": _("Select %(name)s") % {"name": isolated(customer)},
        "customer_id": link.end_user.external_id,
        "bank": link.bank or _("Unnamed institution"),
        "integration": link.integration.name,
        "is_unlisted": bank is not None and not bank.is_listed_since(link.integration.institutions_read_at),
        "state": draw_state(state),
        "since": since.isoformat(),
        "since_exact": exact_words(since),
        "since_ago": ago_words(since, now=now),
        "turn": _turn_words(turn, get_language()) if has_turn else "",
        "turn_icon": icon(TURN_ICONS[turn]) if has_turn else "",
        "synced": good_at.isoformat() if good_at else "",
        "synced_exact": exact_words(good_at),
        "synced_ago": ago_words(good_at, now=now) if good_at else "",
        "assignee": link.assignee.display_name if link.assignee else "—",
        "is_hot": link.cause == Cause.CODE_WAITING.value and not link.is_verifying,
    }


@cache
def _turn_words(turn: Turn, _language: str | None) -> str:
    return str(turn.label)


def _next_change(at: datetime, now: datetime) -> datetime:
    """When "5 min ago" becomes "6 min ago"."""
    if at > now:
        return at
    age = (now - at).total_seconds()
    unit = next((unit for most, unit in UNITS if age < most), 86_400)
    return now + timedelta(seconds=unit - age % unit)
