"""Polls of open pages about a link or an operation: whether there is anything new to show."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from linkadmin.links.live import answer
from linkadmin.operations.live import pulse_of_link, pulse_of_operation
from linkadmin.operations.models import Operation
from linkadmin.pages import go_when_done

from .access import place_of


@require_safe
def link_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    pulse = pulse_of_link(pk)
    if pulse is None:
        raise Http404
    return answer(request, pulse.version, pulse.seconds)


@require_safe
def operation_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _live(request, get_object_or_404(Operation, pk=pk, end_user__isnull=False))


@require_safe
def integration_operation_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _live(request, get_object_or_404(Operation, pk=pk, end_user__isnull=True))


def _live(request: HttpRequest, operation: Operation) -> HttpResponse:
    """Answer while an operation runs; send the page on once it doesn't."""
    if not operation.is_running:
        return go_when_done(place_of(operation))
    pulse = pulse_of_operation(operation)
    return answer(request, pulse.version, pulse.seconds)
