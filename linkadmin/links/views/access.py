"""The first line of each view of a link: who asks, for which link, and the audit event that it was viewed."""

from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.links import queries
from linkadmin.links.models import EndUser, Link
from linkadmin.web.pages import reader

from .live import follows


def link_for(request: HttpRequest, pk: UUID) -> Link:
    links = queries.visible_to(reader(request)).select_related("integration", "end_user", "institution", "assignee")
    return get_object_or_404(links, pk=pk)


def seen(request: HttpRequest, link: Link | None, end_user: EndUser | None, *, page: str) -> None:
    """Pages without a customer hold no personal data. An open page that redraws itself isn't viewed again."""
    if (link is None and end_user is None) or follows(request):
        return
    record(
        actor=reader(request),
        action=Action.LINK_VIEWED if link else Action.END_USER_VIEWED,
        object_type=ObjectType.LINK if link else ObjectType.END_USER,
        object_id=str(link.pk if link else end_user.pk if end_user else ""),
        outcome=Outcome.DONE,
        details={"page": page},
    )
