"""Why a provider's records could not be read, in words: what happened, what it means, what to do."""

from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from linkadmin.integrations.denials import DENIED, KEYS_REJECTED, words_for
from linkadmin.operations.presentation.explanations import Explanation
from linkadmin.operations.refusals import Refusal
from linkadmin.providers.errors import (
    Blocked,
    Busy,
    Failure,
    InvalidInput,
    KeysRejected,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Unsupported,
)

from .live_queries import QueryFailure

KEYS_REFUSED = Explanation(
    "bad",
    gettext_lazy("The provider refused our keys"),
    gettext_lazy("No link and no customer is at fault; no call of this integration will work."),
    gettext_lazy("Tell an administrator to test the integration's connection."),
)
# What an error means whatever else is known of it; the last row is of every other one.
MEANINGS = {
    KeysRejected: KEYS_REFUSED,
    NotFound: Explanation(
        "info",
        gettext_lazy("The provider does not know it"),
        gettext_lazy("It was removed there, or belongs to another account or environment."),
        gettext_lazy("Compare the id with what the provider's own pages show."),
    ),
    Blocked: Explanation(
        "warn",
        gettext_lazy("The provider's firewall rejected this request"),
        gettext_lazy("It was rejected before the provider handled it. Other requests still go through."),
        gettext_lazy("Try again with other words. If it happens again, tell an administrator."),
    ),
    InvalidInput: Explanation(
        "bad",
        gettext_lazy("The provider did not accept the question"),
        gettext_lazy("It was asked, and answered nothing."),
        gettext_lazy("Correct what is typed into the filter and ask again."),
    ),
    Unsupported: Explanation(
        "info",
        gettext_lazy("This provider cannot tell"),
        gettext_lazy("It has no such records for this."),
        gettext_lazy("There is nothing to do."),
    ),
    ProviderError: Explanation(
        "bad",
        gettext_lazy("The provider refused it"),
        gettext_lazy("Nothing was read, and nothing was changed."),
        gettext_lazy("Read the provider's words below; with the request id its support can find the call."),
    ),
}


def explain_failure(trouble: QueryFailure) -> Explanation:
    """Say what became of a read that brought nothing."""
    if issubclass(trouble.error, NotSent):
        return _not_sent(trouble.failure)
    if issubclass(trouble.error, OutcomeUnknown):
        return _no_answer(trouble.failure)
    if issubclass(trouble.error, Busy):
        meaning = _("The provider wants fewer calls for a while.")
        return Explanation("warn", _("Not now"), meaning, _when(trouble.failure))
    return next(said for error, said in MEANINGS.items() if issubclass(trouble.error, error))


def explain_refusal(refusal: Refusal) -> Explanation:
    """Say why our own rules forbade a read."""
    return Explanation("warn", _("Nothing was asked"), str(refusal.words), _("What we know ourselves is not touched."))


def _not_sent(failure: Failure) -> Explanation:
    reason = failure.reason
    if reason == KEYS_REJECTED:
        return KEYS_REFUSED
    if reason in DENIED:
        return Explanation("warn", _("Not asked now"), words_for(reason), _when(failure))
    nothing = _("Nothing was asked, so this page says nothing about links or customers.")
    return Explanation(
        "warn",
        _("The provider could not be reached"),
        f"{words_for(reason)} {nothing}".strip(),
        _("Try again in a moment. If it stays so, tell an administrator to test the integration's connection."),
    )


def _no_answer(failure: Failure) -> Explanation:
    if failure.reason == "our_fault":
        return Explanation(
            "bad",
            _("The answer could not be shown"),
            _("The provider answered, and we stumbled over it. No link and no customer is at fault."),
            _("Tell your developers the moment and this address."),
        )
    meaning = words_for(failure.reason) or _("The provider is in trouble.")
    return Explanation(
        "warn", _("No usable answer came"), meaning, _("Reading changes nothing there: ask again whenever you like.")
    )


def _when(failure: Failure) -> str:
    seconds = ceil(failure.retry_after or 0)
    if not seconds:
        return _("Try again in a few minutes.")
    return ngettext("Try again in one second.", "Try again in %(count)d seconds.", seconds) % {"count": seconds}
