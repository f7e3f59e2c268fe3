"""Buttons of a link's page: the main one, which fits the link and its reader, and those for other changes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may, rights_of
from linkadmin.integrations.limits import Limits
from linkadmin.links.causes import Remedy, RepairKind
from linkadmin.links.listing.known import companion_of
from linkadmin.links.models import Link
from linkadmin.links.presentation import Standing, UnderWay, standing_with
from linkadmin.operations.budget import Budget
from linkadmin.operations.changes import PAGES, Change, change_of
from linkadmin.operations.changes.links import REFRESH_DATA
from linkadmin.operations.changes.removal import REMOVAL
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.operations.presentation.repair_requests import way_of
from linkadmin.providers.records import Reach
from linkadmin.providers.types import Capability, Cause

from .explanations import under_way_by
from .next_step import FACTS, NO_REQUEST, STEPS, Step, StepChoice, next_steps


@dataclass(frozen=True, slots=True)
class Offer:
    """An entry of a link's menu: a link to its page, or why it isn't available."""

    name: str | Promise
    icon: str
    url: str
    why: str | Promise = ""
    note: str | Promise = ""  # what it does, if its name doesn't say
    is_danger: bool = False


def start_of(link: Link, operation: Operation) -> tuple[str, Right]:
    """The page where an operation can be started over, and the right it needs."""
    change = change_of(operation)
    if change.page is None:
        return reverse("link-credentials", args=[link.pk]), Right.UPDATE_CREDENTIALS
    return change.page.url_of(link), change.right


def offer(change: Change[Any], link: Link, last: Operation | None, *, user: User) -> Offer | None:
    page, can = change.page, link.integration.can(change.capability)
    if page is None or link.is_disconnected or not can or not may(user, change.right):
        return None
    return Offer(page.title, page.icon, page.url_of(link), _why_not_now(link, last) or page.why_not(link))


def repair_request_offer(link: Link, *, user: User) -> Offer | None:
    facts = FACTS[Step.SEND_REPAIR_REQUEST]
    if not may(user, facts.right):
        return None
    return Offer(facts.label, facts.icon, reverse(facts.page, args=[link.pk]), way_of(link).why_not)


def _why_not_now(link: Link, last: Operation | None) -> str:
    if link.cause == Cause.SWITCHED_OFF.value:
        return _("Disconnected. Reconnect it first.")
    if not link.integration.is_active or link.integration.keys_rejected:
        return _("The integration is inactive, or its API keys are rejected.")
    if last is not None and last.is_open:
        return _("“%(what)s” is still in progress.") % {"what": last.get_kind_display()}
    return ""


@dataclass(frozen=True, slots=True)
class Ways:
    budget: Budget
    allow_url: str  # where the reader can allow one more; empty if they may not
    repair: Offer | None  # a repair by the customer


def ways_on(subject: Link | Operation, budget: Budget, *, user: User) -> Ways | None:
    if budget.left:
        return None
    link = subject if isinstance(subject, Link) else subject.link
    repair = repair_request_offer(link, user=user) if link else None
    may_allow = budget.manager_may_allow and may(user, Right.ALLOW_ATTEMPT)
    return Ways(
        budget=budget,
        allow_url=_allow_url(subject, link) if may_allow else "",
        repair=repair if repair and not repair.why else None,
    )


def _allow_url(subject: Link | Operation, link: Link | None) -> str:
    return reverse("link-attempt", args=[link.pk]) if link else reverse("operation-attempt", args=[subject.pk])


@dataclass(frozen=True, slots=True)
class MainButton:
    """The next step: a link to it, a text to copy, or why it isn't available."""

    label: str
    url: str = ""
    why: str = ""
    icon: str = "chevron-right"
    copies: str = ""
    is_form: bool = False  # its page is a form that fits into the link's page


@dataclass(frozen=True, slots=True)
class LinkHead:
    standing: Standing
    button: MainButton | None = None
    second: MainButton | None = None
    hint: str = ""  # who can act, if not the reader

    @property
    def urls(self) -> set[str]:
        return {button.url for button in (self.button, self.second) if button}


def head_of(
    link: Link, last: Operation | None, *, user: User, budget: Budget, limits: Limits, asked: UnderWay | None = None
) -> LinkHead:
    """`asked` is the link's repair request."""
    standing = standing_with(link, under_way_by(last) or asked)
    if last is not None and last.is_open:
        return LinkHead(standing, _under_way(last, user=user))
    way = next_steps(
        standing.remedy,
        known=known_steps(link),
        rights=rights_of(user),
        why_not=_why_not(link, limits, standing.remedy, budget=budget),
    )
    hint = ""
    if way.for_support:
        hint = _("Next step for support: %(step)s") % {"step": FACTS[way.for_support].label}
    main = _allowance(link, user=user, budget=budget) or _button(link, way.main)
    return LinkHead(standing, main, _button(link, way.second), hint)


def action_on(link: Link, under_way: UnderWay | None, rights: frozenset[Right]) -> tuple[str, str] | None:
    """The main button, as far as it can be told without a query: whether attempts are left is seen on its page."""
    if under_way and not under_way.keeps_steps:
        may_enter = under_way.needs_code and Right.UPDATE_CREDENTIALS in rights
        return (_("Enter code"), reverse("link-code", args=[link.pk])) if may_enter else None
    if not link.integration.is_active or link.integration.keys_rejected:
        return None
    main = next_steps(link.judgment.remedy, known=known_steps(link), rights=rights).main
    if main is None or main.step in NO_REQUEST:
        return None
    return str(FACTS[main.step].label), _url_of(link, main.step)


def menu_of(link: Link, last: Operation | None, head: LinkHead, *, user: User, budget: Budget) -> list[Offer]:
    """All that the reader can do to a link, besides the main button and a status check."""
    second, found = head.second, []
    if second:
        found.append(Offer(second.label, second.icon, second.url, second.why))
    allowance = _allowance(link, user=user, budget=budget)
    if allowance and allowance.url not in head.urls:
        found.append(Offer(allowance.label, allowance.icon, allowance.url))
    asking = repair_request_offer(link, user=user)
    if asking and asking.url not in head.urls:
        found.append(asking)
    for change in (REFRESH_DATA, *(each for each in PAGES.values() if each.page and each.page.is_beside)):
        entry = offer(change, link, last, user=user)
        if entry and entry.url not in head.urls:
            found.append(replace(entry, note=_("Contacts the bank.")) if change is REFRESH_DATA else entry)
    removal = offer(REMOVAL, link, last, user=user)
    return [*found, replace(removal, note=_what_goes(link), is_danger=True)] if removal else found


def _allowance(link: Link, *, user: User, budget: Budget) -> MainButton | None:
    if not budget.manager_may_allow or not may(user, Right.ALLOW_ATTEMPT):
        return None
    return MainButton(_("Allow one more attempt"), reverse("link-attempt", args=[link.pk]), icon="key-round")


def _what_goes(link: Link) -> str:
    is_wide = link.integration.provider_class.removal_reach is Reach.CUSTOMER
    others = (getattr(link, "others_standing", None) or 0) if is_wide else 0
    if not others:
        return _("Disconnects this link at the provider. This can't be undone.")
    return ngettext(
        "Disconnects this link and this customer's %(others)d other link.",
        "Disconnects this link and this customer's %(others)d other links.",
        others,
    ) % {"others": others}


def known_steps(link: Link) -> frozenset[Step]:
    return frozenset(_known(link))


def _known(link: Link) -> Iterator[Step]:
    integration = link.integration
    if integration.can(Capability.CREATE):
        yield Step.CONNECT_AGAIN
    if link.is_disconnected:
        return
    if link.repair_kind is RepairKind.TYPED:
        yield Step.UPDATE_CREDENTIALS
    if integration.can(Capability.REPAIR_URL) or companion_of(integration):
        yield Step.SEND_REPAIR_REQUEST
    for step in (Step.REFRESH_DATA, Step.REPLACE_TOKEN, Step.REGENERATE_REPORTS):
        change = FACTS[step].change
        if change and integration.can(change.capability):
            yield step


def _why_not(link: Link, limits: Limits, remedy: Remedy, *, budget: Budget) -> dict[Step, str]:
    changes = {step: FACTS[step].change for step in STEPS[remedy]}
    found = {step: _why_no_call(limits, change.kind) for step, change in changes.items() if change}
    found[Step.SEND_REPAIR_REQUEST] = str(way_of(link).why_not)
    if Step.UPDATE_CREDENTIALS in found and budget.left == 0:
        found[Step.UPDATE_CREDENTIALS] = found[Step.UPDATE_CREDENTIALS] or _(
            "The bank rejected too many attempts today."
        )
    return {step: why for step, why in found.items() if why}


def _why_no_call(limits: Limits, call: OperationKind) -> str:
    integration = limits.integration
    if not integration.is_active:
        return _("The integration is inactive. An administrator can activate it.")
    if integration.keys_rejected:
        return _("%(provider)s is rejecting our API keys. An administrator needs to correct them first.") % {
            "provider": integration.provider_label
        }
    return limits.why_denied(call)


def _under_way(operation: Operation, *, user: User) -> MainButton | None:
    if operation.state == State.NEEDS_CODE:
        return None  # the code step is on the link's page
    decides = (
        operation.state == State.NEEDS_DECISION and may(user, Right.DECIDE_OUTCOME) and operation.actor_id != user.pk
    )
    return MainButton(_("Resolve manually") if decides else _("Show progress"), operation.get_absolute_url())


def _button(link: Link, choice: StepChoice | None) -> MainButton | None:
    if choice is None:
        return None
    facts = FACTS[choice.step]
    label, icon = facts.label, facts.icon
    if choice.after_bank:
        label = _("The customer completed this at the bank: %(step)s") % {"step": label}
    if choice.why:
        return MainButton(str(label), why=choice.why)
    if choice.step in NO_REQUEST and choice.step is not Step.OPEN_INTEGRATION:
        return MainButton(str(label), icon=icon, copies=_report(link))
    is_form = choice.step is Step.UPDATE_CREDENTIALS
    return MainButton(str(label), _url_of(link, choice.step), icon=icon, is_form=is_form)


def _url_of(link: Link, step: Step) -> str:
    facts = FACTS[step]
    if facts.page:
        return reverse(facts.page, args=[link.pk])
    if facts.change and facts.change.page:
        return facts.change.page.url_of(link)
    if step is Step.OPEN_INTEGRATION:
        return link.integration.get_absolute_url()
    return f"{reverse('link-new')}?integration={link.integration_id}&end_user={link.end_user_id}"


def _report(link: Link) -> str:
    # IDs and the provider's own words, no names.
    known = [
        (_("Provider"), link.integration.provider_label),
        (link.integration.remote_id_label, link.remote_id),
        (_("Customer ID"), link.end_user.external_id),
        (_("Institution"), link.institution.name if link.institution else ""),
        (_("Status"), link.raw_status),
        (_("Code"), link.raw_code),
        (_("Message"), link.raw_words),
        (_("Request ID"), link.request_id),
        (_("Since"), link.health_since.isoformat(timespec="seconds")),
    ]
    return "\n".join(f"{label}: {value}" for label, value in known if value)
