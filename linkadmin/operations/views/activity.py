"""The Activity page: who changed what at which provider."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.links.presentation import pills
from linkadmin.operations.activity import ActivityFilter, visible_to
from linkadmin.operations.presentation.activity_rows import rows
from linkadmin.web.pages import draw, reader


@require_safe
def operation_list(request: HttpRequest) -> HttpResponse:
    chosen = ActivityFilter(request.GET, queryset=visible_to(reader(request)))
    if not chosen.form.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    page = chosen.page(request.GET)
    context = {
        "filter": chosen,
        "pills": pills(request.GET, chosen.form),
        "rows": rows(page.rows, see_names=may(request.user, Right.SEE_NAMES)),
        "page": page,
        "is_filtered": any(chosen.form.cleaned_data.values()),
    }
    return draw(request, "operations/activity.html", "results", context)
