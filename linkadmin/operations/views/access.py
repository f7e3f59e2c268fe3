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
from linkadmin.links.models import EndUser, Integration, Link
from linkadmin.links.presentation import shown_name
from linkadmin.links.traffic import pause_of
from linkadmin.operations import runner
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.pages import reader


def link_for(request: HttpRequest, pk: UUID) -> Link:
    """Return a link the reader may see, its customer's name masked for who may not know it; or raise 404."""
    user = reader(request)
    links = queries.visible_to(user).select_related("integration", "end_user", "institution", "owner")
    link = get_object_or_404(links, pk=pk)
    link.end_user.name = shown_name(link.end_user.name, see_names=may(user, Right.SEE_NAMES))
    return link


def seen(request: HttpRequest, link: Link | None, end_user: EndUser | None, *, page: str) -> None:
    """Note that somebody looked at a customer's page; one that is about no customer holds nothing personal."""
    if link is None and end_user is None:
        return
    log.record(
        actor=reader(request),
        action="link.viewed" if link else "end_user.viewed",
        object_type="link" if link else "end_user",
        object_id=str(link.pk if link else end_user.pk if end_user else ""),
        outcome=Outcome.DONE,
        details={"page": page},
    )


def why_paused(integration: Integration, call: str) -> str:
    """Return the words for why a call would be held back now; empty if it would be made."""
    pause = pause_of(integration, call)
    return pause.words(integration) if pause else ""


def outcome_of(operation: Operation) -> Operation:
    """Wait a moment for the end of a call, and return the operation as it is then."""
    runner.wait_for(operation.pk, settings.OPERATION_ANSWER_SECONDS)
    return Operation.objects.with_names().get(pk=operation.pk)


def place_of(operation: Operation) -> str:
    """Return the page that shows where an operation stands: its state decides."""
    if operation.state == State.NEEDS_TOKEN and operation.link_id:
        return reverse("link-token", args=[operation.link_id])
    # What a good answer told is on the operation's own page.
    if operation.is_done and operation.link_id and operation.kind != OperationKind.REPAIR_ADDRESS:
        return reverse("link-detail", args=[operation.link_id])
    return operation.get_absolute_url()
