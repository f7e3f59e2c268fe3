"""Polls of open pages about a link or an operation: whether there is anything new to show."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from linkadmin.links.views.live import answer
from linkadmin.operations.models import Operation
from linkadmin.operations.presentation.live import look_at_link, look_at_operation
from linkadmin.web.pages import go_when_done

from .sending import page_of


@require_safe
def link_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    look = look_at_link(pk)
    if look is None:
        raise Http404
    return answer(request, *look)


@require_safe
def operation_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _live(request, pk, has_customer=True)


@require_safe
def integration_operation_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _live(request, pk, has_customer=False)


def _live(request: HttpRequest, pk: UUID, *, has_customer: bool) -> HttpResponse:
    """Answer while an operation runs; send its page on once it doesn't."""
    look = look_at_operation(pk, has_customer=has_customer)
    if look is None:
        return go_when_done(page_of(get_object_or_404(Operation, pk=pk, end_user__isnull=not has_customer)))
    return answer(request, *look)
