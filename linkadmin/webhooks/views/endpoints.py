"""Pages of an integration's webhook endpoint: its URL and its signing secrets."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.integrations.models import Integration
from linkadmin.providers.types import Capability, Secret
from linkadmin.web.pages import go, no_compression, reader
from linkadmin.webhooks import endpoints, presentation, refusals
from linkadmin.webhooks.forms import AfterForm, ConfirmForm, SecretForm
from linkadmin.webhooks.models import LIVE_SECRETS, WebhookEndpoint, WebhookSecret


@no_compression
@require_safe
def integration_endpoint(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _page(request, _integration(pk))


@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_url(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = _integration(pk)
    is_first = request.method == "POST" and not WebhookEndpoint.objects.filter(integration=integration).exists()
    form = ConfirmForm(request.POST or None, expected=integration.name)
    if is_first or form.is_valid():
        endpoints.renew(integration, by=reader(request))
        first, renewed = (
            _("Endpoint URL generated."),
            _("Endpoint URL rotated. Enter the new one in the provider's dashboard now."),
        )
        messages.success(request, first if is_first else renewed)
        return go(request, _url(integration))
    context = {"integration": integration, "form": form, "back": _url(integration)}
    return render(request, "webhooks/address.html", context, status=422 if form.is_bound else 200)


@no_compression
@sensitive_post_parameters()
@sensitive_variables()
@require_POST
def secret_add(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = _integration(pk)
    if not integration.provider_class.webhook_fields:
        raise Http404
    form = SecretForm(request.POST, asked=integration.provider_class.webhook_fields[0])
    if not form.is_valid():
        return _page(request, integration, form=form, status=422)
    if _add(request, integration, form.cleaned_data["secret"], after=form.cleaned_data["after"]):
        messages.success(request, _("Signing secret saved. Webhooks can be signed with it now."))
    return go(request, _url(integration))


@no_compression
@sensitive_variables()
@require_POST
def secret_generate(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = _integration(pk)
    if not integration.provider_class.generates_webhook_secret:
        raise Http404
    made = integration.provider_class.new_webhook_secret()
    if not _add(request, integration, made, after=AfterForm.sent(request.POST)):
        return go(request, _url(integration))
    return _page(request, integration, made=made)


@require_http_methods(["GET", "HEAD", "POST"])
def secret_revoke(request: HttpRequest, pk: UUID, secret: UUID) -> HttpResponse:
    integration = _integration(pk)
    row = get_object_or_404(WebhookSecret, pk=secret, integration=integration, revoked_at=None)
    form = ConfirmForm(request.POST or None, expected=row.fingerprint)
    if form.is_valid():
        endpoints.revoke_secret(row, by=reader(request))
        messages.success(request, _("Signing secret revoked and its value deleted."))
        return go(request, _url(integration))
    context = {
        "integration": integration,
        "form": form,
        "back": _url(integration),
        "use": next(use for use in endpoints.secrets_in_use(integration) if use.row.pk == row.pk),
        "is_last": not integration.webhook_secrets.filter(revoked_at=None).exclude(pk=row.pk).exists(),
    }
    return render(request, "webhooks/revoke.html", context, status=422 if form.is_bound else 200)


def _integration(pk: UUID) -> Integration:
    return get_object_or_404(Integration.objects.that_can(Capability.WEBHOOK_DELIVERIES), pk=pk)


def _url(integration: Integration) -> str:
    return reverse("integration-endpoint", args=[integration.pk])


@sensitive_variables()
def _add(request: HttpRequest, integration: Integration, secret: Secret, *, after: int) -> bool:
    try:
        endpoints.add_secret(integration, secret, by=reader(request), after=after)
    except endpoints.StaleForm:
        problem = _("A signing secret was added since you opened this page. Check the list before you add another.")
    except endpoints.TooManySecrets:
        problem = _("There are already two signing secrets. First, revoke one that isn't in use.")
    else:
        return True
    messages.error(request, problem)
    return False


@sensitive_variables()
def _page(
    request: HttpRequest,
    integration: Integration,
    *,
    form: SecretForm | None = None,
    made: Secret | None = None,
    status: int = 200,
) -> HttpResponse:
    may_change, provider = may(request.user, Right.MANAGE_INTEGRATIONS), integration.provider_class
    endpoint = WebhookEndpoint.objects.filter(integration=integration).select_related("integration").first()
    live, last = endpoints.secrets_in_use(integration), integration.deliveries.order_by("-pk").first()
    after = {"after": endpoints.latest_version(integration)}
    context: dict[str, Any] = {
        "integration": integration,
        "address": request.build_absolute_uri(endpoint.address) if endpoint and may_change else "",
        "endpoint": endpoint,
        "secrets": live,
        "last": last,
        "state": presentation.endpoint_state(endpoint, live or provider.publishes_webhook_keys, last),
        "refused": refusals.last_hour(integration),
        "flood": refusals.ALERT_ABOVE,
        "is_flooded": integration in dict(refusals.flooded(now=timezone.now())),
        "may_change": may_change,
        "may_add": may_change and provider.webhook_fields and len(live) < LIVE_SECRETS,
        "form": form or (provider.webhook_fields and SecretForm(initial=after, asked=provider.webhook_fields[0])),
        "publishes_keys": provider.publishes_webhook_keys,
        "making": AfterForm(initial=after, auto_id=False) if provider.generates_webhook_secret else None,
        "made": made.reveal() if made else "",
    }
    return render(request, "webhooks/endpoint.html", context, status=status)
