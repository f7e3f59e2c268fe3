"""What the Activity page lists: changes sent to providers, or that were to be, newest first."""

from collections.abc import Mapping
from datetime import timedelta

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, rights_of
from linkadmin.audit.actions import of_operation
from linkadmin.links.listing.in_environment import EnvironmentFilterSet
from linkadmin.links.listing.known import STAFF
from linkadmin.links.listing.narrowing import are_few, meeting
from linkadmin.links.models import EndUser
from linkadmin.links.queries import in_portfolio, of_portfolio, portfolio_of
from linkadmin.paging import Keyset, Listing, Part
from linkadmin.web.sorting import Order

from .models import Operation, OperationKind, OperationQuerySet, State

ORDERS = {"time": Order((_("newest first"), _("oldest first")), ("created_at", "id"), falls=True)}
OUTCOMES: Mapping[str, tuple[str | Promise, tuple[State, ...]]] = {
    "open": (_("In progress"), (State.PREPARED, State.SENDING, State.NEEDS_CODE)),
    "succeeded": (_("Succeeded"), (State.SUCCEEDED, State.CODE_ENTERED, State.CONFIRMED_DONE)),
    "rejected": (_("Rejected"), (State.REJECTED,)),
    "not_sent": (_("Not sent"), (State.NOT_SENT,)),
    "unknown": (_("Outcome unknown"), (State.UNKNOWN, State.NEEDS_DECISION)),
    "not_done": (_("Didn't happen"), (State.EXPIRED, State.CANCELED, State.CONFIRMED_NOT_DONE)),
}
MOST_SORTED = 4_000  # of one account manager's customers
DENIED = "denied"  # an outcome without an operation: see presentation/denied_acts.py
SPANS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}


def _people() -> list[tuple[str, str]]:
    return [(str(pk), each.display_name) for pk, each in STAFF.all().items()]


class ActivityFilter(EnvironmentFilterSet):
    person = django_filters.ChoiceFilter(field_name="actor", label=_("Person"), choices=_people)
    kind = django_filters.ChoiceFilter(label=_("Change"), choices=OperationKind.choices)
    outcome = django_filters.ChoiceFilter(
        method="of_outcome",
        label=_("Outcome"),
        choices=[*((value, label) for value, (label, _states) in OUTCOMES.items()), (DENIED, _("Denied"))],
    )
    within = django_filters.ChoiceFilter(
        method="of_time",
        label=_("Period"),
        choices=[("24h", _("Last 24 hours")), ("7d", _("Last 7 days")), ("30d", _("Last 30 days"))],
    )

    class Meta:
        model = Operation
        fields = ["person", "kind", "outcome", "integration", "within"]

    def of_outcome(self, operations: "QuerySet[Operation]", _name: str, _value: str) -> "QuerySet[Operation]":
        return operations  # each of its states is a stretch of an index: see `listing`

    def of_time(self, operations: "QuerySet[Operation]", _name: str, value: str) -> "QuerySet[Operation]":
        return operations.filter(created_at__gte=timezone.now() - SPANS[value])

    @property
    def is_of_denied(self) -> bool:
        return bool(self.form.cleaned_data["outcome"] == DENIED)

    @property
    def of_events(self) -> Q:
        """The other filters as a condition on audit events."""
        chosen, wanted = self.form.cleaned_data, ~Q(details__integration__in=list(map(str, self.elsewhere)))
        if chosen["person"]:
            wanted &= Q(actor_id=chosen["person"])
        if chosen["kind"]:
            wanted &= Q(action=of_operation(chosen["kind"]))
        if chosen["integration"]:
            wanted &= Q(details__integration=chosen["integration"])
        if chosen["within"]:
            wanted &= Q(at__gte=timezone.now() - SPANS[chosen["within"]])
        return wanted

    def listing(self, keyset: Keyset, reader: User) -> Listing[Operation]:
        outcome = self.form.cleaned_data["outcome"]
        states = OUTCOMES[outcome][1] if outcome else ()
        if portfolio_of(reader):
            parts = [Part(Q(end_user__in=EndUser.objects.filter(in_portfolio(reader)))), Part(Q(end_user=None))]
            if are_few(Operation.objects.order_by(), parts, MOST_SORTED):
                wanted = self.here & (Q(state__in=states) if states else Q())
                return Listing(self.qs, keyset, meeting(parts, wanted), are_few=True)
        return Listing(self.qs, keyset, [Part(self.here & Q(state=state)) for state in states] or self.parts)


def visible_to(user: User) -> OperationQuerySet:
    """A customer's operations take the right to see links; those of a whole integration, to see integrations."""
    rights = rights_of(user)
    shown: OperationQuerySet = Operation.objects.select_related("end_user")
    if portfolio_of(user):
        shown = shown.filter(Q(end_user__isnull=True) | of_portfolio(user, "end_user__"))
    if Right.VIEW_LINKS not in rights:
        shown = shown.filter(end_user__isnull=True)
    return shown if Right.VIEW_INTEGRATIONS in rights else shown.filter(end_user__isnull=False)
