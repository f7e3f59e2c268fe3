"""What a change of the table that took effect means, in words: what happened, what it means, what to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.providers.types import Cause

from .changes import is_on
from .models import Operation
from .models import OperationKind as Kind


@dataclass(frozen=True, slots=True)
class Explanation:
    tone: str
    title: str
    meaning: str
    advice: str = ""


def explain_change(operation: Operation) -> Explanation:
    """Say what came of a change that took effect."""
    return _DONE[Kind(operation.kind)](operation)


def _fetched(_operation: Operation) -> Explanation:
    return _good(
        _("The provider fetches new data"),
        _("It asks the bank in its own time; the link's page shows new data once it is there."),
        _("Look again in a few minutes. Should the bank want a code or a new login, the link says so."),
    )


def _settings(_operation: Operation) -> Explanation:
    return _good(_("The settings are changed"), _("The provider's own record shows them."))


def _removed(operation: Operation) -> Explanation:
    count = operation.result.get("links", 1)
    ended = ngettext("%(count)d link ended.", "%(count)d links ended.", count) % {"count": count}
    is_off = operation.result.get("cause") == Cause.SWITCHED_OFF.value
    title = _("Switched off at the provider") if is_off else _("Removed at the provider")
    return _good(title, ended, _("Connect again if the customer wants it back."))


def _token(_operation: Operation) -> Explanation:
    return _good(_("The provider has the new access token"), _("A reading of the link shows whether it works with it."))


def _address(_operation: Operation) -> Explanation:
    return _good(
        _("The repair address is made"),
        _("Nothing has changed at the link yet: the customer repairs it there."),
    )


def _reports(operation: Operation) -> Explanation:
    processed, failed = operation.result.get("processed", 0), len(operation.result.get("failed", []))
    made = ngettext("Reports of %(count)d link are made anew.", "Reports of %(count)d links are made anew.", processed)
    meaning = made % {"count": processed}
    if not failed:
        return _good(_("The reports are made anew"), meaning)
    lost = ngettext("%(count)d could not be.", "%(count)d could not be.", failed) % {"count": failed}
    advice = _("Look at these links: what keeps them from working is on their pages.")
    return Explanation("warn", _("Some reports could not be made anew"), f"{meaning} {lost}", advice)


def _customer(_operation: Operation) -> Explanation:
    return _good(_("The provider knows the customer now"), _("Links can be created for them."))


def _source(operation: Operation) -> Explanation:
    if is_on(operation.parameters):
        return _good(_("The data source counts"), _("Its transactions are part of the customer's figures again."))
    return _good(
        _("The data source is left out"),
        _("Its transactions are no part of the customer's figures. Nothing is deleted."),
    )


def _subscribed(_operation: Operation) -> Explanation:
    return _good(_("Subscribed"), _("The provider sends this topic's messages from now on."))


def _switched(operation: Operation) -> Explanation:
    if is_on(operation.parameters):
        return _good(_("The subscription goes on"), _("The provider sends its messages again."))
    return _good(_("The subscription is paused"), _("Messages of this topic are not sent meanwhile, nor later."))


def _unsubscribed(_operation: Operation) -> Explanation:
    return _good(_("The subscription is ended"), _("The provider sends its messages no more."))


def _good(title: str, meaning: str, advice: str = "") -> Explanation:
    return Explanation("ok", title, meaning, advice)


_DONE: Mapping[Kind, Callable[[Operation], Explanation]] = {
    Kind.REFRESH_DATA: _fetched,
    Kind.CHANGE_SETTINGS: _settings,
    Kind.REMOVE_LINK: _removed,
    Kind.REPLACE_TOKEN: _token,
    Kind.REPAIR_URL: _address,
    Kind.REGENERATE_REPORTS: _reports,
    Kind.CREATE_END_USER: _customer,
    Kind.SWITCH_DATA_SOURCE: _source,
    Kind.ADD_WEBHOOK: _subscribed,
    Kind.SWITCH_WEBHOOK: _switched,
    Kind.REMOVE_WEBHOOK: _unsubscribed,
}
