"""The buttons on a link's page that lead to changes: those that its provider can make, and the reader may."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links.models import Link
from linkadmin.operations.budget import Budget
from linkadmin.operations.changes import Change, change_of
from linkadmin.operations.changes.links import REPAIR_URL
from linkadmin.operations.models import Operation
from linkadmin.providers.types import Cause


@dataclass(frozen=True, slots=True)
class Offer:
    """A button for a change: a link to its page, or why it cannot be done now."""

    name: str | Promise
    icon: str
    url: str
    why: str | Promise = ""


def start_of(link: Link, operation: Operation) -> tuple[str, Right]:
    """Return the page where an operation on a link is begun anew, and the right that it takes."""
    change = change_of(operation)
    if change.page is None:
        return reverse("link-credentials", args=[link.pk]), Right.UPDATE_CREDENTIALS
    return change.page.url_of(link), change.right


def offer(change: Change[Any], link: Link, last: Operation | None, *, user: User) -> Offer | None:
    """Return the button for a change; none if the provider cannot do it, the reader may not, or the link is gone."""
    page, can = change.page, link.integration.can(change.capability)
    if page is None or link.is_disconnected or not can or not may(user, change.right):
        return None
    return Offer(page.name, page.icon, page.url_of(link), _why_not_now(link, last) or page.why_not(link))


def _why_not_now(link: Link, last: Operation | None) -> str:
    if link.cause == Cause.SWITCHED_OFF.value:
        return _("Switched off. Connect it again first.")
    if not link.integration.is_active or link.integration.keys_rejected:
        return _("The integration is switched off or its keys are refused.")
    if last is not None and last.is_open:
        return _("“%(what)s” is not over yet.") % {"what": last.get_kind_display()}
    return ""


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
    repair = offer(REPAIR_URL, link, None, user=user) if link else None
    may_allow = budget.manager_may_allow and may(user, Right.ALLOW_ATTEMPT)
    return Ways(
        free_at=budget.free_at,
        manager_may_allow=budget.manager_may_allow,
        allow_url=_allow_url(subject, link) if may_allow else "",
        repair=repair if repair and not repair.why else None,
    )


def _allow_url(subject: Link | Operation, link: Link | None) -> str:
    return reverse("link-attempt", args=[link.pk]) if link else reverse("operation-attempt", args=[subject.pk])
