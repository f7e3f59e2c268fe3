"""The columns of exported links and customers."""

from collections.abc import Mapping, Sequence

from django.db.models import Case, Count, IntegerField, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from linkadmin.exports import Cells, choice, constant, customer, identifier, moment, number, person, text
from linkadmin.links.causes import STATES, VERDICTS, VERIFYING_LOOK, RepairKind, Turn, judge
from linkadmin.links.models import RANKED, Link
from linkadmin.links.queries import NOT_WORKING_RANKS
from linkadmin.providers.types import BY_CONSENT, Cause, HealthState

_COMMON_FIRST = sorted(VERDICTS, key=lambda cause: VERDICTS[cause].state is not HealthState.HEALTHY)


def of_links(*, see_names: bool) -> list[Cells]:
    return [
        customer(_("Customer"), "end_user__", see_names=see_names),
        text(_("Customer ID"), "end_user__external_id"),
        text(_("Institution"), "institution__display_name"),
        text(_("Integration"), "integration__name"),
        *_of_health(),
        moment(_("Last successful sync"), "last_good_at"),
        person(_("Assignee"), "assignee"),
        identifier(_("Link ID"), "pk"),
        text(_("Provider ID"), "remote_id"),
    ]


def of_customers(environment: str, *, see_names: bool) -> list[Cells]:
    """Of a list of customers."""
    links = Link.objects.filter(end_user=OuterRef("pk"), environment=environment)
    of_link = [Cells(each.label, _of_first(links.order_by(*RANKED), each)) for each in _of_health()]
    return _of_customers("", links, of_link, see_names=see_names)


def of_customers_by_link(environment: str, *, see_names: bool) -> list[Cells]:
    """Of a list of their most urgent links."""
    links = Link.objects.filter(end_user=OuterRef("end_user"), environment=environment)
    return _of_customers("end_user__", links, _of_health(), see_names=see_names)


def _of_customers(path: str, links: "QuerySet[Link]", of_link: Sequence[Cells], *, see_names: bool) -> list[Cells]:
    links = links.filter(urgency__lt=STATES[HealthState.DISCONNECTED].rank)
    return [
        customer(_("Customer"), path, see_names=see_names),
        text(_("Customer ID"), f"{path}external_id"),
        *of_link,
        number(_("Links"), _counted(links)),
        number(_("In trouble"), _counted(links.filter(NOT_WORKING_RANKS))),
        person(_("Account manager"), f"{path}account_manager"),
        moment(_("Created"), f"{path}created_at"),
    ]


def _of_first(links: "QuerySet[Link]", column: Cells) -> Coalesce:
    return Coalesce(Subquery(links.annotate(cell=column.text).values("cell")[:1]), Value(""), output_field=TextField())


def _of_health() -> list[Cells]:
    verifying = Q(verifying_since__isnull=False) & ~Q(health=HealthState.DISCONNECTED.value)
    judged = judge(Cause.WORKING, is_verifying=True)
    since = Coalesce("verifying_since", Case(When(cause=Cause.CODE_TOO_LATE.value, then="refused_at")), "health_since")
    return [
        choice(_("Status"), "health", _states(), unless=[When(verifying, then=constant(VERIFYING_LOOK.label))]),
        choice(
            _("Reason"), "cause", _reasons(), unless=[When(verifying, then=constant(judged.reason)), *_of_consents()]
        ),
        choice(_("Waiting on"), "cause", _turns(), unless=[When(verifying, then=constant(""))]),
        moment(_("Since"), since),
    ]


def _states() -> Mapping[str, str | Promise]:
    first = (HealthState.HEALTHY, *HealthState)
    return {state.value: STATES[state].label for state in first}


def _reasons() -> Mapping[str, str | Promise]:
    return {cause.value: VERDICTS[cause].reason for cause in _COMMON_FIRST}


def _turns() -> Mapping[str, str | Promise]:
    turns = {cause.value: VERDICTS[cause].turn for cause in _COMMON_FIRST}
    return {cause: "" if turn is Turn.NOBODY else turn.label for cause, turn in turns.items()}


def _of_consents() -> Sequence[When]:
    """Reasons that differ if the customer consents at the bank."""
    words = {cause: judge(cause, is_verifying=False, kind=RepairKind.CONSENT).reason for cause in VERDICTS}
    return [
        When(Q(cause=cause.value, institution__integration_type__in=BY_CONSENT), then=constant(reason))
        for cause, reason in words.items()
        if reason != VERDICTS[cause].reason
    ]


def _counted(links: "QuerySet[Link]") -> Coalesce:
    counted = links.order_by().values("end_user").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
