"""What is possible while no sign-in attempt is left for a customer at a bank."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links.models import Link

from .acts import Offer, offer
from .budget import Budget
from .models import Operation


@dataclass(frozen=True, slots=True)
class Ways:
    free_at: datetime | None  # when the next attempt is free again
    manager_may_allow: bool
    allow_url: str  # where the reader allows one more; empty if it is not theirs to allow
    repair: Offer | None  # the customer repairs it without us


def ways_on(subject: Link | Operation, budget: Budget, *, user: User) -> Ways | None:
    """Return what can be done instead of another attempt; None while there is one."""
    if budget.left:
        return None
    link = subject if isinstance(subject, Link) else subject.link
    repair = offer("repair-address", link, None, user=user) if link else None
    may_allow = budget.manager_may_allow and may(user, Right.ALLOW_ATTEMPT)
    return Ways(
        free_at=budget.free_at,
        manager_may_allow=budget.manager_may_allow,
        allow_url=_allow_url(subject, link) if may_allow else "",
        repair=repair if repair and not repair.why else None,
    )


def _allow_url(subject: Link | Operation, link: Link | None) -> str:
    return reverse("link-attempt", args=[link.pk]) if link else reverse("operation-attempt", args=[subject.pk])
