"""The first page: what has changed, which banks and customers are in trouble, and what ends soon."""

from collections import Counter
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links import counts
from linkadmin.links.listing import counted
from linkadmin.links.listing.filters import ESCALATE, MINE
from linkadmin.links.listing.known import environment_of
from linkadmin.links.queries import standing
from linkadmin.links.state_counts import state_counts
from linkadmin.staff_limits.usage import reached_by
from linkadmin.web.pages import reader

from . import banks
from .chart import draw_chart
from .consents import draw_consents
from .headline import changed_most, headline, main_cause, main_place, own_headline
from .repairs import REPAIRS_OF_THE_WEEK
from .trend import read_trend
from .troubled import draw_troubled


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    user, chosen = reader(request), request.GET.get("assigned", "")
    if chosen not in ("", MINE):
        raise BadRequest("a filter has a value it does not offer")
    may_view, see_names = may(user, Right.VIEW_LINKS), may(user, Right.SEE_NAMES)
    sees_all, environment = may(user, Right.VIEW_ALL_CUSTOMERS), environment_of(user)
    is_mine = may_view and (chosen == MINE or not sees_all)
    context = {
        "over_limit": reached_by() if may(user, Right.LIFT_LIMIT) else [],
        "is_mine": is_mine,
        "may_view_links": may_view,
        "may_view_all": sees_all,
        **_now(user, environment, is_mine=is_mine, may_view_links=sees_all),
        "waiting_long": banks.WAITING_LONG.get(environment),
        "waiting_long_url": f"{reverse('link-list')}?state={ESCALATE}" if sees_all else "",
        "troubled": draw_troubled(user, environment, is_mine=is_mine, see_names=see_names) if may_view else "",
        "repairs": REPAIRS_OF_THE_WEEK.get(environment),
        "consents": draw_consents(user, environment, is_mine=is_mine, may_view_links=may_view),
    }
    return render(request, "reports/overview.html", context)


def _now(user: User, environment: str, *, is_mine: bool, may_view_links: bool) -> dict[str, Any]:
    """The headline, what is below it, and incidents."""
    waited_on = banks.most_waited_on(environment)
    if is_mine:
        by_bank, named = counts.by_institution(waited_on), banks.banks(waited_on)
        shown = _mine(counted.own(user, environment))
    else:
        trend = read_trend(environment)
        group = changed_most(trend)
        place = main_place(group, waited_on, environment)
        wanted = [*dict.fromkeys([*waited_on, *([place.pk] if place else [])])]
        by_bank, named = counts.by_institution(wanted), banks.banks(wanted)
        cause = place and named.get(place.pk)
        shown = {
            "headline": headline(trend, group, may_view_links=may_view_links),
            "active": trend.active(),
            "cause": main_cause(group, place, cause, by_bank[place.pk], may_view_links=may_view_links)
            if place and cause
            else None,
            "chart": draw_chart(trend, may_view_links=may_view_links) if trend.active() else None,
        }
    return {**shown, "incidents": banks.draw_incidents(waited_on, named, by_bank, may_view_links=may_view_links)}


def _mine(by_state: Counter[str]) -> dict[str, Any]:
    return {
        "headline": own_headline(by_state),
        "active": standing(by_state).total(),
        "states": state_counts(by_state, url=f"{reverse('link-list')}?assigned={MINE}&state="),
    }
