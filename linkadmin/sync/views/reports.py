"""All reports of an integration made anew: dear at the provider, so what it reaches is named before."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from linkadmin.integrations.models import Integration
from linkadmin.operations.models import OperationKind
from linkadmin.operations.refusals import Refusal
from linkadmin.operations.services import change_account
from linkadmin.operations.views.sending import outcome_of, page_of
from linkadmin.providers.types import Capability
from linkadmin.sync.forms import TypedForm
from linkadmin.web.pages import go, reader

from .access import integration_that_can


@require_http_methods(["GET", "HEAD", "POST"])
def integration_reports(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Make the reports of all customers of an integration anew, once its name was typed."""
    integration = integration_that_can(pk, Capability.REGENERATE_REPORTS)
    if request.method != "POST":
        return _page(request, integration, TypedForm(expected=integration.name))
    form = TypedForm(request.POST, expected=integration.name)
    if not form.is_valid():
        return _page(request, integration, form, status=422)
    try:
        operation = change_account(
            actor=reader(request),
            integration=integration,
            kind=OperationKind.REGENERATE_REPORTS,
            values={},
            operation_key=form.key,
        )
    except Refusal as refusal:
        return _page(request, integration, form.again(), status=refusal.status, refusal=refusal)
    return go(request, page_of(outcome_of(operation)))


def _page(
    request: HttpRequest, integration: Integration, form: TypedForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    live = integration.links.filter(disconnected_at=None)
    context = more | {
        "integration": integration,
        "form": form,
        "links": live.count(),
        "customers": live.values("end_user").distinct().count(),
    }
    return render(request, "sync/reports.html", context, status=status)
