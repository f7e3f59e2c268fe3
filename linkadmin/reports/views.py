"""The first page: links by who they're waiting on, longest unresolved, and banks failing for several customers."""

from collections import Counter

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.links import counts
from linkadmin.links.group_counts import group_tiles
from linkadmin.links.models import Link, UnrecognizedValue
from linkadmin.links.presentation import rows
from linkadmin.links.queries import ESCALATE, standing
from linkadmin.web.pages import reader

from . import report
from .trend import trend_chart


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    live = Link.objects.filter(disconnected_at=None)
    counted = counts.by_integration()
    by_state = sum(counted.values(), Counter())
    may_view = may(reader(request), Right.VIEW_LINKS)
    see_names = may(reader(request), Right.SEE_NAMES)
    context = {
        "total": standing(by_state).total(),
        "tiles": group_tiles(by_state, current=""),
        "states": report.state_shares(by_state),
        "integrations": report.by_integration(counted),
        "incidents": report.incidents(),
        "waiting_long": report.waiting_long(),
        "waiting_long_url": f"{reverse('link-list')}?state={ESCALATE}",
        "trend": trend_chart(),
        "oldest": rows(report.oldest_unrepaired(live), see_names=see_names) if may_view else [],
        "mine": rows(report.portfolio_of(reader(request), live), see_names=see_names) if may_view else [],
        "unknown_words": UnrecognizedValue.objects.count(),
        "may_view_links": may_view,
    }
    return render(request, "reports/overview.html", context)
