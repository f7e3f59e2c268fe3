"""The first line of each view: who asks, for which link, and where the outcome of their click is shown."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from linkadmin.accounts.roles import Right, may
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.links import queries
from linkadmin.links.models import EndUser, Link
from linkadmin.links.presentation import shown_name
from linkadmin.operations import runner
from linkadmin.operations.models import Operation, State
from linkadmin.pages import reader


def link_for(request: HttpRequest, pk: UUID) -> Link:
    """Return a link the reader may see, its customer's name masked for who may not know it; or raise 404."""
    user = reader(request)
    links = queries.visible_to(user).select_related("integration", "end_user", "institution", "owner")
    link = get_object_or_404(links, pk=pk)
    link.end_user.name = shown_name(link.end_user.name, see_names=may(user, Right.SEE_NAMES))
    return link


def seen(request: HttpRequest, link: Link | None, end_user: EndUser, *, page: str) -> None:
    """Note that somebody looked at a customer's page."""
    log.record(
        actor=reader(request),
        action="link.viewed" if link else "end_user.viewed",
        object_type="link" if link else "end_user",
        object_id=str(link.pk if link else end_user.pk),
        outcome=Outcome.DONE,
        details={"page": page},
    )


def outcome_of(operation: Operation) -> Operation:
    """Wait a moment for the end of a call, and return the operation as it is then."""
    runner.wait_for(operation.pk, settings.OPERATION_ANSWER_SECONDS)
    return Operation.objects.with_names().get(pk=operation.pk)


def place_of(operation: Operation) -> str:
    """Return the page that shows where an operation stands: its state decides."""
    if operation.state == State.NEEDS_TOKEN and operation.link_id:
        return reverse("link-token", args=[operation.link_id])
    if operation.is_done and operation.link_id:
        return reverse("link-detail", args=[operation.link_id])
    return operation.get_absolute_url()
