"""What an operation's end means, in words: what happened, what it means, what to do."""

from http import HTTPStatus

from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.heartbeats import watch
from linkadmin.integrations.denials import DENIED, clock_time, words_for
from linkadmin.links.causes import VERDICTS
from linkadmin.providers.types import Cause

from .challenges import MOST_ANSWERS, AskedAgain
from .change_words import Explanation, explain_change
from .changes import CHANGES
from .models import ADDRESS_LOST, ATTEMPTS_SPENT, TOO_MANY_STEPS, Operation, OperationKind, State
from .outcomes import NOT_REPAIRED, NOT_TAKEN
from .under_way import unknown_label, why_unknown

__all__ = ["Explanation", "explain"]


def explain(operation: Operation) -> Explanation:
    """Say what became of an operation that is over, or lost."""
    if operation.is_done and operation.kind in CHANGES:
        return explain_change(operation)
    if operation.is_done:
        return Explanation("ok", _("Done"), _("The provider accepted it."))
    if operation.state in (State.UNKNOWN, State.NEEDS_DECISION) or operation.is_lost:
        return _lost(operation)
    if operation.state == State.NOT_SENT and operation.outcome in DENIED:
        return Explanation(
            "warn",
            _("Nothing was sent"),
            words_for(operation.outcome),
            _when_again(operation) or _("Try again in a few minutes."),
        )
    if operation.state == State.NOT_SENT:
        return Explanation(
            "warn",
            _("Nothing was sent"),
            _("The provider could not be reached, so nothing happened at the bank."),
            _("Try again. If it stays so, tell an administrator."),
        )
    if operation.state == State.CONFIRMED_NOT_DONE:
        return Explanation(
            "warn",
            _("It was not done"),
            _("The answer was lost; the provider's records show that nothing was changed."),
            _("You can start again."),
        )
    if operation.state == State.EXPIRED:
        return _expired(operation)
    if operation.state == State.CODE_ENTERED:
        return Explanation("quiet", _("The code was given"), _("What came of it is in the operation that sent it."))
    if operation.state == State.CANCELED:
        return Explanation("quiet", _("Withdrawn"), _("It was never sent."))
    return _refused(operation)


def _lost(operation: Operation) -> Explanation:
    if operation.is_awaited:
        return Explanation(
            "info",
            unknown_label(operation),
            _("It took the removal on and does it in its own time. Nothing is sent again."),
            watch.ongoing(_("We read its records until the link is gone. You can leave this page.")),
        )
    if operation.state == State.NEEDS_DECISION:
        return Explanation(
            "warn",
            _("Unknown: a person must decide"),
            why_unknown(operation) + " " + _("The provider's records prove neither success nor failure."),
            _("An account manager who did not start it finds out, with the customer, and decides on this page."),
        )
    return Explanation(
        "info",
        unknown_label(operation),
        why_unknown(operation) + " " + _("It may have been done or not; nothing is sent again by itself."),
        watch.ongoing(_("We read the provider's records until they show what happened. You can leave this page.")),
    )


def _expired(operation: Operation) -> Explanation:
    if operation.outcome == ADDRESS_LOST:
        return Explanation(
            "warn",
            _("The repair address was lost on its way"),
            _("Nobody has it, and nothing was changed at the link."),
            _("Make a new one when it is needed."),
        )
    if operation.outcome == "withdrawn":
        return Explanation("quiet", _("Given up"), _("The code was not sent; the login attempt was given up."))
    if operation.outcome == "code_request_lost":
        return Explanation(
            "warn",
            _("The bank asked for a code, and its question was lost"),
            _("The login attempt cannot be continued."),
            _("Start again; the bank will ask for a new code."),
        )
    return Explanation(
        "warn",
        _("The code came too late"),
        _("The bank waits for a code only for a while, and this login attempt is over."),
        _("Start again: the credentials have to be entered once more, then the bank sends a new code."),
    )


def _refused(operation: Operation) -> Explanation:
    if operation.cause:
        verdict = VERDICTS[Cause(operation.cause)]
        meaning = _("The provider refused it.")
        if operation.outcome == NOT_REPAIRED:
            meaning = _("The provider took the values, and says that the link does not work with them.")
        advice = " ".join(filter(None, [str(verdict.advice), _when_again(operation)]))
        return Explanation("bad", str(verdict.reason), meaning, advice)
    return _REFUSALS.get(operation.outcome, _plainly_refused)(operation)


def _plainly_refused(operation: Operation) -> Explanation:
    return Explanation(
        "bad",
        _("The provider refused it"),
        _("Nothing was changed."),
        _("Read the provider's words below; with the request id its support can find the call.")
        if operation.words
        else _("The response gave no reason. Try again later; if it stays so, contact the provider's support."),
    )


def _not_taken(_operation: Operation) -> Explanation:
    return Explanation(
        "bad",
        _("The provider did not take it over"),
        _("It answered that all is well, and its own record shows the old value."),
        _("Ask the provider's support, with the request id."),
    )


def _invalid(operation: Operation) -> Explanation:
    return Explanation(
        "bad",
        _("The provider did not accept the form"),
        _("Nothing was sent to the bank.") if operation.logs_in else _("Nothing was changed."),
        _what_to_correct(operation),
    )


def _what_to_correct(operation: Operation) -> str:
    if operation.field_errors:
        return _("Correct the fields named below and send it again.")
    if operation.words:
        return _("Read the provider's words below: they say what does not fit.")
    return _("The response doesn't say what does not fit. Check each field and send it again.")


def _duplicate(operation: Operation) -> Explanation:
    if operation.kind in CHANGES:
        return Explanation(
            "warn", _("The provider has this already"), _("Nothing was made twice."), _("There is nothing to do.")
        )
    if operation.link_id:
        advice = _("It is listed here now: open it and repair it if it needs it.")
    else:
        advice = _("Find the existing link and repair it instead of creating another.")
    return Explanation("warn", _("The provider knows this link already"), _("No second link was made."), advice)


def _busy(operation: Operation) -> Explanation:
    advice = _when_again(operation) or _("Try again in a few minutes.")
    if operation.http_status == HTTPStatus.TOO_MANY_REQUESTS:
        title, meaning = _("Too many calls to the provider"), _("It limits how often we may call; nothing was changed.")
        return Explanation("warn", title, meaning, advice)
    return Explanation("warn", _("Not now"), _("The provider or the bank is busy with this link."), advice)


def _when_again(operation: Operation) -> str:
    """Say when the provider can be asked again, if it told and that is not over."""
    if operation.retry_at is None or operation.retry_at <= timezone.now():
        return ""
    return _("Try again after %(time)s.") % {"time": clock_time(operation.retry_at)}


def _keys(operation: Operation) -> Explanation:
    if operation.http_status == HTTPStatus.FORBIDDEN:
        return Explanation(
            "bad",
            _("Our account may not do this"),
            _("The provider holds back a right, or found that we call too often; no link is at fault."),
            _("Tell an administrator: rights, quota or firewall at the provider."),
        )
    return Explanation(
        "bad",
        _("The provider refused our keys"),
        _("Neither the customer nor the link is at fault; no call of this integration will work."),
        _("Tell an administrator to test the integration's connection."),
    )


def _blocked(_operation: Operation) -> Explanation:
    return Explanation(
        "warn",
        _("The provider's firewall rejected this request"),
        _("It was rejected before the provider handled it, so nothing was changed. Other requests still go through."),
        _("Check what was typed for unusual characters and try again. If it happens again, tell an administrator."),
    )


def _not_found(operation: Operation) -> Explanation:
    if operation.kind == OperationKind.CREATE_LINK:
        return _plainly_refused(operation)
    if operation.kind == OperationKind.REGENERATE_REPORTS:
        return Explanation(
            "info",
            _("There are no reports to make anew"),
            _("The provider has none of this customer in this integration. Nothing was changed."),
        )
    if operation.link_id is None:
        return Explanation(
            "bad",
            _("The provider does not know this any more"),
            _("It was removed there, or belongs to another account or environment."),
            _("Read the provider's records anew."),
        )
    return Explanation(
        "bad",
        _("The provider does not know this link any more"),
        _("It was removed there, or belongs to another account or environment."),
        _("Create the link again if the customer wants it."),
    )


def _spent(operation: Operation) -> Explanation:
    meanings = {
        AskedAgain.WRONG_CODE: _("The last code was wrong or expired."),
        AskedAgain.CANT_TELL: _("The bank is asking again: either the code was wrong or it wants one more."),
    }
    meaning = meanings.get(AskedAgain(operation.asked_again)) if operation.asked_again else None
    return Explanation(
        "bad",
        _("No attempts left today"),
        meaning or _("The bank rejected other sign-ins of this customer."),
        _("One more wrong answer could lock the customer's account."),
    )


def _too_many_steps(_operation: Operation) -> Explanation:
    return Explanation(
        "warn",
        _("The bank keeps asking"),
        _("It asked for more than %(count)d answers in one sign-in, so we stopped.") % {"count": MOST_ANSWERS},
        _("Find out with the customer what the bank wants, then update the credentials to start again."),
    )


_REFUSALS = {
    ATTEMPTS_SPENT: _spent,
    TOO_MANY_STEPS: _too_many_steps,
    NOT_TAKEN: _not_taken,
    "InvalidInput": _invalid,
    "Duplicate": _duplicate,
    "Blocked": _blocked,
    "Busy": _busy,
    "KeysRefused": _keys,
    "NotFound": _not_found,
}
