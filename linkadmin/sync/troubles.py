"""Why a provider's records could not be read, in words: what happened, what it means, what to do."""

from collections.abc import Callable
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.integrations.denials import DENIED, KEYS_REJECTED, words_for
from linkadmin.operations.presentation.explanations import Explanation
from linkadmin.operations.refusals import Refusal
from linkadmin.providers.errors import (
    Blocked,
    Busy,
    InvalidInput,
    KeysRejected,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Unsupported,
)

from .live_queries import QueryFailure


def explain_failure(trouble: QueryFailure) -> Explanation:
    """Say what became of a read that brought nothing."""
    for error, tell in _TELLING:
        if issubclass(trouble.error, error):
            return tell(trouble)
    return _refused(trouble)


def explain_refusal(refusal: Refusal) -> Explanation:
    """Say why our own rules forbade a read."""
    return Explanation("warn", _("Nothing was asked"), str(refusal.words), _("What we know ourselves is not touched."))


def _not_sent(trouble: QueryFailure) -> Explanation:
    reason = trouble.failure.reason
    if reason == KEYS_REJECTED:
        return _keys(trouble)
    if reason in DENIED:
        return Explanation("warn", _("Not asked now"), words_for(reason), _when(trouble))
    nothing = _("Nothing was asked, so this page says nothing about links or customers.")
    return Explanation(
        "warn",
        _("The provider could not be reached"),
        f"{words_for(reason)} {nothing}".strip(),
        _("Try again in a moment. If it stays so, tell an administrator to test the integration's connection."),
    )


def _no_answer(trouble: QueryFailure) -> Explanation:
    if trouble.failure.reason == "our_fault":
        return Explanation(
            "bad",
            _("The answer could not be shown"),
            _("The provider answered, and we stumbled over it. No link and no customer is at fault."),
            _("Tell your developers the moment and this address."),
        )
    meaning = words_for(trouble.failure.reason) or _("The provider is in trouble.")
    return Explanation(
        "warn", _("No usable answer came"), meaning, _("Reading changes nothing there: ask again whenever you like.")
    )


def _keys(_trouble: QueryFailure) -> Explanation:
    return Explanation(
        "bad",
        _("The provider refused our keys"),
        _("No link and no customer is at fault; no call of this integration will work."),
        _("Tell an administrator to test the integration's connection."),
    )


def _unknown_there(_trouble: QueryFailure) -> Explanation:
    return Explanation(
        "info",
        _("The provider does not know it"),
        _("It was removed there, or belongs to another account or environment."),
        _("Compare the id with what the provider's own pages show."),
    )


def _busy(trouble: QueryFailure) -> Explanation:
    return Explanation("warn", _("Not now"), _("The provider wants fewer calls for a while."), _when(trouble))


def _when(trouble: QueryFailure) -> str:
    seconds = ceil(trouble.failure.retry_after or 0)
    if not seconds:
        return _("Try again in a few minutes.")
    return ngettext("Try again in one second.", "Try again in %(count)d seconds.", seconds) % {"count": seconds}


def _blocked(_trouble: QueryFailure) -> Explanation:
    return Explanation(
        "warn",
        _("The provider's firewall rejected this request"),
        _("It was rejected before the provider handled it. Other requests still go through."),
        _("Try again with other words. If it happens again, tell an administrator."),
    )


def _invalid(_trouble: QueryFailure) -> Explanation:
    return Explanation(
        "bad",
        _("The provider did not accept the question"),
        _("It was asked, and answered nothing."),
        _("Correct what is typed into the filter and ask again."),
    )


def _refused(_trouble: QueryFailure) -> Explanation:
    return Explanation(
        "bad",
        _("The provider refused it"),
        _("Nothing was read, and nothing was changed."),
        _("Read the provider's words below; with the request id its support can find the call."),
    )


def _cannot(_trouble: QueryFailure) -> Explanation:
    return Explanation(
        "info", _("This provider cannot tell"), _("It has no such records for this."), _("There is nothing to do.")
    )


_TELLING: tuple[tuple[type[ProviderError], Callable[[QueryFailure], Explanation]], ...] = (
    (NotSent, _not_sent),
    (OutcomeUnknown, _no_answer),
    (KeysRejected, _keys),
    (NotFound, _unknown_there),
    (Blocked, _blocked),
    (Busy, _busy),
    (InvalidInput, _invalid),
    (Unsupported, _cannot),
)
