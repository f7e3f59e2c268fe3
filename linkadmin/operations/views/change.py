"""One change of a link, whichever: its page says what it does, its form asks for what the provider takes."""

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
from linkadmin.operations.changes import Change, ChangePage
from linkadmin.operations.forms.provider import ChangeForm
from linkadmin.operations.models import Operation
from linkadmin.providers.errors import NotFound
from linkadmin.providers.types import Cause
from linkadmin.web.pages import draw, go, reader

from .sending import page_of, reopens, send, typed_again, why_paused

TEMPLATE = "operations/change.html"


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
    return draw(request, TEMPLATE, "form", context | dict(page.context(link)), status=status)


def _says_unknown(change: Change[Any], refused: Operation | None) -> bool:
    """Tell whether the provider just said that it knows no such link; of a customer that says nothing of the link."""
    return refused is not None and not change.is_of_customer and refused.outcome == NotFound.__name__


def _page_of(change: Change[Any]) -> ChangePage:
    assert change.page is not None  # noqa: S101 - for the types: its URL is made from its page
    return change.page
