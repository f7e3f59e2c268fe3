"""Pages of integrations: keys, API usage and the connection test. Never shows a key."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.compiled_query import CompiledQuery
from linkadmin.providers.errors import Busy, NotSent
from linkadmin.web.pages import draw, go, reader

from . import connections
from .limits import Limits
from .models import Integration
from .usage import usage_of

_BY_NAME = CompiledQuery(lambda: Integration.objects.order_by("name"), types=())


@require_safe
def integration_list(request: HttpRequest) -> HttpResponse:
    context = {
        "integrations": _BY_NAME.instances(),
        "may_add": may(request.user, Right.MANAGE_INTEGRATIONS),
    }
    return render(request, "integrations/integrations.html", context)


@require_safe
def integration_detail(request: HttpRequest, pk: Any) -> HttpResponse:
    try:
        limits = Limits.of(pk)
    except Integration.DoesNotExist:
        raise Http404 from None
    integration = limits.integration
    fields = integration.provider_class.config_fields
    secrets = {secret.name: secret for secret in integration.secrets.all()}
    context = {
        "integration": integration,
        "options": [(_(each.label), integration.options.get(each.name, "")) for each in fields if not each.secret],
        "keys": [
            (_(each.label), secrets.get(each.name))
            for each in fields
            if each.secret and (each.required or each.name in secrets)
        ],
        "companions": [
            (each.kind, each.label, Integration.objects.filter(companion_of=integration, provider=each.kind).first())
            for each in integration.companion_classes
        ],
        "usage": usage_of(limits),
        "may_test": may(request.user, Right.TEST_CONNECTION),
        "may_change": may(request.user, Right.MANAGE_INTEGRATIONS),
    }
    return draw(request, "integrations/integration.html", "connection", context)


@require_POST
def integration_test(request: HttpRequest, pk: Any) -> HttpResponse:
    integration = get_object_or_404(Integration, pk=pk)
    onward = go(request, reverse("integration-detail", args=[integration.pk]))
    try:
        tested = connections.test_connection(integration, actor=reader(request))
    except NotSent:
        why = Limits.of(integration.pk).why_denied("test_connection") or _(
            "Too many requests to this provider are in progress."
        )
        messages.warning(request, _("%(why)s Nothing was sent.") % {"why": why})
        return onward
    except Busy:
        messages.warning(request, _("The provider is rate-limiting us, so the keys weren't tested. Test again later."))
        return onward
    if tested.key_state == Integration.KeyState.VALID:
        messages.success(request, _("The provider accepted the API keys."))
    else:
        messages.error(request, _("The connection test failed: %(why)s") % {"why": tested.test_detail})
    return onward
