"""How many sign-in attempts are left before a bank may lock the customer's account.

Banks lock an account after three to five rejected attempts, through any link or form. So they're counted across all
sign-ins of a customer at a bank: after two within a day an account manager has to allow another, after three nobody
can. A success resets the count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.compiled_query import CompiledQuery
from linkadmin.links.models import EndUser, Institution, Link

from .models import DONE_STATES, LOGIN_KINDS, AttemptAllowance, Operation, OperationQuerySet, State
from .refusals import AlreadyOpen, BudgetSpent, OwnAttempt

WINDOW = timedelta(hours=24)
FREE_ATTEMPTS = 2
ALL_ATTEMPTS = 3
# Requests that the bank may still reject.
IN_FLIGHT = (State.PREPARED, State.SENDING, State.UNKNOWN, State.NEEDS_DECISION)


@dataclass(frozen=True, slots=True)
class Budget:
    rejected: int  # attempts the bank rejected within the window, since the last success
    allowed_one_more: bool = False
    free_at: datetime | None = None  # when the next attempt becomes available, if none is left

    @property
    def left(self) -> int:
        if self.rejected < FREE_ATTEMPTS:
            return FREE_ATTEMPTS - self.rejected
        return 1 if self.allowed_one_more and self.rejected < ALL_ATTEMPTS else 0

    @property
    def manager_may_allow(self) -> bool:
        return self.left == 0 and self.rejected < ALL_ATTEMPTS

    @property
    def why_spent(self) -> str:
        if self.manager_may_allow:
            return _("The bank rejected two sign-in attempts within a day. An account manager can allow one more.")
        return _("The bank rejected three sign-in attempts within a day. One more could lock the customer's account.")

    @property
    def codes_left(self) -> int:
        # The bank requested these codes, so none needs an account manager.
        return max(0, ALL_ATTEMPTS - self.rejected)


def budget_of(subject: Link | Operation) -> Budget:
    since = timezone.now() - WINDOW
    keys = (_link_id(subject), subject.end_user_id, subject.institution_id)
    recent = _RECENT.instances(*keys, since) if all(keys) else _recent(*keys, since)
    return budget_after(recent, subject, since)


def _recent(
    link: UUID | None, end_user: UUID | None, institution: UUID | None, since: datetime
) -> "QuerySet[Operation]":
    recent = Operation.objects.filter(_at_bank(link, end_user, institution, of_link="link"), counting(end_user, since))
    return recent.only("finished_at", "counts_as_attempt", "kind", "state")


def counting(end_user_id: UUID | None, since: datetime) -> Q:
    """What a budget depends on: operations of a customer that succeeded or were rejected since then."""
    has_signed_in = Q(kind__in=LOGIN_KINDS, state__in=DONE_STATES)
    return Q(end_user=end_user_id, finished_at__gt=since) & (has_signed_in | Q(counts_as_attempt=True))


def budget_after(recent: Iterable[Operation], subject: Link | Operation, since: datetime) -> Budget:
    """The budget after operations at the subject's bank: all that `counting` selects, and maybe others."""
    ended = [(each.finished_at, each) for each in recent if each.finished_at and each.finished_at > since]
    success = max((at for at, each in ended if each.has_signed_in), default=since)
    refused = sorted(at for at, each in ended if each.counts_as_attempt and at > success)
    if not refused:
        return Budget(0)
    keys = (_link_id(subject), subject.end_user_id, subject.institution_id)
    links = Link.objects.filter(_at_bank(*keys, of_link="pk"))
    mine = Q(link__in=links) | Q(operation__in=Operation.objects.filter(_at_bank(*keys, of_link="link")))
    allowed = AttemptAllowance.objects.filter(mine, allowed_at__gt=refused[-1]).exists()
    free_at = refused[-FREE_ATTEMPTS] + WINDOW if len(refused) >= FREE_ATTEMPTS else None
    return Budget(len(refused), allowed, free_at)


def latest_rejection(end_user: EndUser, bank: Institution) -> Operation:
    """Raises `Operation.DoesNotExist` if there is none."""
    refused = Operation.objects.with_names().filter(end_user__external_id=end_user.external_id, counts_as_attempt=True)
    return refused.filter(institution__integration=bank.integration_id, institution__name=bank.name).latest(
        "finished_at"
    )


def require_attempt(operation: Operation) -> None:
    """Raise a `Refusal` if no sign-in attempt is left. Call it after the intent is written."""
    if operation.link is None and operation.institution is None:
        return
    budget = _budget_alone(operation)
    if budget.left == 0:
        raise BudgetSpent(budget.why_spent)
    _require_room(operation, budget.left)


def require_code(asked: Operation) -> None:
    """Raise a `Refusal` if another wrong code could lock the account."""
    budget = _budget_alone(asked)
    if budget.codes_left == 0:
        raise BudgetSpent(budget.why_spent)
    _require_room(asked, budget.codes_left)


@transaction.atomic
def allow_attempt(*, actor: User, subject: Link | Operation, reason: str) -> None:
    """Raises OwnAttempt."""
    keys = (_link_id(subject), subject.end_user_id, subject.institution_id)
    if _recent(*keys, timezone.now() - WINDOW).filter(counts_as_attempt=True, actor=actor).exists():
        raise OwnAttempt
    is_link = isinstance(subject, Link)
    given_on = {"link": subject} if is_link else {"operation": subject}
    AttemptAllowance.objects.create(**given_on, allowed_by=actor, reason=reason)
    record(
        actor=actor,
        action=Action.ATTEMPT_ALLOWED,
        object_type=ObjectType.LINK if is_link else ObjectType.OPERATION,
        object_id=str(subject.pk),
        outcome=Outcome.DONE,
    )


def _budget_alone(operation: Operation) -> Budget:
    """The budget, locked: no other sign-in of this customer can start until the transaction ends."""
    if operation.end_user_id is not None:
        _LOCK_CUSTOMER.rows(operation.end_user_id)
    return budget_of(operation)


def _require_room(operation: Operation, left: int) -> None:
    """Open attempts count as if the bank rejects them all."""
    keys = (_link_id(operation), operation.end_user_id, operation.institution_id)
    in_flight = _IN_FLIGHT.instances(*keys) if all(keys) else _in_flight(*keys)
    if len(under_way := [each for each in in_flight if each.pk != operation.pk]) >= left:
        raise AlreadyOpen(under_way[0])


def _in_flight(link: UUID | None, end_user: UUID | None, institution: UUID | None) -> OperationQuerySet:
    at_bank = Operation.objects.filter(_at_bank(link, end_user, institution, of_link="link"))
    return at_bank.filter(kind__in=LOGIN_KINDS, state__in=IN_FLIGHT).with_names()


def _link_id(subject: Link | Operation) -> UUID | None:
    return subject.pk if isinstance(subject, Link) else subject.link_id


def _at_bank(link: UUID | None, end_user: UUID | None, institution: UUID | None, *, of_link: str) -> Q:
    same = Q(**{of_link: link}) if link else Q(pk__in=())
    if institution is None:  # an unnamed bank matches no other link
        return same
    return same | Q(end_user=end_user, institution=institution)


_LOCK_CUSTOMER = CompiledQuery(
    lambda pk: EndUser.objects.select_for_update(no_key=True).filter(pk=pk).values_list("pk")
)
_RECENT = CompiledQuery(_recent, types=(UUID, UUID, UUID, datetime))
_IN_FLIGHT = CompiledQuery(_in_flight, types=(UUID, UUID, UUID))
