"""Sweeps of an integration: begun, watched and stopped."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.links.glance import Glance, time_of
from linkadmin.links.live import NOTHING_AWAITED, Pulse, answer, seconds_between, version_of
from linkadmin.links.models import Integration
from linkadmin.operations.refusals import Refusal
from linkadmin.pages import go, reader
from linkadmin.paging import Keyset
from linkadmin.sync import sweeps
from linkadmin.sync.models import Sweep, SweepState
from linkadmin.sync.sweeps import presentation

SHOWN = ("state", "began_at", "lease_until", "due_at", "seen", "note")
NEWEST_FIRST = Keyset("began_at", "id", newest_first=True)
_SWEEP = Glance(lambda pk: Sweep.objects.filter(pk=pk).values_list(*SHOWN))


@require_http_methods(["GET", "HEAD", "POST"])
def integration_sweeps(request: HttpRequest, pk: UUID) -> HttpResponse:
    """List an integration's sweeps, the newest first; by POST, begin one."""
    integration = get_object_or_404(Integration, pk=pk)
    if not sweeps.can_sweep(integration):
        raise Http404
    if request.method == "POST":
        return _begin(request, integration)
    page = NEWEST_FIRST.page(integration.sweeps.select_related("asked_by", "stopped_by"), request.GET)
    context = {
        "integration": integration,
        "page": page,
        "rows": [presentation.row(each) for each in page.rows],
        "running": sweeps.running(integration),
        "may_begin": integration.is_active and may(request.user, Right.MANAGE_INTEGRATIONS),
    }
    return render(request, "sync/sweeps.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def sweep_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one sweep, with its progress while it runs; by POST, stop it."""
    sweep = get_object_or_404(Sweep.objects.select_related("integration", "asked_by", "stopped_by"), pk=pk)
    if request.method == "POST":
        return _stop(request, sweep)
    context = {
        "sweep": sweep,
        "pulse": _pulse(sweep),
        "integration": sweep.integration,
        "row": presentation.row(sweep),
        "progress": presentation.progress(sweep) if sweep.is_running else None,
        "remarks": presentation.remarks(sweep),
        "left_out": sweep.left_out.order_by("pk"),
        "may_stop": sweep.is_running and may(request.user, Right.MANAGE_INTEGRATIONS),
    }
    return render(request, "sync/sweep.html", context)


@require_safe
def sweep_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Answer the poll of a sweep's page."""
    look = _look(pk)
    if look is None:
        raise Http404
    return answer(request, *look)


def _pulse(sweep: Sweep) -> Pulse:
    return Pulse(reverse("sweep-live", args=[sweep.pk]), *(_look(sweep.pk) or ("",)))


def _look(pk: UUID) -> tuple[str, int] | None:
    """Return the version of a sweep, on which who works says so again and again, and how often its page asks for it."""
    row = _SWEEP.row(pk)
    if row is None:
        return None
    seconds = seconds_between(time_of(row[1])) if row[0] == SweepState.RUNNING else NOTHING_AWAITED
    return version_of(*row), seconds


def _begin(request: HttpRequest, integration: Integration) -> HttpResponse:
    try:
        sweep = sweeps.begin(integration, asked_by=reader(request))
    except Refusal as refusal:
        messages.error(request, str(refusal.words))
        return go(request, request.path)
    return go(request, sweep.get_absolute_url())


def _stop(request: HttpRequest, sweep: Sweep) -> HttpResponse:
    if sweeps.stop(sweep, by=reader(request)):
        messages.success(request, _("The sweep is stopped. What it read stays."))
    else:
        messages.info(request, _("The sweep was over already."))
    return go(request, sweep.get_absolute_url())
