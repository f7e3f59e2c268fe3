"""One act on a link, whichever: its page says what it does, its form asks for what the provider takes."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from linkadmin.links.models import Link
from linkadmin.links.presentation import standing_of, standings
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations import refusals, services
from linkadmin.operations.acts import ACTS, Act, present_values
from linkadmin.operations.apply_response import links_that_go
from linkadmin.operations.explanations import explain
from linkadmin.operations.forms import ActForm, ProviderForm, RemovalForm
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.providers.errors import NotFound
from linkadmin.providers.records import Reach
from linkadmin.providers.types import Cause
from linkadmin.web.pages import draw, go, reader

from .access import outcome_of, place_of, why_paused
from .not_sent import not_sent, reopens, typed_again

TEMPLATE = "operations/act.html"


@never_cache
@sensitive_post_parameters()
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def link_act(request: HttpRequest, pk: UUID, slug: str) -> HttpResponse:
    link, act = link_for(request, pk), ACTS[slug]
    if request.method == "POST" and not reopens(request):
        form = _form(link, act, request.POST)
        return _do(request, link, act, form) if form.is_valid() else _page(request, link, act, form, status=422)
    under_way = Operation.objects.open().with_names().filter(link=link).first()
    if under_way:
        return go(request, place_of(under_way))
    seen(request, link, link.end_user, page=slug)
    return _page(request, link, act, _form(link, act, None, typed_again(request)))


@sensitive_variables("form")
def _do(request: HttpRequest, link: Link, act: Act, form: ProviderForm) -> HttpResponse:
    try:
        operation = outcome_of(_begin(request, link, act, form))
    except refusals.Busy as busy:
        return not_sent(request, busy, link=link, form=form)
    except refusals.Refusal as refusal:
        return _page(request, link, act, form.again(), status=refusal.status, refusal=refusal)
    if operation.state in (State.REJECTED, State.NOT_SENT):
        link.refresh_from_db()
        form.refuse(operation.field_errors)
        refused = {"refused": operation, "explanation": explain(operation)}
        return _page(request, link, act, form.again(), status=422, **refused)
    place = place_of(operation)
    if operation.is_done and place == link.get_absolute_url():
        said = explain(operation)
        messages.success(request, f"{said.title}. {said.meaning} {said.advice}".strip())
    return go(request, place)


@sensitive_variables("form")
def _begin(request: HttpRequest, link: Link, act: Act, form: ProviderForm) -> Operation:
    user, key = reader(request), form.cleaned_data["operation_key"]
    if act.kind == OperationKind.REGENERATE_REPORTS:  # of all the customer's links
        return services.change_account(
            actor=user,
            integration=link.integration,
            end_user=link.end_user,
            kind=act.kind,
            values=form.typed(),
            operation_key=key,
        )
    return services.change_link(
        actor=user,
        link=link,
        kind=act.kind,
        values=form.typed(),
        operation_key=key,
        note=form.cleaned_data.get("reason", ""),
    )


def _form(link: Link, act: Act, posted: Any, typed: dict[str, Any] | None = None) -> ProviderForm:
    asked = act.fields(link)
    if act.kind == OperationKind.REMOVE_LINK:
        return RemovalForm(posted, asked=asked, link=link, going=links_that_go(link), initial=typed)
    if act.kind == OperationKind.CHANGE_SETTINGS:
        return ProviderForm(posted, asked=asked, initial=present_values(link, asked) | (typed or {}))
    return ActForm(posted, asked=asked, initial=typed)


def _page(
    request: HttpRequest, link: Link, act: Act, form: ProviderForm, *, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {"link": link, "standing": standing_of(link), "act": act, "form": form, "url": act.url_of(link)}
    context["is_gone"] = link.cause == Cause.NOT_FOUND or _says_unknown(context.get("refused"))
    context["can"] = link.integration.can(act.capability) and not (link.is_disconnected or context["is_gone"])
    context["paused"] = why_paused(link.integration, act.kind)
    if act.kind == OperationKind.REMOVE_LINK:
        provider_class = link.integration.provider_class
        going = links_that_go(link)
        context["going"] = [(each, stand.state) for each, stand in zip(going, standings(going).values(), strict=True)]
        context["takes_all"] = provider_class.removal_reach is Reach.CUSTOMER
        context["consequence"] = provider_class.removal_consequence
    return draw(request, TEMPLATE, "form", context, status=status)


def _says_unknown(refused: Operation | None) -> bool:
    """Tell whether the provider just said that it knows no such link; that there are no reports says nothing of it."""
    if refused is None or refused.kind == OperationKind.REGENERATE_REPORTS:
        return False
    return refused.outcome == NotFound.__name__
