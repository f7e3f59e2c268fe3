"""What staff can have done to a link beside repairing it: each as data, from which its page and button are drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links.models import Link
from linkadmin.providers.types import Capability, Cause, Choice, CredentialField, FieldKind

from .changes import CHANGES, would_repeat_refusal
from .models import Operation, OperationKind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Act:
    """One act: where it is, who may, what is asked for, and what the page says before it is done."""

    kind: OperationKind
    view: str
    right: Right
    icon: str
    name: "StrOrPromise"  # on the button that leads to its page
    title: "StrOrPromise"
    lead: "StrOrPromise"
    submit: "StrOrPromise"
    fields: Callable[[Link], tuple[CredentialField, ...]]
    notes: tuple["StrOrPromise", ...] = ()  # what to know before
    is_danger: bool = False

    @property
    def capability(self) -> Capability:
        return CHANGES[self.kind].capability

    def url_of(self, link: Link) -> str:
        return reverse(self.view, args=[link.pk])


@dataclass(frozen=True, slots=True)
class Offer:
    """A button for an act: a link to its page, or why it cannot be done now."""

    name: "StrOrPromise"
    icon: str
    url: str
    why: "StrOrPromise" = ""


ACTS: Mapping[str, Act] = {
    "settings": Act(
        OperationKind.CHANGE_SETTINGS,
        "link-settings",
        Right.CHANGE_LINK,
        "sliders-horizontal",
        _("Settings"),
        _("Change the settings"),
        _("What the provider keeps of this link, and how often it fetches it. Only what you change is sent."),
        _("Change the settings"),
        lambda link: _as_they_are(link, link.integration.provider_class.settings_fields(link.institution)),
    ),
    "fetch": Act(
        OperationKind.REFRESH_DATA,
        "link-fetch",
        Right.REFRESH,
        "download",
        _("Fetch new data"),
        _("Fetch new data"),
        _("The provider asks the bank for new data now, with the login it has."),
        _("Fetch new data"),
        lambda link: link.integration.provider_class.fetch_fields(link.institution),
        (
            _("This contacts the bank. To see what the provider knows already, use “Ask the provider now” instead."),
            _("Providers limit how often this can be done; a refusal says when it can be done again."),
        ),
    ),
    "delete": Act(
        OperationKind.REMOVE_LINK,
        "link-delete",
        Right.REMOVE_LINK,
        "trash-2",
        _("Delete…"),
        _("Delete at the provider"),
        _("Where a repair is possible it is always the better way."),
        _("Delete for good"),
        lambda link: link.integration.provider_class.removal_fields(),
        is_danger=True,
    ),
    "access-token": Act(
        OperationKind.REPLACE_TOKEN,
        "link-access-token",
        Right.CHANGE_LINK,
        "key-round",
        _("New access token"),
        _("Hand over a new access token"),
        _("For the same connection, after its token was exchanged for another. The link and its ids stay."),
        _("Hand it over"),
        lambda link: link.integration.provider_class.token_fields(),
        (
            _("A repair by the customer keeps the token: then this is not needed."),
            _("It goes to the provider once and is kept nowhere here."),
        ),
    ),
    "repair-address": Act(
        OperationKind.REPAIR_URL,
        "link-repair-address",
        Right.CHANGE_LINK,
        "send",
        _("Repair address"),
        _("Make a repair address"),
        _("An address where the customer signs in again by themselves, so that nobody here types a bank password."),
        _("Make the address"),
        lambda link: link.integration.provider_class.address_fields(),
        (
            _("Whoever has the address can use it while it lives: send it to the customer over a safe channel."),
            _("Making it changes nothing at the link. It is shown to you alone, held in memory until its time ends."),
        ),
    ),
    "reports": Act(
        OperationKind.REGENERATE_REPORTS,
        "link-reports",
        Right.CHANGE_LINK,
        "file-text",
        _("New reports"),
        _("Make the reports anew"),
        _("The provider has the reports of all this customer's links in this integration made anew."),
        _("Make the reports anew"),
        lambda _link: (),
        (_("Each report costs money at the provider's side. Those of links that do not work are left out."),),
    ),
}


def start_of(link: Link, operation: Operation) -> tuple[str, Right]:
    """Return the page where an operation on a link is begun anew, and the right that it takes."""
    act = next((each for each in ACTS.values() if each.kind == operation.origin.kind), None)
    if act is None:
        return reverse("link-credentials", args=[link.pk]), Right.UPDATE_CREDENTIALS
    return act.url_of(link), act.right


def offer(slug: str, link: Link, last: Operation | None, *, user: User) -> Offer | None:
    """Return the button for an act; none if the provider cannot do it, the reader may not, or the link is gone."""
    act = ACTS[slug]
    if link.is_disconnected or not link.integration.can(act.capability) or not may(user, act.right):
        return None
    return Offer(act.name, act.icon, act.url_of(link), _why_not_now(act, link, last))


def present_values(link: Link, fields: tuple[CredentialField, ...]) -> dict[str, object]:
    """Return what a form of settings starts from."""
    return {field.name: getattr(link, field.name) for field in fields if getattr(link, field.name, "")}


def _why_not_now(act: Act, link: Link, last: Operation | None) -> "StrOrPromise":
    if link.cause == Cause.SWITCHED_OFF.value:
        return _("Switched off. Connect it again first.")
    if not link.integration.is_active or link.integration.keys_refused:
        return _("The integration is switched off or its keys are refused.")
    if last is not None and last.is_open:
        return _("“%(what)s” is not over yet.") % {"what": last.get_kind_display()}
    if act.kind == OperationKind.REFRESH_DATA and would_repeat_refusal(link):
        return _("It is the customer's turn: another try with the stored login could lock them out.")
    if act.kind == OperationKind.CHANGE_SETTINGS and not act.fields(link):
        return _("The provider lets nothing be changed at this bank.")
    return ""


def _as_they_are(link: Link, fields: tuple[CredentialField, ...]) -> tuple[CredentialField, ...]:
    """Return settings with their present values to start from; one that is no choice of the provider's is kept."""
    return tuple(_as_it_is(field, getattr(link, field.name, "")) for field in fields)


def _as_it_is(field: CredentialField, present: str | list[str]) -> CredentialField:
    offered = {choice.value for choice in field.choices}
    values = present if isinstance(present, list) else [present] if present else []
    more = tuple(Choice(value, value) for value in values if value not in offered)
    if field.kind in (FieldKind.SELECT, FieldKind.MANY) and more:
        field = replace(field, choices=(*field.choices, *more))
    return field
