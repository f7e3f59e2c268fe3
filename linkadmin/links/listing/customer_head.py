"""The head of a customer's page: the most urgent status, and how many of their links wait on the same."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import ngettext, ngettext_lazy

from linkadmin.links.causes import Group
from linkadmin.links.models import EndUser, Link
from linkadmin.links.presentation import Standing, standing_of
from linkadmin.links.queries import active, most_urgent_of

WAITING: Mapping[Group | None, Promise] = {
    Group.CUSTOMER: ngettext_lazy(
        "%(waiting)d of %(links)d link waiting on the customer",
        "%(waiting)d of %(links)d links waiting on the customer",
        "links",
    ),
    Group.WAIT: ngettext_lazy(
        "%(waiting)d of %(links)d link waiting on a bank or provider",
        "%(waiting)d of %(links)d links waiting on a bank or provider",
        "links",
    ),
    Group.US: ngettext_lazy(
        "%(waiting)d of %(links)d link waiting on us", "%(waiting)d of %(links)d links waiting on us", "links"
    ),
}


@dataclass(frozen=True, slots=True)
class CustomerHead:
    standing: Standing  # of the most urgent link
    words: str


def head_of(customer: EndUser, environment: str) -> CustomerHead | None:
    """None for a customer without links."""
    links = Link.objects.select_related("integration", "institution", "end_user")
    first = most_urgent_of(links, environment, customer.pk).first()
    if first is None:
        return None
    standing = standing_of(first)
    return CustomerHead(standing, _words(customer, environment, standing.group))


def _words(customer: EndUser, environment: str, group: Group | None) -> str:
    states = [state.value for state in group.states] if group else []
    waiting = Count("pk", filter=Q(health__in=states, verifying_since=None))
    links = active(customer.links.filter(environment=environment).order_by())
    found = links.aggregate(links=Count("pk"), waiting=waiting)
    if words := WAITING.get(group):
        return str(words % found)
    return ngettext("%(links)d active link", "%(links)d active links", found["links"]) % found
