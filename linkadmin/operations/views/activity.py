"""The Activity page: who changed what at which provider."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from linkadmin import exports
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.models import AuditEvent
from linkadmin.exports import Export
from linkadmin.operations.activity import ORDERS, ActivityFilter, visible_to
from linkadmin.operations.presentation import denied_acts
from linkadmin.operations.presentation.activity_rows import EXPORTED, cells, draw_rows, heads, rows
from linkadmin.paging import Listing, Page
from linkadmin.web.filter_menus import draw_menus, menus_of
from linkadmin.web.pages import draw, reader
from linkadmin.web.sorting import Sorting


@require_safe
def operation_list(request: HttpRequest) -> HttpResponse:
    (chosen, sorting), see_names = _chosen(request), may(request.user, Right.SEE_NAMES)
    if chosen.is_of_denied:
        page: Page[Any] = _denied(request, chosen, sorting).page(request.GET)
        shown = draw_rows(denied_acts.rows(page.rows, reader=reader(request)))
    else:
        page = chosen.listing(sorting.keyset, reader(request)).page(request.GET)
        shown = draw_rows(rows(page.rows, see_names=see_names))
    menus = [*menus_of(chosen.form, request.GET, sorting.list_url), sorting.menu()]
    context = {
        "filters": draw_menus(menus, list_url=sorting.list_url),
        "heads": sorting.heads(heads()),
        "rows": shown,
        "page": page,
        "shown_environment": chosen.environment,
        "is_filtered": any(chosen.form.cleaned_data.values()),
    }
    return draw(request, "operations/activity.html", "results", context)


@require_GET
def operation_list_export(request: HttpRequest) -> HttpResponseBase:
    (chosen, sorting), see_names = _chosen(request), may(request.user, Right.SEE_NAMES)
    if chosen.is_of_denied:
        denied = _denied(request, chosen, sorting)
        lines = exports.of_few(denied, EXPORTED, lambda some: denied_acts.cells(some, reader=reader(request)))
    else:
        listing = chosen.listing(sorting.keyset, reader(request))
        lines = exports.of_few(listing, EXPORTED, lambda some: cells(some, see_names=see_names))
    filters = exports.filters_of(chosen.form) + sorting.fields()
    return exports.download(request, Export("activity", *lines, chosen.environment, filters=filters))


def _denied(request: HttpRequest, chosen: ActivityFilter, sorting: Sorting) -> Listing[AuditEvent]:
    return denied_acts.listing(reader(request), chosen.of_events, newest_first=not sorting.is_reversed)


def _chosen(request: HttpRequest) -> tuple[ActivityFilter, Sorting]:
    chosen = ActivityFilter(request.GET, visible_to(reader(request)), reader=reader(request))
    if not chosen.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    return chosen, Sorting.read(ORDERS, request.GET, reverse("operation-list"))
