"""How many more times a bank may be asked before it locks the customer out.

Banks lock after three to five refusals. After two within a day an account manager has to allow one more; after three
nobody can. A success starts the count anew.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.links.models import Link

from .models import DONE_STATES, LOGIN_KINDS, AttemptAllowance, Operation
from .refusals import BudgetSpent

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

WINDOW = timedelta(hours=24)
FREE_ATTEMPTS = 2
ALL_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Budget:
    refused: int  # log-ins the bank refused within the window, since the last success
    allowed_one_more: bool

    @property
    def left(self) -> int:
        """How many log-ins may still be tried."""
        if self.refused < FREE_ATTEMPTS:
            return FREE_ATTEMPTS - self.refused
        return 1 if self.allowed_one_more and self.refused < ALL_ATTEMPTS else 0

    @property
    def manager_may_allow(self) -> bool:
        return self.left == 0 and self.refused < ALL_ATTEMPTS

    @property
    def why_spent(self) -> "StrOrPromise":
        """Say why nothing is left, and who can help."""
        return BudgetSpent(manager_may_allow=self.manager_may_allow).words

    @property
    def codes_left(self) -> int:
        """How many one-time codes may still be given: the bank asked for them itself, so none needs a manager."""
        return max(0, ALL_ATTEMPTS - self.refused)


def budget_of(link: Link) -> Budget:
    refused, latest = _refusals(Operation.objects.filter(link=link))
    allowed = link.allowances.filter(allowed_at__gt=latest).exists() if latest else False
    return Budget(refused=refused, allowed_one_more=allowed)


def require_attempt(link: Link) -> None:
    """Raise `BudgetSpent` when the bank must not be asked again now."""
    budget = budget_of(link)
    if budget.left == 0:
        raise BudgetSpent(manager_may_allow=budget.manager_may_allow)


def require_code(asked: Operation) -> None:
    """Raise `BudgetSpent` when another wrong code could lock the customer out."""
    if asked.link and budget_of(asked.link).codes_left == 0:
        raise BudgetSpent(manager_may_allow=False)


def require_registration(operation: Operation) -> None:
    """Raise `BudgetSpent` when the bank refused this customer so often that a new link must not be tried now."""
    if operation.institution is None:
        return
    tries = Operation.objects.filter(end_user=operation.end_user, institution=operation.institution)
    if _refusals(tries)[0] >= ALL_ATTEMPTS:
        raise BudgetSpent(manager_may_allow=False)


@transaction.atomic
def allow_attempt(*, actor: User, link: Link, reason: str) -> None:
    """Allow one more log-in at the bank, by an account manager's word."""
    AttemptAllowance.objects.create(link=link, allowed_by=actor, reason=reason)
    log.record(
        actor=actor,
        action="link.attempt_allowed",
        object_type="link",
        object_id=str(link.pk),
        outcome=Outcome.DONE,
    )


def _refusals(operations: "QuerySet[Operation]") -> tuple[int, datetime | None]:
    """Return how often the bank refused within the window, since the last success, and when it last did."""
    since = timezone.now() - WINDOW
    success = operations.filter(kind__in=LOGIN_KINDS, state__in=DONE_STATES).aggregate(at=Max("ended_at"))["at"]
    refused = operations.filter(counts_as_attempt=True, ended_at__gt=max(since, success or since))
    found = refused.aggregate(n=Count("pk"), at=Max("ended_at"))
    return found["n"], found["at"]
