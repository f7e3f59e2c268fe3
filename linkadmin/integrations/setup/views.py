"""Pages where administrators add an integration and edit one. Never shows a key."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from linkadmin.ids import as_uuid
from linkadmin.integrations.models import Integration
from linkadmin.providers import COMPANIONS, PROVIDERS, provider_class
from linkadmin.web.pages import go, reader

from .forms import IntegrationForm
from .services import store

TEMPLATE = "integrations/integration_form.html"


@sensitive_post_parameters()
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def integration_new(request: HttpRequest) -> HttpResponse:
    provider = request.GET.get("provider", "")
    if provider in COMPANIONS:
        new = _companion(provider, as_uuid(request.GET.get("of", "")))
    elif provider in PROVIDERS:
        new = Integration(provider=provider, environment="")
    else:
        providers = [(kind, Integration(provider=kind).provider_name) for kind in PROVIDERS]
        return render(request, TEMPLATE, {"lead": _("Choose a provider"), "providers": providers})
    typed = request.POST if request.method == "POST" else None
    form = IntegrationForm(typed, instance=new)
    if form.is_valid():
        return _store(request, form, _("Integration added. Test the connection now."))
    return _page(request, form)


def _companion(provider: str, helped: UUID | None) -> Integration:
    of = get_object_or_404(Integration, pk=helped, provider=provider_class(provider).companion_of, companion=None)
    name = f"{of.name} · {provider_class(provider).label}"
    return Integration(provider=provider, companion_of=of, environment=of.environment, name=name[:80])


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def integration_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    if request.method == "POST":
        return _edit(request, pk)
    integration = get_object_or_404(Integration, pk=pk)
    return _page(request, IntegrationForm(instance=integration), name=integration.name)


@sensitive_variables("form")
@transaction.atomic
def _edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = get_object_or_404(Integration.objects.select_for_update(no_key=True), pk=pk)
    name = integration.name
    form = IntegrationForm(request.POST, instance=integration)
    if form.is_valid():
        replaced = _("Keys replaced. Test the connection now.") if form.new_keys() else ""
        return _store(request, form, replaced or _("Integration saved."))
    return _page(request, form, name=name)


@sensitive_variables("form")
def _store(request: HttpRequest, form: IntegrationForm, words: str) -> HttpResponse:
    integration: Integration = form.instance
    if form.has_changed():
        integration.options = form.options()
        store(integration, keys=form.new_keys(), changed=form.changed_data, by=reader(request))
        messages.success(request, words)
    return go(request, integration.get_absolute_url())


@sensitive_variables("form")
def _page(request: HttpRequest, form: IntegrationForm, *, name: str = "") -> HttpResponse:
    """`name`: as it's stored; empty for a new integration."""
    status = 200 if not form.is_bound else 409 if form.is_stale else 422
    integration: Integration = form.instance
    back = integration.get_absolute_url() if name else reverse("integration-list")
    context = {"lead": name or integration.provider_name, "name": name, "form": form, "back": back}
    return render(request, TEMPLATE, context, status=status)
