"""Links as pages show them, with all texts ready for templates."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from uuid import UUID

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from linkadmin.accounts.roles import Right
from linkadmin.heartbeats import watch
from linkadmin.integrations.models import Integration
from linkadmin.providers.names import isolated
from linkadmin.providers.types import Cause, HealthState
from linkadmin.web.badges import StateBadge

from .causes import STATES, VERIFYING_LOOK, Group, Remedy, RepairKind, StateLook, Turn, judge
from .listing.known import companion_of
from .models import VERIFYING, EndUser, Institution, Link


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An operation or repair request in progress on a link. It takes precedence over what we know of the link."""

    state: StateBadge
    since: datetime
    turn: Turn
    advice: str
    needs_code: bool = False
    keeps_steps: bool = False  # staff can do what they could before


@dataclass(frozen=True, slots=True)
class Standing:
    """How a link is doing, the same on every page: status, reason, since when, waiting on whom, next step.

    `group` is the one it's counted in, whatever is in progress. None while its repair is verified.
    """

    group: Group | None
    state: StateBadge
    since: datetime
    turn: Turn
    advice: str
    remedy: Remedy
    is_under_way: bool = False


AskUnderWay = Callable[[Collection[UUID]], Mapping[UUID, UnderWay]]
UNDER_WAY: list[AskUnderWay] = []  # filled by packages that make calls
AskAction = Callable[[Link, UnderWay | None, frozenset[Right]], tuple[str, str] | None]
ACTIONS: list[AskAction] = []  # likewise


def badge_of(state: HealthState, reason: str = "") -> StateBadge:
    return _badge(STATES[state], reason)


def badge(link: Link) -> StateBadge:
    facts = link.cause, link.is_verifying, link.repair_kind, link.conflict, link.integration.keys_rejected
    return _badge_by(*facts, get_language())


@lru_cache(maxsize=1000)
def _badge_by(
    cause: str, is_verifying: bool, kind: RepairKind, conflict: bool, keys_rejected: bool, _language: str | None
) -> StateBadge:
    judged = judge(Cause(cause), is_verifying=is_verifying, kind=kind)
    mark = _("Provider reports conflicting status") if conflict and judged.group is not None else ""
    shown = replace(_badge(judged.look, str(judged.reason)), mark=mark)
    return without_green(shown) if keys_rejected else shown


def without_green(badge: StateBadge) -> StateBadge:
    # A good status that can't be checked now is only the last one known.
    return replace(badge, tone="quiet") if badge.tone == "ok" else badge


def under_way_on(links: Collection[UUID]) -> dict[UUID, UnderWay]:
    found: dict[UUID, UnderWay] = {}
    for ask in UNDER_WAY:
        found |= ask(links)
    return found


def standings(links: Sequence[Link]) -> dict[UUID, Standing]:
    under_way = under_way_on([link.pk for link in links])
    return {link.pk: standing_with(link, under_way.get(link.pk)) for link in links}


def standing_of(link: Link) -> Standing:
    return standings([link])[link.pk]


def glance(link: Link, under_way: UnderWay | None) -> tuple[StateBadge, datetime]:
    """A link's status and since when: what a row of a table shows of its standing."""
    return (under_way.state, under_way.since) if under_way else (badge(link), _since(link))


def action_on(link: Link, under_way: UnderWay | None, rights: frozenset[Right]) -> tuple[str, str]:
    """Label and URL of what a reader with these rights can do next about a link; empty if there's nothing."""
    return next(filter(None, (ask(link, under_way, rights) for ask in ACTIONS)), ("", ""))


def title_of(customer: EndUser, place: Institution | Integration, *, see_names: bool) -> str:
    return f"{isolated(customer.called(see_names=see_names))} · {isolated(str(place))}"


def shown_states() -> dict[str, StateBadge]:
    return _shown_states(get_language())


@cache
def _shown_states(_language: str | None) -> dict[str, StateBadge]:
    return {**{state.value: badge_of(state) for state in HealthState}, VERIFYING: _badge(VERIFYING_LOOK)}


def _badge(look: StateLook, reason: str = "") -> StateBadge:
    return StateBadge(look.tone, look.icon, str(look.label), reason)


def standing_with(link: Link, under_way: UnderWay | None) -> Standing:
    kind = RepairKind.PAGE if companion_of(link.integration) else link.repair_kind
    judged = judge(Cause(link.cause), is_verifying=link.is_verifying, kind=kind)
    if under_way:
        return Standing(
            group=judged.group,
            state=under_way.state,
            since=under_way.since,
            turn=under_way.turn,
            advice=under_way.advice,
            remedy=judged.remedy if under_way.keeps_steps else Remedy.NONE,
            is_under_way=not under_way.keeps_steps,
        )
    return Standing(
        group=judged.group,
        state=badge(link),
        since=_since(link),
        turn=judged.turn,
        advice=_advice(link, str(judged.advice)),
        remedy=Remedy.TELL_PROVIDER if link.waits_too_long else judged.remedy,
    )


def _since(link: Link) -> datetime:
    if link.is_verifying:
        return link.verifying_since or link.health_since
    too_late = link.cause == Cause.CODE_TOO_LATE.value
    return link.refused_at if too_late and link.refused_at else link.health_since


def _advice(link: Link, advice: str) -> str:
    if link.is_verifying:
        return watch.ongoing(advice)
    if not link.waits_too_long:
        return advice
    write = _("This has lasted over 2 days. Contact provider support with the request ID.")
    return f"{advice} {write}"


def select_all(links: int | None) -> str:
    """Label of what selects all results. None if they aren't counted."""
    if links is None:
        return _("Select all results")
    return ngettext("Select the only result", "Select all %(count)d results", links) % {"count": links}
