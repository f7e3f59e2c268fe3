"""Explains why provider records couldn't be read: what happened, what it means, what to do."""

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

# What each error means; the last row is the fallback.
MEANINGS = {
    KeysRejected: Explanation(
        "bad",
        gettext_lazy("The provider rejected our API keys"),
        gettext_lazy(
            "Nothing is wrong with the links or customers. No requests through this integration will work until "
            "this is fixed."
        ),
        gettext_lazy("Ask an administrator to test the integration's connection."),
    ),
    NotFound: Explanation(
        "info",
        gettext_lazy("The provider has no record of this"),
        gettext_lazy("It was removed there, or it belongs to another account or environment."),
        gettext_lazy("Compare the ID with the one in the provider's dashboard."),
    ),
    Blocked: Explanation(
        "warn",
        gettext_lazy("The provider's firewall rejected this request"),
        gettext_lazy("It was rejected before the provider handled it. Other requests still go through."),
        gettext_lazy("Try a different search. If this keeps happening, tell an administrator."),
    ),
    InvalidInput: Explanation(
        "bad",
        gettext_lazy("The provider rejected the request"),
        gettext_lazy("It returned no data."),
        gettext_lazy("Correct the filter and try again."),
    ),
    Unsupported: Explanation(
        "info",
        gettext_lazy("This provider can't show this"),
        gettext_lazy("It doesn't have records of this kind."),
        gettext_lazy("There's nothing to do."),
    ),
    ProviderError: Explanation(
        "bad",
        gettext_lazy("Rejected by the provider"),
        gettext_lazy("No data was read or changed."),
        gettext_lazy("Read the provider's response below. Provider support can look up the request by its ID."),
    ),
}


def explain_failure(trouble: QueryFailure) -> Explanation:
    if issubclass(trouble.error, NotSent):
        return _not_sent(trouble.failure)
    if issubclass(trouble.error, OutcomeUnknown):
        return _no_answer(trouble.failure)
    if issubclass(trouble.error, Busy):
        meaning = _("The provider is rate-limiting us.")
        return Explanation("warn", _("Can't do this right now"), meaning, _when(trouble.failure))
    return next(said for error, said in MEANINGS.items() if issubclass(trouble.error, error))


def explain_refusal(refusal: Refusal) -> Explanation:
    return Explanation("warn", _("No request was sent"), str(refusal.words), _("Our own records aren't affected."))


def _not_sent(failure: Failure) -> Explanation:
    reason = failure.reason
    if reason == KEYS_REJECTED:
        return MEANINGS[KeysRejected]
    if reason in DENIED:
        return Explanation("warn", _("Not requested"), words_for(reason), _when(failure))
    nothing = _("We sent no request, so this page can't show links or customers.")
    return Explanation(
        "warn",
        _("We couldn't reach the provider"),
        f"{words_for(reason)} {nothing}".strip(),
        _("Try again in a moment. If this keeps happening, ask an administrator to test the integration's connection."),
    )


def _no_answer(failure: Failure) -> Explanation:
    if failure.reason == "our_fault":
        return Explanation(
            "bad",
            _("We couldn't show the response"),
            _("The provider responded, but we couldn't process it. Nothing is wrong with the links or customers."),
            _("Tell the developers the time and this page's URL."),
        )
    meaning = words_for(failure.reason) or _("The provider reported an error.")
    return Explanation(
        "warn",
        _("No usable response"),
        meaning,
        _("Reloading doesn't change anything at the provider, so you can reload anytime."),
    )


def _when(failure: Failure) -> str:
    seconds = ceil(failure.retry_after or 0)
    if not seconds:
        return _("Try again in a few minutes.")
    return ngettext("Try again in 1 second.", "Try again in %(count)d seconds.", seconds) % {"count": seconds}
