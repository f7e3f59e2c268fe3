"""How many more times a bank may be asked before it locks the customer out.

Banks lock after three to five refusals. After two within a day an account manager has to allow one more; after three
nobody can. A success starts the count anew.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.links.models import Link

from .models import DONE_STATES, AttemptAllowance, Operation
from .refusals import BudgetSpent

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


def budget_of(link: Link) -> Budget:
    operations = Operation.objects.filter(link=link)
    since = timezone.now() - WINDOW
    success = operations.filter(state__in=DONE_STATES).aggregate(at=Max("ended_at"))["at"]
    refusals = operations.filter(counts_as_attempt=True, ended_at__gt=max(since, success or since))
    latest = refusals.aggregate(at=Max("ended_at"))["at"]
    allowed = link.allowances.filter(allowed_at__gt=latest).exists() if latest else False
    return Budget(refused=refusals.count(), allowed_one_more=allowed)


def require_attempt(link: Link) -> None:
    """Raise `BudgetSpent` when the bank must not be asked again now."""
    budget = budget_of(link)
    if budget.left == 0:
        raise BudgetSpent(manager_may_allow=budget.manager_may_allow)


def allow_attempt(*, actor: User, link: Link, reason: str) -> None:
    """Allow one more log-in at the bank, by an account manager's word."""
    log.record(
        actor=actor,
        action="link.attempt_allowed",
        object_type="link",
        object_id=str(link.pk),
        outcome=Outcome.DONE,
    )
    AttemptAllowance.objects.create(link=link, allowed_by=actor, reason=reason)
