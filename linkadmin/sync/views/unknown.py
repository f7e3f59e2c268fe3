"""Page of provider values that we don't recognize, with how often and where they were seen."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.links import unrecognized_values
from linkadmin.links.models import UnrecognizedValue
from linkadmin.paging import Keyset
from linkadmin.providers import PROVIDERS, provider_class
from linkadmin.timestamps import exact_words

LATEST_FIRST = Keyset("last_at", "id", newest_first=True, size=200)


@require_safe
def unknown_values(request: HttpRequest) -> HttpResponse:
    counted = unrecognized_values.counted()
    page = LATEST_FIRST.page(UnrecognizedValue.objects.all(), request.GET)
    context = {
        "rows": [_row(each, counted.get((each.provider, each.place, each.value), 0)) for each in page.rows],
        "pager": page,
        "may_view_links": may(request.user, Right.VIEW_LINKS),
    }
    return render(request, "sync/unknown_values.html", context)


def _row(known: UnrecognizedValue, showing: int) -> dict[str, Any]:
    provider = provider_class(known.provider).label if known.provider in PROVIDERS else known.provider
    place, last = known.get_place_display(), exact_words(known.last_at)
    report = f"{provider} · {place}: {known.value} ({known.seen}×, {last})"
    return {"known": known, "provider": provider, "showing": showing, "report": report}
