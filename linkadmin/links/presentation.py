"""Links as pages show them: every text made once, so that templates only place them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from linkadmin.providers.types import Cause, HealthState

from .causes import STATES, VERDICTS, Turn
from .models import PROVING, EndUser, Link

TURN_ICONS = {
    Turn.CUSTOMER: "user",
    Turn.CUSTOMER_BANK: "landmark",
    Turn.BANK: "landmark",
    Turn.PROVIDER: "plug",
    Turn.ADMIN: "wrench",
    Turn.US: "wrench",
    Turn.DEVELOPER: "wrench",
}
PROVING_LABEL = gettext_lazy("Fixed, proving")
PROVING_REASON = gettext_lazy("A fresh reading has to show it")


@dataclass(frozen=True, slots=True)
class StateBadge:
    """A state as icon, word and reason: never a colour alone."""

    tone: str
    icon: str
    label: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as people say it, with the exact one behind it."""

    iso: str
    ago: str
    exact: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list of links."""

    pk: str
    url: str
    customer: str
    customer_id: str
    bank: str
    through: str
    state: StateBadge
    turn: str
    turn_icon: str
    last_good: Moment | None
    owner: str
    is_hot: bool


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One line of the list of customers."""

    url: str
    name: str
    external_id: str
    links: int
    trouble: int


def badge_of(state: HealthState, reason: str = "") -> StateBadge:
    look = STATES[state]
    return StateBadge(look.tone, look.icon, str(look.label), reason)


def proving_badge(reason: str = "") -> StateBadge:
    return StateBadge("info", "shield-check", str(PROVING_LABEL), reason)


def badge(link: Link) -> StateBadge:
    """Return how a link's state is shown; a repair that is not proven yet is neither green nor red."""
    if link.is_proving:
        return proving_badge(str(PROVING_REASON))
    return badge_of(HealthState(link.health), str(VERDICTS[Cause(link.cause)].reason))


def rows(links: Iterable[Link], *, see_names: bool) -> list[Row]:
    now = timezone.now()
    return [_row(link, see_names=see_names, now=now) for link in links]


def customer_rows(
    customers: Iterable[EndUser], counted: Mapping[UUID, tuple[int, int]], *, see_names: bool
) -> list[CustomerRow]:
    return [
        CustomerRow(
            each.get_absolute_url(),
            shown_name(str(each), see_names=see_names),
            each.external_id,
            *counted.get(each.pk, (0, 0)),
        )
        for each in customers
    ]


def shown_name(name: str, *, see_names: bool) -> str:
    """Return a name, or its initials for those who may not see it."""
    return name if see_names else " ".join(f"{word[0]}•••" for word in name.split())


def state_counts(tally: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return how many links are in each state that has any."""
    return [{"badge": look, "count": tally[state]} for state, look in shown_states() if tally.get(state)]


def shown_states() -> list[tuple[str, StateBadge]]:
    """Return every state that links are counted by, with its look."""
    return [*((state.value, badge_of(state)) for state in HealthState), (PROVING, proving_badge())]


def pills(query: QueryDict, filters: forms.BaseForm) -> list[tuple[str, str]]:
    """Return each filter in force with the address without it."""
    found = []
    for name, value in filters.cleaned_data.items():
        if not value:
            continue
        without = query.copy()
        for key in (name, "before", "after"):
            without.pop(key, None)
        label = dict(getattr(filters.fields[name], "choices", [])).get(value, value)
        found.append((f"{filters.fields[name].label}: {label}", f"?{without.urlencode()}"))
    return found


def moment(at: datetime | None, *, now: datetime | None = None) -> Moment | None:
    if at is None:
        return None
    local = timezone.localtime(at)
    exact = f"{date_format(local, 'j M Y')}, {local:%H:%M:%S} {local:%Z}"
    return Moment(at.isoformat(), ago(at, now=now or timezone.now()), exact)


def expected(at: datetime | None) -> Moment | None:
    """Return a time that may lie ahead, as people say it."""
    now = timezone.now()
    shown = moment(at, now=now)
    if at is None or shown is None or at <= now:
        return shown
    return Moment(shown.iso, _ahead(at - now), shown.exact)


def ago(at: datetime, *, now: datetime) -> str:
    """Say how long ago something was, in its largest unit."""
    seconds = int((now - at).total_seconds())
    if seconds < 0:
        return _("just now")
    if seconds < 60:
        return _("%(count)d s ago") % {"count": seconds}
    if seconds < 3600:
        return _("%(count)d min ago") % {"count": seconds // 60}
    if seconds < 86_400:
        return _("%(count)d h ago") % {"count": seconds // 3600}
    days = seconds // 86_400
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}


def _ahead(left: timedelta) -> str:
    minutes = int(left.total_seconds()) // 60 + 1
    if minutes < 60:
        return _("in %(count)d min") % {"count": minutes}
    if left < timedelta(days=1):
        return _("in %(count)d h") % {"count": minutes // 60}
    return ngettext("in %(count)d day", "in %(count)d days", left.days) % {"count": left.days}


def _row(link: Link, *, see_names: bool, now: datetime) -> Row:
    verdict = VERDICTS[Cause(link.cause)]
    turn = Turn.NOBODY if link.is_proving else verdict.turn
    return Row(
        pk=str(link.pk),
        url=reverse("link-detail", args=[link.pk]),
        customer=shown_name(str(link.end_user), see_names=see_names),
        customer_id=link.end_user.external_id,
        bank=link.bank or _("Bank not named"),
        through=link.integration.name,
        state=badge(link),
        turn="" if turn is Turn.NOBODY else str(turn.label),
        turn_icon=TURN_ICONS.get(turn, ""),
        last_good=moment(link.last_good_at, now=now),
        owner=link.owner.display_name if link.owner else "",
        is_hot=link.cause == Cause.CODE_WAITING.value and not link.is_proving,
    )
