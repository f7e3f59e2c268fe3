"""The whole timeline of a link, from its first day on: page by page, by kinds, in the reader's zone or in UTC."""

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations import timeline
from linkadmin.paging import without_place
from linkadmin.web.pages import draw, reader


@never_cache
@require_safe
def link_history(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a page of everything that happened to a link. Looking at it is an event."""
    link, query = link_for(request, pk), request.GET
    try:
        kinds = timeline.kinds_of(query)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    see_names = may(reader(request), Right.SEE_NAMES)
    seen(request, link, link.end_user, page="history")
    with _clock(query):
        context = {
            "link": link,
            "page": timeline.page_of(link, kinds, query, see_names=see_names),
            "pills": timeline.kind_pills(query, kinds),
            "all_kinds_url": timeline.every_kind(query),
            "is_filtered": bool(kinds),
            "oldest_first": query.get("order") == timeline.OLDEST_FIRST,
            "order_url": timeline.switched(without_place(query), "order", timeline.OLDEST_FIRST),
            "in_utc": _wants_utc(query),
            "utc_url": timeline.switched(query, "utc", "1"),
            "zone": timezone.get_current_timezone_name(),
        }
        return draw(request, "operations/history.html", "results", context)


def _clock(query: QueryDict) -> AbstractContextManager[object]:
    """Cut days and show times in UTC if that is asked for, else in the reader's zone."""
    return timezone.override(UTC) if _wants_utc(query) else nullcontext()


def _wants_utc(query: QueryDict) -> bool:
    return query.get("utc") == "1"
