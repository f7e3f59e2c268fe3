"""New link: choose an integration, then a bank if the provider needs one, then fill in its fields."""

import uuid
from functools import partial
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from linkadmin.ids import as_uuid
from linkadmin.integrations.models import Integration
from linkadmin.links import institutions
from linkadmin.links.models import EndUser, Institution
from linkadmin.links.presentation import standing_of
from linkadmin.operations import refusals, services
from linkadmin.operations.budget import budget_of, latest_rejection
from linkadmin.operations.forms.provider import NewLinkForm
from linkadmin.operations.models import Operation, OperationKind
from linkadmin.operations.presentation.buttons import ways_on
from linkadmin.operations.presentation.steps import FORM, steps_at
from linkadmin.providers.names import clean_name, folded
from linkadmin.web.pages import draw, reader, wants_part

from .sending import reopens, send, typed_again, why_paused

TEMPLATE = "operations/new_link.html"
MAX_MATCHES = 20


@never_cache
@sensitive_post_parameters()
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def link_new(request: HttpRequest) -> HttpResponse:
    integration = _chosen(request, Integration.objects.filter(is_active=True), "integration")
    if integration is None:
        return _choose_integration(request)
    institution = _chosen(request, integration.institutions.all(), "institution")
    if integration.lists_institutions and institution is None:
        return _choose_institution(request, integration)
    if institution is not None and not institution.is_listed:
        return _not_offered(request, integration, institution)
    asked = integration.provider_class.create_fields(institution)
    if request.method != "POST" or reopens(request):
        initial = _initial_values(request) | typed_again(request)
        form = NewLinkForm(asked=asked, ask_bank=institution is None, initial=initial)
        return _page(request, integration, institution, form)
    form = NewLinkForm(request.POST, asked=asked, ask_bank=institution is None)
    if not form.is_valid():
        return _page(request, integration, institution, form, status=422)
    return _create(request, integration, institution, form)


@require_safe
def institution_search(request: HttpRequest) -> HttpResponse:
    integration = get_object_or_404(Integration, pk=as_uuid(request.GET.get("integration", "")), is_active=True)
    if not wants_part(request):
        return _choose_institution(request, integration)
    return render(request, f"{TEMPLATE}#institutions", _matches(request, integration))


@sensitive_variables("form")
def _create(
    request: HttpRequest, integration: Integration, institution: Institution | None, form: NewLinkForm
) -> HttpResponse:
    bank = institution or _named_bank(integration, form)
    start = partial(
        services.create_link,
        actor=reader(request),
        integration=integration,
        end_user=form.end_user(),
        institution=bank,
        values=form.typed(),
        operation_key=form.key,
        natural_key=form.natural_key(),
        second_link=form.cleaned_data["second_link"],
    )

    def redraw(form: NewLinkForm, *, status: int, **why: Any) -> HttpResponse:
        refusal = why.get("refusal")
        if isinstance(refusal, refusals.DuplicateLink):
            why = _duplicate(refusal)
        elif isinstance(refusal, refusals.BudgetSpent) and bank:  # attempts are counted per bank
            why = _budget(request, latest_rejection(form.end_user(), bank))
        elif "refused" in why:
            why |= _budget(request, why["refused"])
        return _page(request, integration, institution, form, status=status, **why)

    return send(request, form, start, redraw)


def _duplicate(duplicate: refusals.DuplicateLink) -> dict[str, Any]:
    standing = standing_of(duplicate.existing)
    return {"existing": duplicate.existing, "existing_standing": standing, "duplicate": duplicate}


def _budget(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    budget = budget_of(operation)
    return {"budget": budget, "ways": ways_on(operation, budget, user=reader(request))}


def _page(
    request: HttpRequest,
    integration: Integration,
    institution: Institution | None,
    form: NewLinkForm,
    *,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    context |= {"integration": integration, "institution": institution, "form": form}
    context["steps"] = steps_at(FORM, integration, is_new=True, failed="refused" in context)
    context["paused"] = why_paused(integration, OperationKind.CREATE_LINK)
    return draw(request, TEMPLATE, "form", context, status=status)


def _not_offered(request: HttpRequest, integration: Integration, institution: Institution) -> HttpResponse:
    context = {"integration": integration, "choose_bank": True, "unlisted": institution}
    return render(request, TEMPLATE, context | _matches(request, integration), status=409)


def _choose_integration(request: HttpRequest) -> HttpResponse:
    integrations = [each for each in Integration.objects.order_by("name") if each.can_create_link]
    offered = [(each, why_paused(each, OperationKind.CREATE_LINK)) for each in integrations]
    context = {"integrations": offered, "end_user": request.GET.get("end_user", "")}
    return render(request, TEMPLATE, context)


def _choose_institution(request: HttpRequest, integration: Integration) -> HttpResponse:
    return render(request, TEMPLATE, {"integration": integration, "choose_bank": True} | _matches(request, integration))


def _matches(request: HttpRequest, integration: Integration) -> dict[str, Any]:
    words = request.GET.get("bank", "").strip()[:80]
    found = institutions.listed(integration.institutions.all()).order_by("display_name", "name")
    for word in words.split()[:6]:
        found = found.filter(Q(search__contains=folded(word)) | Q(country__iexact=word))
    shown = list(found[: MAX_MATCHES + 1])
    return {
        "integration": integration,
        "bank": words,
        "institutions": [(each, institutions.word(each.kind)) for each in shown[:MAX_MATCHES]],
        "has_more": len(shown) > MAX_MATCHES,
        "end_user": request.GET.get("end_user", ""),
    }


def _initial_values(request: HttpRequest) -> dict[str, Any]:
    initial: dict[str, Any] = {"operation_key": uuid.uuid4()}
    refused = _chosen(request, Operation.objects.filter(actor=reader(request)), "operation")
    if refused is not None and refused.creates_link:
        initial |= refused.parameters | {"end_user_id": refused.end_user.external_id}
    customer = _chosen(request, EndUser.objects.all(), "end_user")
    if customer is not None:
        initial["end_user_id"] = customer.external_id
    return initial


def _named_bank(integration: Integration, form: NewLinkForm) -> Institution | None:
    # For a provider that doesn't report the bank.
    name = clean_name(form.cleaned_data.get("bank_name", ""))
    if not name:
        return None
    return integration.institutions.filter(name=name).first() or Institution(
        integration=integration, name=name, display_name=name
    )


def _chosen(request: HttpRequest, rows: Any, name: str) -> Any:
    """None without an ID in the URL, 404 for an unknown one."""
    text = request.GET.get(name, "")
    return get_object_or_404(rows, pk=as_uuid(text)) if text else None
