"""Update credentials: the fields this bank takes, one log-in attempt, and the answer or a panel that waits for it."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from linkadmin.links.models import Link
from linkadmin.links.presentation import standing_of
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations import services
from linkadmin.operations.budget import budget_of
from linkadmin.operations.changes.sign_ins import login_fields
from linkadmin.operations.forms.provider import ProviderForm
from linkadmin.operations.models import Operation, OperationKind
from linkadmin.operations.presentation.offers import ways_on
from linkadmin.operations.presentation.steps import FORM, steps_at
from linkadmin.providers.types import HealthState
from linkadmin.web.pages import draw, go, reader

from .sending import page_of, reopens, send, typed_again, why_paused

TEMPLATE = "operations/credentials.html"


@never_cache
@sensitive_post_parameters()
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def link_credentials(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    asked = login_fields(link.integration, link.institution)
    if request.method != "POST" or reopens(request):
        under_way = Operation.objects.open().with_names().filter(link=link).first()
        if under_way:
            return go(request, page_of(under_way))
        seen(request, link, link.end_user, page="credentials")
        return _page(request, link, ProviderForm(asked=asked, initial=typed_again(request) or _typed_before(link)))
    form = ProviderForm(request.POST, asked=asked)
    if not form.is_valid():
        return _page(request, link, form, status=422)
    start = partial(
        services.update_credentials, actor=reader(request), link=link, values=form.typed(), operation_key=form.key
    )
    return send(request, form, start, partial(_page, request, link), link=link)


def _page(request: HttpRequest, link: Link, form: ProviderForm, *, status: int = 200, **context: Any) -> HttpResponse:
    budget = budget_of(link)
    context |= {"link": link, "standing": standing_of(link), "form": form, "budget": budget}
    context["ways"] = ways_on(link, budget, user=reader(request))
    # Another try before the customer was at the bank would be refused as well.
    context["is_at_bank"] = link.health == HealthState.CUSTOMER_BANK.value and not link.is_verifying
    context["steps"] = steps_at(FORM, link.integration, is_new=False, failed="refused" in context)
    # No form is left for a link that the provider does not know any more, or that can't be repaired.
    context["is_over"] = HealthState(link.health) is HealthState.DISCONNECTED
    context["paused"] = why_paused(link.integration, OperationKind.UPDATE_CREDENTIALS)
    return draw(request, TEMPLATE, "form", context, status=status)


def _typed_before(link: Link) -> dict[str, Any]:
    """Return what was typed and is not secret, if the last try came to nothing."""
    last = Operation.objects.latest_of(link)
    if last is None or last.is_done or not last.logs_in or last.begins_link or last.gives_code:
        return {}
    return dict(last.parameters)
