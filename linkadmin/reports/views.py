"""The first page: links by who they're waiting on, longest unresolved, and banks failing for several customers."""

from collections import Counter

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.links import counts
from linkadmin.links.group_counts import group_tiles
from linkadmin.links.listing.filters import ESCALATE
from linkadmin.links.listing.table_heads import heads
from linkadmin.links.queries import standing
from linkadmin.links.state_counts import state_counts
from linkadmin.web.pages import reader

from . import report
from .trend import trend_chart


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    counted = counts.by_integration()
    by_state = sum(counted.values(), Counter())
    may_view = may(reader(request), Right.VIEW_LINKS)
    oldest, mine = report.tables(reader(request)) if may_view else ("", "")
    url = reverse("link-list") if may_view else ""
    context = {
        "total": standing(by_state).total(),
        "tiles": group_tiles(by_state, may_view_links=may_view),
        "states": state_counts(by_state, url=url and f"{url}?state="),
        "integrations": report.by_integration(counted, may_view_links=may_view),
        "incidents": report.incidents(may_view_links=may_view),
        "waiting_long": report.waiting_long(),
        "waiting_long_url": url and f"{url}?state={ESCALATE}",
        "trend": trend_chart(),
        "heads": heads(),
        "oldest": oldest,
        "mine": mine,
        "unknown_words": report.unrecognized_values(),
        "may_view_links": may_view,
    }
    return render(request, "reports/overview.html", context)
