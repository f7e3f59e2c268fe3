"""How much of their limits people have used, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.template import Context
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.accounts.models import User
from linkadmin.web.badges import StateBadge

from .entries import unpacked
from .kinds import DAY, HOUR, Limit, LimitKind, limit_of
from .models import LimitLift, LimitUse

LIFTS_SHOWN = 5  # of one person
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Usage:
    person: User
    kind: LimitKind
    limit: Limit
    used: int
    reached_at: datetime | None = None  # within the window
    lift: LimitLift | None = None  # if it's lifted now

    @property
    def words(self) -> str:
        return words_of(self.kind, self.used, self.limit.stop)

    @property
    def is_near(self) -> bool:
        return self.used >= self.limit.warn

    @property
    def is_reached(self) -> bool:
        return self.used >= self.limit.stop or self.reached_at is not None

    @property
    def badge(self) -> StateBadge:
        if self.lift:
            return StateBadge("quiet", "clock", _("Lifted"))
        if self.is_reached:
            return StateBadge("bad", "circle-x", _("Limit reached"))
        if self.is_near:
            return StateBadge("quiet", "circle-alert", _("Near the limit"))
        return StateBadge("quiet", "check", _("Below the limit"))


def words_of(kind: LimitKind, used: int, stop: int) -> str:
    texts = {
        LimitKind.CUSTOMERS_OPENED: ngettext(
            "%(used)s of %(stop)s customer opened in the last hour",
            "%(used)s of %(stop)s customers opened in the last hour",
            stop,
        ),
        LimitKind.CUSTOMERS_LISTED: ngettext(
            "%(used)s of %(stop)s customer name shown in the last hour",
            "%(used)s of %(stop)s customer names shown in the last hour",
            stop,
        ),
        LimitKind.EXPORTS: ngettext(
            "%(used)s of %(stop)s export in the last 24 hours",
            "%(used)s of %(stop)s exports in the last 24 hours",
            stop,
        ),
        LimitKind.CREDENTIALS: ngettext(
            "%(used)s of %(stop)s submission of credentials or codes in the last hour",
            "%(used)s of %(stop)s submissions of credentials or codes in the last hour",
            stop,
        ),
    }
    return texts[kind] % {"used": f"{used:,}", "stop": f"{stop:,}"}


def usages_of(person: User) -> list[Usage]:
    """Of all limits that are on."""
    rows = {row.kind: row for row in LimitUse.objects.filter(user=person)}
    unused = (rows.get(kind.value) or LimitUse(user=person, kind=kind) for kind in LimitKind)
    return _usages([row for row in unused if limit_of(LimitKind(row.kind)).stop], {person.pk: person})


def of_person(page: Context) -> dict[str, Any]:
    """What the page of a person shows."""
    return {"usages": usages_of(page["person"]), "lifts": lifts_of(page["person"])}


def near_or_over() -> list[Usage]:
    """Of everybody: those who reached a limit first, then those near one, then limits that are lifted."""
    latest = F("reached_at").desc(nulls_last=True), F("warned_at").desc(nulls_last=True), "pk"
    rows = list(LimitUse.objects.filter(noteworthy()).select_related("user").order_by(*latest)[:MOST_LISTED])
    found = _usages(rows, {row.user_id: row.user for row in rows})
    shown = [each for each in found if each.lift or each.is_near or each.is_reached]
    return sorted(shown, key=lambda each: (each.lift is not None, not each.is_reached, each.person.display_name))


def reached_by() -> list[User]:
    """Who reached a limit within its window, if it isn't lifted."""
    now = timezone.now()
    is_recent = Q(reached_at__gt=now - HOUR) | Q(kind=LimitKind.EXPORTS, reached_at__gt=now - DAY)
    rows = LimitUse.objects.filter(is_recent).exclude(lifted_until__gt=now).defer("counted").select_related("user")
    return list(dict.fromkeys(row.user for row in rows))


def noteworthy() -> Q:
    now = timezone.now()
    return Q(warned_at__gt=now - 2 * DAY) | Q(reached_at__gt=now - DAY) | Q(lifted_until__gt=now)


def lifts_of(person: User) -> list[LimitLift]:
    """The latest."""
    return list(LimitLift.objects.filter(user=person).select_related("lifted_by").order_by("-lifted_at")[:LIFTS_SHOWN])


def _usages(rows: Sequence[LimitUse], people: Mapping[UUID, User]) -> list[Usage]:
    now = timezone.now()
    lifts = LimitLift.objects.filter(user__in=people, until__gt=now).select_related("lifted_by").order_by("lifted_at")
    lifted = {(lift.user_id, lift.kind): lift for lift in lifts}
    return [_usage(row, people[row.user_id], lifted.get((row.user_id, row.kind)), now) for row in rows]


def _usage(row: LimitUse, person: User, lift: LimitLift | None, now: datetime) -> Usage:
    kind = LimitKind(row.kind)
    limit = limit_of(kind)
    is_recent = row.reached_at is not None and row.reached_at > now - limit.within
    used = len(unpacked(row.counted, limit, now))
    return Usage(person, kind, limit, used, row.reached_at if is_recent else None, lift)
