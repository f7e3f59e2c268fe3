"""Approval requests: the pending ones, and what a second person decides."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from linkadmin.accounts.models import ApprovalRequest, ApprovalState
from linkadmin.accounts.staff import approvals
from linkadmin.paging import Keyset
from linkadmin.web.pages import go, reader


@require_safe
def staff_approvals(request: HttpRequest) -> HttpResponse:
    page = Keyset("asked_at", "id").page(approvals.pending(), request.GET)
    return render(request, "staff/approvals.html", {"rows": page.rows, "page": page})


@require_POST
def staff_approval(request: HttpRequest, pk: UUID) -> HttpResponse:
    asked = get_object_or_404(ApprovalRequest, pk=pk)
    decision = request.POST.get("decision", "")
    if decision not in (ApprovalState.APPROVED, ApprovalState.REJECTED, ApprovalState.CANCELED):
        raise BadRequest("there is no such decision")
    try:
        approvals.decide(pk, ApprovalState(decision), by=reader(request))
    except approvals.NotPending:
        messages.warning(request, _("This request was decided or has expired."))
    else:
        done = {"approved": _("Request approved."), "rejected": _("Request rejected.")}
        messages.success(request, done.get(decision, _("Request canceled.")))
    return go(request, reverse("staff-detail", args=[asked.person_id]))
