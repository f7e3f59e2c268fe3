"""Responses to forms that go to a provider: the outcome of the request, or the form with its errors."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from linkadmin.compiled_query import CompiledQuery
from linkadmin.integrations import call_pool
from linkadmin.integrations.limits import Limits
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations import refusals
from linkadmin.operations.forms.provider import ProviderForm
from linkadmin.operations.models import Operation, State
from linkadmin.operations.presentation.explanations import explain
from linkadmin.web.pages import BESIDE_THE_FORM, RETRY_SECONDS, go, wants_part

REOPEN = "reopen"


@sensitive_variables("form")
def send(
    request: HttpRequest,
    form: ProviderForm,
    start: Callable[[], Operation],
    redraw: Callable[..., HttpResponse],
    *,
    link: Link | None = None,
) -> HttpResponse:
    """Start the request of a valid form; `redraw` renders the form again with the reason nothing was sent."""
    try:
        operation = outcome_of(start())
    except refusals.BusyRefusal as busy:
        return not_sent(request, busy, link=link, form=form)
    except refusals.Refusal as refusal:
        return redraw(form.again(), status=refusal.status, refusal=refusal)
    if operation.state in (State.REJECTED, State.NOT_SENT):
        if link:
            link.refresh_from_db()
        form.add_provider_errors(operation.field_errors)
        return redraw(form.again(), status=422, refused=operation, explanation=explain(operation))
    page = next_page(request, operation)
    if operation.is_done and not operation.logs_in and link and page == link.get_absolute_url():
        said = explain(operation)
        messages.success(request, f"{said.title}. {said.meaning} {said.advice}".strip())
    return go(request, page)


def why_paused(integration: Integration, call: str) -> str:
    """Empty if the request would be sent."""
    return Limits.of(integration.pk).why_paused(call)


def outcome_of(operation: Operation) -> Operation:
    """Waits briefly: the operation may still be open."""
    call_pool.wait_for(operation.pk, settings.OPERATION_ANSWER_SECONDS)
    found: Sequence[Operation] = _OPERATION.instances(operation.pk)
    return found[0]


_OPERATION = CompiledQuery(lambda pk: Operation.objects.with_names().filter(pk=pk))


def page_of(operation: Operation) -> str:
    if operation.state == State.NEEDS_CODE and operation.link_id:
        return reverse("link-code", args=[operation.link_id])
    if operation.is_done and operation.link_id:
        return reverse("link-detail", args=[operation.link_id])
    return operation.get_absolute_url()


def next_page(request: HttpRequest, operation: Operation) -> str:
    """A repair that runs on its link's page stays there."""
    if operation.link and operation.logs_in and is_within(request, operation.link):
        return operation.link.get_absolute_url()
    return page_of(operation)


def is_within(request: HttpRequest, link: Link) -> bool:
    """Whether the request comes from a part within a link's page."""
    shown: str = request.htmx.current_url_abs_path or ""  # type: ignore[attr-defined]
    return shown.partition("?")[0] == link.get_absolute_url()


def not_sent(
    request: HttpRequest, refusal: refusals.BusyRefusal, *, link: Link | None = None, form: ProviderForm | None = None
) -> HttpResponse:
    context: dict[str, Any] = {"refusal": refusal, "link": link}
    beside_form = wants_part(request)
    if not beside_form:
        context |= {"form_url": request.get_full_path(), "csrf_token": get_token(request)}
        context["typed"] = form.typed_in_the_open() if form else []
        context["had_secret"] = form is None or form.asks_for_secret
    # Rendered without the request: this page needs no context processors.
    template = "operations/_not_sent.html" if beside_form else "operations/not_sent.html"
    answer = HttpResponse(render_to_string(template, context), status=refusal.status)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)  # tells app.js to show the response
    if beside_form:
        answer.headers["HX-Reswap"] = BESIDE_THE_FORM
    return answer


def reopens(request: HttpRequest) -> bool:
    return request.method == "POST" and REOPEN in request.POST


def typed_again(request: HttpRequest) -> dict[str, Any]:
    if not reopens(request):
        return {}
    typed = {name: request.POST.getlist(name) for name in request.POST if name not in (REOPEN, "operation_key")}
    return {name: values[0] if len(values) == 1 else values for name, values in typed.items()}
