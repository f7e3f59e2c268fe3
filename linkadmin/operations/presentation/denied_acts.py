"""Acts that we denied, as the audit log has them: by our own rules before anything was sent, or by role.

None of them became an operation, so the Activity page lists their events.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from linkadmin.accounts.context import entry_of
from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may, rights_of
from linkadmin.audit.actions import ObjectType, of_operation
from linkadmin.audit.models import UNUSUAL, AuditEvent, Outcome
from linkadmin.exports import time_cell
from linkadmin.ids import as_uuid
from linkadmin.integrations.models import Integration
from linkadmin.links.listing.known import INTEGRATIONS, STAFF
from linkadmin.links.listing.marks import sandbox_mark
from linkadmin.links.models import EndUser, Link
from linkadmin.links.queries import of_portfolio, portfolio_of
from linkadmin.operations.models import OperationKind, State
from linkadmin.operations.refusals import Refusal
from linkadmin.paging import Keyset, Listing, Part
from linkadmin.timestamps import ago
from linkadmin.web.badges import StateBadge, draw_state

KINDS: Mapping[str, OperationKind] = {of_operation(kind): kind for kind in OperationKind}
BY_RULES = Q(outcome=Outcome.NOT_SENT.value, details__reason__isnull=False)  # without: events of operations
BY_ROLE = Q(outcome=Outcome.DENIED.value)
SEEN_WITH = {  # targets of acts, by the right to see them
    Right.VIEW_LINKS: (ObjectType.LINK.value, ObjectType.END_USER.value),
    Right.VIEW_INTEGRATIONS: (ObjectType.INTEGRATION.value,),
}
COLUMNS = ("at", "actor_id", "actor", "action", "object_type", "object_id", "outcome", "operation_id", "request_id")


def listing(reader: User, wanted: Q, *, newest_first: bool) -> Listing[AuditEvent]:
    """Everyone sees what concerns links or integrations that they may see; who may read the audit log, all of it."""
    rights = rights_of(reader)
    events = AuditEvent.objects.filter(UNUSUAL, wanted).only(*COLUMNS, "details")
    keyset = Keyset("seq", newest_first=newest_first)
    if Right.VIEW_AUDIT in rights:
        return Listing(events, keyset, [Part(BY_RULES), Part(BY_ROLE)])
    if portfolio_of(reader):
        events = events.filter(actor_id=reader.pk)
    seen = [kind for right, kinds in SEEN_WITH.items() if right in rights for kind in kinds]
    return Listing(events, keyset, [Part(BY_RULES & Q(object_type__in=seen))])


def rows(events: Sequence[AuditEvent], *, reader: User) -> Iterator[dict[str, object]]:
    """What the rows of the Activity page show."""
    see_names = may(reader, Right.SEE_NAMES)
    for event, target in _with_targets(events, reader):
        is_by_role = event.outcome == Outcome.DENIED
        label = _("Access denied") if is_by_role else str(State.NOT_SENT.label)
        yield {
            **target.texts(see_names=see_names),
            "kind": _act(event),
            "url": target.url,
            "outcome": draw_state(StateBadge("quiet", "circle-slash", label, _reason(event))),
            "code": "",
            "person": _person(event),
            "took": "",
            "created": ago(event.at),
        }


def cells(events: Sequence[AuditEvent], *, reader: User) -> Iterator[tuple[str, ...]]:
    """What an export has of each, in the columns of operations."""
    see_names = may(reader, Right.SEE_NAMES)
    for event, target in _with_targets(events, reader):
        texts, outcome = target.texts(see_names=see_names), str(Outcome(event.outcome).label)
        yield (
            *(_act(event), texts["customer"], target.customer_id, texts["bank"], texts["integration"]),
            *(outcome, _reason(event), _person(event), "", time_cell(event.at), event.request_id, event.operation_id),
        )


@dataclass(frozen=True, slots=True)
class _Target:
    """What an act was about."""

    link: Link | None = None
    customer: EndUser | None = None
    integration: Integration | None = None

    @property
    def url(self) -> str:
        target = self.link or self.customer
        return target.get_absolute_url() if target else ""

    @property
    def customer_id(self) -> str:
        return self.customer.external_id if self.customer else ""

    def texts(self, *, see_names: bool) -> dict[str, str]:
        return {
            "customer": self.customer.called(see_names=see_names) if self.customer else "",
            "bank": self.link.bank if self.link else "",
            "integration": self.integration.name if self.integration else "",
            "sandbox": sandbox_mark(self.integration) if self.integration else "",
        }


def _with_targets(events: Sequence[AuditEvent], reader: User) -> Iterator[tuple[AuditEvent, _Target]]:
    # A page may be one of a link.
    every = Link.objects.filter(of_portfolio(reader)).select_related("end_user", "institution")
    links = _found(events, {ObjectType.LINK, ObjectType.PAGE}, every.in_bulk)
    customers = _found(events, {ObjectType.END_USER}, EndUser.objects.filter(of_portfolio(reader)).in_bulk)
    integrations = _found(events, {ObjectType.INTEGRATION}, lambda pks: INTEGRATIONS.all())
    for event in events:
        pk = as_uuid(event.object_id)
        if link := links.get(pk):
            integration = INTEGRATIONS.all(link.integration_id)[link.integration_id]
            yield event, _Target(link, link.end_user, integration)
        elif customer := customers.get(pk):
            yield event, _Target(customer=customer)
        else:
            yield event, _Target(integration=integrations.get(pk))


def _found(
    events: Sequence[AuditEvent], kinds: Set[str], find: Callable[[list[UUID]], Mapping[UUID, Any]]
) -> Mapping[Any, Any]:
    pks = {pk for event in events if event.object_type in kinds and (pk := as_uuid(event.object_id))}
    return find(list(pks)) if pks else {}


def _act(event: AuditEvent) -> str:
    kind = KINDS.get(event.action)
    if kind is not None:
        return str(kind.label)
    return _("Open page") if event.details.get("method") == "GET" else _("Submit form")


def _reason(event: AuditEvent) -> str:
    reason = str(event.details.get("reason") or "")
    refusal = REASONS.get(reason)
    if refusal is None:
        view = str(event.details.get("view") or "")
        section = entry_of(view, frozenset(Right))
        return reason or str(section.label if section else view)
    return str(refusal.title if refusal.title is not Refusal.title else refusal.words)


def _person(event: AuditEvent) -> str:
    pk = as_uuid(event.actor_id)
    person = STAFF.all().get(pk) if pk else None
    return person.display_name if person else event.actor


def _refusals(base: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in base.__subclasses__():
        yield each
        yield from _refusals(each)


REASONS: Mapping[str, type[Refusal]] = {each.reason: each for each in _refusals(Refusal)}
