"""The page of one change of a link: what it does, and a form for what the provider needs."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from linkadmin.accounts.models import User
from linkadmin.links.models import Link
from linkadmin.links.presentation import standing_of
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations import services
from linkadmin.operations.budget import budget_of
from linkadmin.operations.changes import Change, ChangePage
from linkadmin.operations.changes.sign_ins import UPDATE_CREDENTIALS
from linkadmin.operations.forms.provider import ChangeForm
from linkadmin.operations.models import Operation
from linkadmin.operations.presentation.buttons import ways_on
from linkadmin.operations.presentation.steps import FORM, steps_at
from linkadmin.providers.errors import NotFound
from linkadmin.providers.types import Cause, HealthState
from linkadmin.web.pages import draw, go, reader

from .sending import is_within, page_of, reopens, send, typed_again, why_paused


@never_cache
@sensitive_post_parameters()
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def link_change(request: HttpRequest, pk: UUID, change: Change[Any]) -> HttpResponse:
    link, page = link_for(request, pk), _page_of(change)
    asked = page.fields(link)
    if request.method == "POST" and not reopens(request):
        form = page.form(request.POST, link=link, asked=asked)
        if not form.is_valid():
            return _draw(request, link, change, form, status=422)
        start, redraw = partial(_start, request, link, change, form), partial(_draw, request, link, change)
        return send(request, form, start, redraw, link=link)
    under_way = Operation.objects.open().with_names().filter(link=link).first()
    if under_way:
        return go(request, page_of(under_way))
    seen(request, link, link.end_user, page=page.slug)
    initial = {**page.initial(link), **typed_again(request)}
    return _draw(request, link, change, page.form(link=link, asked=asked, initial=initial))


@sensitive_variables("form")
def _start(request: HttpRequest, link: Link, change: Change[Any], form: ChangeForm) -> Operation:
    values = form.typed()
    if change is UPDATE_CREDENTIALS:
        return services.update_credentials(actor=reader(request), link=link, values=values, operation_key=form.key)
    if change.is_of_customer:
        return services.change_account(
            actor=reader(request),
            integration=link.integration,
            end_user=link.end_user,
            kind=change.kind,
            values=values,
            operation_key=form.key,
        )
    return services.change_link(
        actor=reader(request),
        link=link,
        kind=change.kind,
        values=values,
        operation_key=form.key,
        note=form.cleaned_data.get("reason", ""),
    )


def _draw(
    request: HttpRequest, link: Link, change: Change[Any], form: ChangeForm, *, status: int = 200, **context: Any
) -> HttpResponse:
    page = _page_of(change)
    context |= {"link": link, "standing": standing_of(link), "change": page, "form": form, "url": page.url_of(link)}
    context["is_gone"] = link.cause == Cause.NOT_FOUND or _says_unknown(change, context.get("refused"))
    context["can"] = link.integration.can(change.capability) and not (link.is_disconnected or context["is_gone"])
    context["paused"] = why_paused(link.integration, change.kind)
    if change is UPDATE_CREDENTIALS:
        context |= _sign_in(link, user=reader(request), failed="refused" in context)
    context["is_within"] = is_within(request, link)
    return draw(request, page.template, "form", context | dict(page.context(link)), status=status)


def _sign_in(link: Link, *, user: User, failed: bool) -> dict[str, Any]:
    budget = budget_of(link)
    return {
        "budget": budget,
        "ways": ways_on(link, budget, user=user),
        # Until the customer has acted at the bank, it would reject another attempt as well.
        "is_at_bank": link.health == HealthState.CUSTOMER_BANK.value and not link.is_verifying,
        "steps": steps_at(FORM, link.integration, is_new=False, failed=failed),
        # A link that's gone or can't be repaired gets no form.
        "is_over": link.health == HealthState.DISCONNECTED.value,
    }


def _says_unknown(change: Change[Any], refused: Operation | None) -> bool:
    # A missing customer proves nothing about the link.
    return refused is not None and not change.is_of_customer and refused.outcome == NotFound.__name__


def _page_of(change: Change[Any]) -> ChangePage:
    assert change.page is not None  # noqa: S101 - for the types: its URL is made from its page
    return change.page
