"""The Activity page: who changed what at which provider."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET, require_safe

from linkadmin import exports
from linkadmin.accounts.roles import Right, may
from linkadmin.exports import Export
from linkadmin.links.presentation import pills
from linkadmin.operations.activity import ActivityFilter, visible_to
from linkadmin.operations.presentation.activity_rows import EXPORTED, cells, rows
from linkadmin.web.pages import draw, reader


@require_safe
def operation_list(request: HttpRequest) -> HttpResponse:
    chosen = _chosen(request)
    page = chosen.listing().page(request.GET)
    context = {
        "filter": chosen,
        "pills": pills(request.GET, chosen.form),
        "rows": rows(page.rows, see_names=may(request.user, Right.SEE_NAMES)),
        "page": page,
        "is_filtered": any(chosen.form.cleaned_data.values()),
    }
    return draw(request, "operations/activity.html", "results", context)


@require_GET
def operation_list_export(request: HttpRequest) -> HttpResponseBase:
    chosen, see_names = _chosen(request), may(request.user, Right.SEE_NAMES)
    lines = exports.of_few(chosen.listing(), EXPORTED, lambda some: cells(some, see_names=see_names))
    return exports.download(request, Export("activity", *lines, filters=exports.filters_of(chosen.form)))


def _chosen(request: HttpRequest) -> ActivityFilter:
    chosen = ActivityFilter(request.GET, queryset=visible_to(reader(request)))
    if not chosen.form.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    return chosen
