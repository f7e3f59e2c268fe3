"""Pages of our account at a provider: webhook subscriptions, and regenerating all reports."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from linkadmin.accounts.roles import Right, may
from linkadmin.audit.actions import ObjectType
from linkadmin.integrations.models import Integration
from linkadmin.operations.changes.account import YES
from linkadmin.operations.forms.fields import OnceForm
from linkadmin.operations.models import FAILED_STATES, OperationKind
from linkadmin.operations.presentation.explanations import explain
from linkadmin.operations.refusals import Refusal
from linkadmin.operations.services import change_account
from linkadmin.operations.views.sending import outcome_of, page_of
from linkadmin.providers.records import RemoteWebhook
from linkadmin.providers.types import Capability
from linkadmin.sync.forms import TypedForm, WebhookForm, WebhookSwitchForm
from linkadmin.sync.live_queries import Question
from linkadmin.sync.records import RecordRow
from linkadmin.web.pages import draw, go, no_compression, reader

from .at_provider import change, integration_that_can, look, settled


@no_compression
@require_http_methods(["GET", "HEAD", "POST"])
def integration_webhooks(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = integration_that_can(pk, Capability.WEBHOOKS)
    may_change = may(request.user, Right.MANAGE_INTEGRATIONS)
    seen = look(request, _listed(request, integration), lambda provider: provider.list_webhooks())
    rows = [RecordRow(each, switch=_switch(integration, each)) for each in seen.found or ()]
    context = {"integration": integration, "look": seen, "rows": rows, "may_change": may_change}
    return draw(request, "sync/webhooks.html", "records", context)


@no_compression
@require_http_methods(["GET", "HEAD", "POST"])
def integration_webhook_add(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = integration_that_can(pk, Capability.WEBHOOKS)
    question = Question(reader(request), integration, "webhook-topics", ObjectType.INTEGRATION, integration.pk)
    seen = look(request, question, lambda provider: provider.list_webhook_topics())
    if seen.found is None:
        return _add_page(request, integration, {"look": seen})
    if "operation_key" not in request.POST:
        return _add_page(request, integration, {"look": seen, "form": WebhookForm(topics=seen.found)})
    form = WebhookForm(request.POST, topics=seen.found)
    if not form.is_valid():
        return _add_page(request, integration, {"look": seen, "form": form}, status=422)
    try:
        operation = outcome_of(
            change_account(
                actor=reader(request),
                integration=integration,
                kind=OperationKind.ADD_WEBHOOK,
                values={"topic": form.cleaned_data["topic"], "url": form.cleaned_data["url"]},
                operation_key=form.key,
            )
        )
    except Refusal as refusal:
        context = {"look": seen, "form": form.again(), "refusal": refusal}
        return _add_page(request, integration, context, status=refusal.status)
    if operation.state in FAILED_STATES:
        refused = {"refused": operation, "explanation": explain(operation)}
        return _add_page(request, integration, {"look": seen, "form": form.again(), **refused}, status=422)
    done, shown = _("Subscribed. The provider now sends webhooks for this topic."), _listed(request, integration)
    return settled(request, operation, done=done, back=_list_url(integration), shown=shown)


@require_POST
def integration_webhook_switch(request: HttpRequest, pk: UUID, webhook: str) -> HttpResponse:
    integration = integration_that_can(pk, Capability.WEBHOOKS)
    form = WebhookSwitchForm.sent(request.POST)
    typed = form.cleaned_data
    # The provider gets the whole subscription: a pause must not be able to change its URL.
    form.require_listed(integration.pk, webhook, typed["topic"], typed["url"])
    resumed, paused = (
        _("Subscription resumed. Webhooks for this topic will arrive again."),
        _("Subscription paused. Webhooks for this topic won't arrive until you resume it."),
    )
    return change(
        request,
        OperationKind.SWITCH_WEBHOOK,
        form,
        shown=_listed(request, integration),
        done=resumed if typed["enabled"] == YES else paused,
        back=_list_url(integration),
        values={name: typed[name] for name in ("topic", "url", "enabled")},
        target=webhook,
    )


@no_compression
@require_http_methods(["GET", "HEAD", "POST"])
def integration_webhook_remove(request: HttpRequest, pk: UUID, webhook: str) -> HttpResponse:
    integration = integration_that_can(pk, Capability.WEBHOOKS)
    if "operation_key" in request.POST:
        return change(
            request,
            OperationKind.REMOVE_WEBHOOK,
            OnceForm.sent(request.POST),
            shown=_listed(request, integration),
            done=_("Unsubscribed."),
            back=_list_url(integration),
            target=webhook,
        )
    seen = look(request, _listed(request, integration), lambda provider: provider.list_webhooks())
    found = next((each for each in seen.found or () if each.remote_id == webhook), None)
    context = {
        "integration": integration,
        "look": seen,
        "webhook": found,
        "is_gone": seen.found is not None and found is None,
        "form": OnceForm(),
        "back": _list_url(integration),
    }
    return draw(request, "sync/webhook_remove.html", "remove", context)


@require_http_methods(["GET", "HEAD", "POST"])
def integration_reports(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = integration_that_can(pk, Capability.REGENERATE_REPORTS)
    form = TypedForm(request.POST if request.method == "POST" else None, expected=integration.name)
    if not form.is_valid():
        return _reports_page(request, integration, form, status=422 if form.is_bound else 200)
    try:
        operation = change_account(
            actor=reader(request),
            integration=integration,
            kind=OperationKind.REGENERATE_REPORTS,
            values={},
            operation_key=form.key,
        )
    except Refusal as refusal:
        return _reports_page(request, integration, form.again(), status=refusal.status, refusal=refusal)
    return go(request, page_of(outcome_of(operation)))


def _add_page(
    request: HttpRequest, integration: Integration, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    shared = {"integration": integration, "back": _list_url(integration)}
    return draw(request, "sync/webhook_add.html", "add", {**shared, **context}, status=status)


def _switch(integration: Integration, webhook: RemoteWebhook) -> WebhookSwitchForm:
    facts = (integration.pk, webhook.remote_id, webhook.topic, webhook.url)
    return WebhookSwitchForm.listed(*facts, enabled=webhook.enabled, topic=webhook.topic, url=webhook.url)


def _listed(request: HttpRequest, integration: Integration) -> Question:
    return Question(reader(request), integration, "webhooks", ObjectType.INTEGRATION, integration.pk)


def _list_url(integration: Integration) -> str:
    return reverse("integration-webhooks", args=[integration.pk])


def _reports_page(
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
