"""Filter and orders of the list of customers. By trouble, each customer's most urgent link decides."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links.models import RANKED, EndUser, Link
from linkadmin.links.queries import in_portfolio, most_urgent, visible_to
from linkadmin.links.search import found_customers
from linkadmin.paging import Keyset, Listing, Part
from linkadmin.web.sorting import Order, Sorting

from .filters import MINE, NOBODY, person
from .narrowing import are_few
from .table_rows import COLUMNS

TROUBLE, NAME = "trouble", "name"
ORDERS = {
    TROUBLE: Order((_("most urgent first"), _("least urgent first"))),
    NAME: Order((_("customer, A to Z"), _("customer, Z to A"))),
}
MOST_SORTED = 4_000  # customers
LISTED = Link.objects.select_related("end_user").only(*COLUMNS, "end_user__account_manager")
_MOST_URGENT = most_urgent(LISTED)
_CUSTOMERS = EndUser.objects.all()


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """What a reader asked for. An empty account manager doesn't filter."""

    manager: str
    environment: str  # of the links that decide
    sorting: Sorting
    words: str

    @property
    def fields(self) -> list[tuple[str, str]]:
        return [("manager", self.manager)] * bool(self.manager) + self.sorting.fields()

    @property
    def is_by_name(self) -> bool:
        return self.sorting.name == NAME

    def by_name(self, reader: User) -> Listing[EndUser]:
        see_names = may(reader, Right.SEE_NAMES)  # the order of names would reveal them
        keyset = Keyset(
            *(("name", "external_id") if see_names else ("external_id",)), newest_first=self.sorting.is_reversed
        )
        found = found_customers(self.words, see_names=see_names)[0] if self.words else _CUSTOMERS
        return Listing(found, keyset, [Part(self._managed_for(reader) & in_portfolio(reader))])

    def by_trouble(self, reader: User) -> Listing[Link]:
        """Each customer as their most urgent link. Those without links have none."""
        keyset, links = Keyset(*RANKED, newest_first=self.sorting.is_reversed), visible_to(reader, _MOST_URGENT)
        managed = self._managed_for(reader) & in_portfolio(reader)
        here = Q(environment=self.environment)
        if self.words:
            found, few = found_customers(self.words, see_names=may(reader, Right.SEE_NAMES))
            return Listing(links, keyset, [Part(here & _of(found, are_few=few) & managed)], are_few=few)
        if self.manager == NOBODY and are_few(_CUSTOMERS.order_by(), [Part(managed)], MOST_SORTED):
            return Listing(links, keyset, [Part(here & _of(_CUSTOMERS.filter(managed), are_few=True))], are_few=True)
        return Listing(links, keyset, [Part(here & managed)])

    def _managed_for(self, reader: User) -> Q:
        """A condition on customers as well as on links."""
        if not self.manager:
            return Q()
        whose = {MINE: reader.pk, NOBODY: None}
        return Q(account_manager=whose[self.manager] if self.manager in whose else UUID(self.manager))


def read(query: QueryDict, environment: str, words: str) -> CustomerFilter:
    """Raises `NotOffered` and `BadRequest`."""
    # Searches find customers without links, too, which only the order of names has.
    sorting = Sorting.read(ORDERS, query, reverse("end-user-list"), usual=NAME if words else TROUBLE)
    return CustomerFilter(person(query.get("manager", "")), environment, sorting, words)


def _of(customers: "QuerySet[EndUser]", *, are_few: bool) -> Q:
    """Links of customers: found through them if they're few, or else tested one by one."""
    if are_few:
        return Q(end_user__in=customers.values("pk"))
    return Q(Exists(customers.filter(pk=OuterRef("end_user"))))
