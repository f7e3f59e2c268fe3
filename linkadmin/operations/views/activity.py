"""The Activity page: who changed what at which provider."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from linkadmin import exports
from linkadmin.accounts.roles import Right, may
from linkadmin.exports import Export
from linkadmin.operations.activity import ORDERS, ActivityFilter, visible_to
from linkadmin.operations.presentation.activity_rows import EXPORTED, cells, heads, rows
from linkadmin.web.filter_menus import draw_menus, menus_of
from linkadmin.web.pages import draw, reader
from linkadmin.web.sorting import Sorting


@require_safe
def operation_list(request: HttpRequest) -> HttpResponse:
    chosen, sorting = _chosen(request)
    page = chosen.listing(sorting.keyset).page(request.GET)
    menus = [*menus_of(chosen.form, request.GET, sorting.list_url), sorting.menu()]
    context = {
        "filters": draw_menus(menus, list_url=sorting.list_url),
        "heads": sorting.heads(heads()),
        "rows": rows(page.rows, see_names=may(request.user, Right.SEE_NAMES)),
        "page": page,
        "is_filtered": any(chosen.form.cleaned_data.values()),
    }
    return draw(request, "operations/activity.html", "results", context)


@require_GET
def operation_list_export(request: HttpRequest) -> HttpResponseBase:
    (chosen, sorting), see_names = _chosen(request), may(request.user, Right.SEE_NAMES)
    lines = exports.of_few(chosen.listing(sorting.keyset), EXPORTED, lambda some: cells(some, see_names=see_names))
    filters = exports.filters_of(chosen.form) + sorting.fields()
    return exports.download(request, Export("activity", *lines, filters=filters))


def _chosen(request: HttpRequest) -> tuple[ActivityFilter, Sorting]:
    chosen = ActivityFilter(request.GET, queryset=visible_to(reader(request)))
    if not chosen.form.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    return chosen, Sorting.read(ORDERS, request.GET, reverse("operation-list"))
