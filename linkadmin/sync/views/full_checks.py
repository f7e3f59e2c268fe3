"""Pages of full checks: start, watch, stop."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from linkadmin import exports
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.actions import ObjectType
from linkadmin.compiled_query import CompiledQuery, time_of
from linkadmin.exports import Export
from linkadmin.integrations.models import Integration
from linkadmin.links.views.live import NOTHING_AWAITED, PageVersion, answer, seconds_between, version_of
from linkadmin.operations.refusals import Refusal
from linkadmin.paging import Keyset, Listing
from linkadmin.sync import full_checks
from linkadmin.sync.full_checks import duration, presentation
from linkadmin.sync.models import FullCheck, FullCheckState
from linkadmin.web.pages import go, reader

SHOWN = ("state", "started_at", "lease_until", "due_at", "seen", "note")
NEWEST_FIRST = Keyset("started_at", "id", newest_first=True)
_FULL_CHECK = CompiledQuery(lambda pk: FullCheck.objects.filter(pk=pk).values_list(*SHOWN))


@require_http_methods(["GET", "HEAD", "POST"])
def integration_full_checks(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = get_object_or_404(Integration, pk=pk)
    if not full_checks.can_full_check(integration):
        raise Http404
    if request.method == "POST":
        return _begin(request, integration)
    page = _listing(integration).page(request.GET)
    context = {
        "integration": integration,
        "page": page,
        "rows": presentation.rows(page.rows),
        "running": full_checks.running(integration),
        "takes": duration.explain(integration),
        "may_begin": integration.is_active and may(request.user, Right.MANAGE_INTEGRATIONS),
    }
    return render(request, "sync/full_checks.html", context)


@require_GET
def integration_full_checks_export(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    integration = get_object_or_404(Integration, pk=pk)
    lines = exports.of_few(_listing(integration), presentation.EXPORTED, presentation.cells)
    export = Export("full-checks", *lines, about=(ObjectType.INTEGRATION, integration.pk))
    return exports.download(request, export)


@require_http_methods(["GET", "HEAD", "POST"])
def full_check_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    full_check = get_object_or_404(FullCheck.objects.select_related("integration", "started_by", "stopped_by"), pk=pk)
    if request.method == "POST":
        return _stop(request, full_check)
    context = {
        "full_check": full_check,
        "page_version": _page_version(full_check),
        "integration": full_check.integration,
        "row": presentation.row(full_check),
        "progress": presentation.progress(full_check) if full_check.is_running else None,
        "remarks": presentation.remarks(full_check),
        "left_out": full_check.left_out.order_by("pk"),
        "may_stop": full_check.is_running and may(request.user, Right.MANAGE_INTEGRATIONS),
    }
    return render(request, "sync/full_check.html", context)


@require_safe
def full_check_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    look = _look(pk)
    if look is None:
        raise Http404
    return answer(request, *look)


def _listing(integration: Integration) -> Listing[FullCheck]:
    return Listing(integration.full_checks.select_related("started_by", "stopped_by"), NEWEST_FIRST)


def _page_version(full_check: FullCheck) -> PageVersion:
    return PageVersion(reverse("full-check-live", args=[full_check.pk]), *(_look(full_check.pk) or ("",)))


def _look(pk: UUID) -> tuple[str, int] | None:
    """Return a full check's version, which its worker renews, and how many seconds to wait between polls."""
    row = _FULL_CHECK.row(pk)
    if row is None:
        return None
    seconds = seconds_between(time_of(row[1])) if row[0] == FullCheckState.RUNNING else NOTHING_AWAITED
    return version_of(*row), seconds


def _begin(request: HttpRequest, integration: Integration) -> HttpResponse:
    try:
        full_check = full_checks.start(integration, started_by=reader(request))
    except Refusal as refusal:
        messages.error(request, str(refusal.words))
        return go(request, request.path)
    return go(request, full_check.get_absolute_url())


def _stop(request: HttpRequest, full_check: FullCheck) -> HttpResponse:
    if full_checks.stop(full_check, by=reader(request)):
        messages.success(request, _("Full check stopped. Links it has already checked stay updated."))
    else:
        messages.info(request, _("The full check had already finished."))
    return go(request, full_check.get_absolute_url())
