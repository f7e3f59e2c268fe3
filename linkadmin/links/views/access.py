"""The first line of each view of a link or customer: who asks, for which, and the audit event that it was viewed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, FilteredRelation, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.compiled_query import CompiledQuery
from linkadmin.links.models import EndUser, Link
from linkadmin.links.queries import of_portfolio, portfolio_of
from linkadmin.staff_limits.counting import count
from linkadmin.staff_limits.kinds import LimitKind
from linkadmin.web.pages import reader

from .live import follows


def _link(pk: UUID) -> "QuerySet[Link]":
    others = Link.objects.standing().filter(integration=OuterRef("integration"), end_user=OuterRef("end_user"))
    count = others.exclude(pk=OuterRef("pk")).order_by().values("end_user").annotate(count=Count("pk")).values("count")
    open_request = FilteredRelation("repair_requests", condition=Q(repair_requests__ended_at=None))
    links = Link.objects.filter(pk=pk).annotate(open_request=open_request)
    related = links.select_related("integration", "end_user", "institution", "open_request")  # type: ignore[misc]
    return related.annotate(
        others_standing=Subquery(count),
        assignee_name=_name_of("assignee"),
        asker_name=_name_of("open_request__sent_by"),
    )


def _name_of(person: str) -> Combinable:
    return Coalesce(NullIf(f"{person}__name", Value("")), f"{person}__username")


_LINK = CompiledQuery(_link)


def link_for(request: HttpRequest, pk: UUID) -> Link:
    """With `assignee_name`, its `open_request` for a repair with `asker_name`, and `others_standing`: how many other
    links of its customer stand at its integration.
    """
    user = reader(request)
    found: Sequence[Link] = _LINK.instances(pk) if may(user, Right.VIEW_LINKS) else []
    if not found or portfolio_of(user) not in (None, found[0].account_manager_id):
        raise Http404
    opened(request, found[0].end_user_id)
    return found[0]


def customer_for(request: HttpRequest, pk: UUID) -> EndUser:
    customers = EndUser.objects.filter(of_portfolio(reader(request)))
    customer = get_object_or_404(customers.select_related("account_manager"), pk=pk)
    opened(request, pk)
    return customer


def require_visible(user: User, rows: "QuerySet[Any]", pk: UUID) -> None:
    """For polls, which read too little to tell whose customer it is. `rows` are those that the user may see."""
    if portfolio_of(user) and not rows.filter(pk=pk).exists():
        raise Http404


def opened(request: HttpRequest, customer: UUID) -> None:
    """Count it before anything of the customer is shown."""
    count(reader(request), LimitKind.CUSTOMERS_OPENED, [customer])


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
