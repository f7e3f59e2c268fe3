"""The head of a link's page: one sentence on whose turn it is, and the one main button that fits."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links.models import Link
from linkadmin.links.presentation import StateBadge, badge
from linkadmin.providers.types import Capability, HealthState

from .acts import offer
from .budget import Budget
from .models import Operation, State

REPAIRABLE = {
    HealthState.CUSTOMER_LOGIN,
    HealthState.CUSTOMER_CODE,
    HealthState.CUSTOMER_BANK,
    HealthState.UNKNOWN,
    HealthState.STALE,
    HealthState.SETTING_UP,
}
CUSTOMER_REPAIRS = {
    HealthState.CUSTOMER_LOGIN,
    HealthState.CUSTOMER_CODE,
    HealthState.CUSTOMER_CONSENT,
    HealthState.CUSTOMER_BANK,
}


@dataclass(frozen=True, slots=True)
class MainButton:
    """The next step: a link to it, or why it cannot be taken now."""

    label: str
    url: str = ""
    why: str = ""
    icon: str = "chevron-right"


@dataclass(frozen=True, slots=True)
class LinkVerdict:
    badge: StateBadge
    advice: str
    button: MainButton | None
    second: MainButton | None = None


def verdict_of(link: Link, last: Operation | None, *, user: User, budget: Budget) -> LinkVerdict:
    """Return what the page says first. An operation that is not over comes before everything else."""
    if last is not None and last.is_open:
        return _under_way(link, last)
    if link.is_proving:
        advice = _("The bank accepted the new login. It counts as working once a reading shows it; nothing to do.")
        return LinkVerdict(badge(link), advice, None)
    return LinkVerdict(badge(link), _advice(link), *_buttons(link, user=user, budget=budget))


def _advice(link: Link) -> str:
    if not link.waits_too_long:
        return str(link.verdict.advice)
    write = _("This has lasted more than two days: write to the provider's support with the request id.")
    return f"{link.verdict.advice} {write}"


def _under_way(link: Link, operation: Operation) -> LinkVerdict:
    if operation.state == State.NEEDS_TOKEN:
        button = MainButton(_("Enter code"), reverse("link-token", args=[link.pk]), icon="key-round")
        return LinkVerdict(badge(link), str(link.verdict.advice), button)
    label, advice = _words_of(operation)
    seen = StateBadge("warn" if operation.state == State.UNDECIDED else "info", "hourglass", label)
    return LinkVerdict(seen, advice, MainButton(_("Show how far it is"), operation.get_absolute_url()))


def _words_of(operation: Operation) -> tuple[str, str]:
    """Return how far an operation is, and what that means for the reader."""
    if operation.is_awaited:
        taken_on = _("It took the removal on and does it in its own time. We read its records until the link is gone.")
        return _("The provider removes it; checking"), taken_on
    if operation.state in (State.UNKNOWN, State.UNDECIDED):
        lost = _("The answer to the last call was lost. Nothing is sent again before we know what happened.")
        return _("Outcome unknown: checking"), lost
    label = _("Contacting the bank") if operation.logs_in else _("Contacting the provider")
    return label, _("A call is under way. Its panel shows the answer as soon as it comes.")


def _buttons(link: Link, *, user: User, budget: Budget) -> tuple[MainButton | None, MainButton | None]:
    state = HealthState(link.health)
    if state is HealthState.DISCONNECTED:
        return _create_again(link, user=user), None
    update = _update(link, user=user, budget=budget)
    address = _address(link, user=user) if state in CUSTOMER_REPAIRS else None
    takes_login = bool(link.integration.speaks.update_fields(link.institution))
    if state in REPAIRABLE:
        return (update, address) if takes_login or not address else (address, update)
    return address, update if update and update.url else None


def _address(link: Link, *, user: User) -> MainButton | None:
    """Return the way for the customer to repair it by themselves: the only one at a bank that takes no password."""
    made = offer("repair-address", link, None, user=user)
    return MainButton(str(made.name), made.url, icon=made.icon) if made and not made.why else None


def _update(link: Link, *, user: User, budget: Budget) -> MainButton | None:
    label = _("Update credentials")
    if not link.integration.can(Capability.UPDATE_CREDENTIALS) or link.is_ended:
        return None
    if not may(user, Right.UPDATE_CREDENTIALS):
        return MainButton(label, why=_("Only support can do this."))
    if not link.integration.speaks.update_fields(link.institution):
        return MainButton(label, why=_("This bank takes no password from us: the customer renews access there."))
    if budget.left == 0:
        return MainButton(label, why=_("The bank has refused too many attempts today."))
    return MainButton(label, reverse("link-credentials", args=[link.pk]), icon="key-round")


def _create_again(link: Link, *, user: User) -> MainButton | None:
    if not may(user, Right.CREATE_LINK):
        return None
    url = f"{reverse('link-new')}?integration={link.integration_id}&end_user={link.end_user_id}"
    return MainButton(_("Connect again"), url, icon="plus")
