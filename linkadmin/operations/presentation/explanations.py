"""Operations in words: progress, or the outcome and what to do next."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.compiled_query import CompiledQuery
from linkadmin.heartbeats import watch
from linkadmin.integrations.denials import DENIED, clock_time, words_for
from linkadmin.links.causes import VERDICTS, Turn, judge
from linkadmin.links.models import RepairRequest
from linkadmin.links.presentation import UnderWay, title_of
from linkadmin.operations.challenges import MAX_ANSWERS, AskedAgain
from linkadmin.operations.changes import CHANGES, Explanation
from linkadmin.operations.models import (
    ATTEMPTS_SPENT,
    NOT_REPAIRED,
    NOT_TAKEN,
    TOO_MANY_STEPS,
    Operation,
    State,
)
from linkadmin.operations.presentation.repair_requests import asked_of
from linkadmin.paging import PAGE_SIZE
from linkadmin.providers.names import isolated
from linkadmin.providers.types import Cause
from linkadmin.web.badges import StateBadge

__all__ = ["Explanation", "explain", "subject_of"]

ASKED_AT_ONCE = PAGE_SIZE + 1  # links
NO_LINK = UUID(int=2**128 - 1)


def _occupied(*links: UUID) -> "QuerySet[Operation, Any]":
    asked = RepairRequest.objects.filter(link__in=links, ended_at=None).values_list("link")
    return Operation.objects.open().filter(link__in=links).values_list("link").union(asked, all=True)


_BUSY = CompiledQuery(_occupied, types=(UUID,) * ASKED_AT_ONCE)


def under_way_on(links: Collection[UUID]) -> Mapping[UUID, UnderWay]:
    if 0 < len(links) <= ASKED_AT_ONCE:
        # Of a page of links, few have any: operations and repair requests are read only for those.
        links = [pk for (pk,) in _BUSY.rows(*links, *[NO_LINK] * (ASKED_AT_ONCE - len(links)))]
    if not links:
        return {}
    found = Operation.objects.open().filter(link__in=links).select_related("challenge", "integration")
    return asked_of(links) | {operation.link_id: _under_way(operation) for operation in found if operation.link_id}


def subject_of(operation: Operation, *, see_names: bool) -> str:
    """Customer and institution, or the integration if there is no customer."""
    if operation.end_user is None:
        return isolated(operation.integration.name)
    return title_of(operation.end_user, operation.institution or operation.integration, see_names=see_names)


def under_way_by(operation: Operation | None) -> UnderWay | None:
    return _under_way(operation) if operation is not None and operation.is_open else None


def _under_way(operation: Operation) -> UnderWay:
    if operation.state == State.NEEDS_CODE:
        challenge = getattr(operation, "challenge", None)
        is_late = challenge is not None and challenge.has_expired(timezone.now())  # not closed yet
        asked = judge(Cause.CODE_TOO_LATE if is_late else Cause.CODE_WAITING, is_verifying=False)
        badge = StateBadge(asked.look.tone, asked.look.icon, str(asked.look.label), str(asked.reason))
        requested_at = challenge.received_at if challenge else operation.began_at
        since = challenge.expires_at if challenge is not None and is_late else requested_at
        return UnderWay(badge, since, asked.turn, str(asked.advice), needs_code=True)
    label, reason, advice = _words_of(operation)
    is_ours = operation.state == State.NEEDS_DECISION
    badge = StateBadge("us" if is_ours else "quiet", "hourglass", label, reason)
    return UnderWay(badge, operation.began_at, Turn.US if is_ours else Turn.NOBODY, advice)


def why_unknown(operation: Operation) -> str:
    what = {"provider": operation.integration.provider_label, "status": operation.http_status}
    if not operation.http_status:
        return _("We didn't get a response.")
    if operation.http_status < HTTPStatus.BAD_REQUEST:
        return _("%(provider)s's response (%(status)s) couldn't be read.") % what
    return _("%(provider)s reported an error (%(status)s).") % what


def unknown_label(operation: Operation) -> str:
    if operation.is_accepted:
        checked, waits = _("Accepted, checking until it's gone"), _("Accepted, not being checked")
    else:
        checked, waits = _("Outcome unknown, checking"), _("Outcome unknown, not being checked")
    return watch.ongoing(checked, waits)


def _words_of(operation: Operation) -> tuple[str, str, str]:
    # Label, reason and advice.
    what = str(operation.get_kind_display())
    if operation.is_accepted:
        taken_on = _("The provider accepted it and is still working on it.")
        read = watch.ongoing(_("We'll keep checking its records until the link is gone."))
        return unknown_label(operation), what, f"{taken_on} {read}"
    if operation.state == State.NEEDS_DECISION:
        decide = _("An account manager other than the person who started it needs to resolve it.")
        return _("Needs a decision"), what, f"{why_unknown(operation)} {decide}"
    if operation.state == State.UNKNOWN or operation.is_lost:
        wait = _("We won't resend anything until we know what happened.")
        return unknown_label(operation), what, f"{why_unknown(operation)} {wait}"
    label = _("Contacting the bank") if operation.logs_in else _("Contacting the provider")
    return label, what, _("A request is in progress. The result will appear here.")


def explain(operation: Operation) -> Explanation:
    if operation.is_done:
        return CHANGES[operation.kind].explain_done(operation)
    if operation.state in (State.UNKNOWN, State.NEEDS_DECISION) or operation.is_lost:
        return _lost(operation)
    if operation.state == State.NOT_SENT and operation.outcome in DENIED:
        advice = _when_again(operation) or _("Try again in a few minutes.")
        return Explanation("warn", _("Nothing was sent"), words_for(operation.outcome), advice)
    if operation.state in _BY_STATE:
        return _BY_STATE[State(operation.state)].get(operation.outcome) or _BY_STATE[State(operation.state)][""]
    return _rejected(operation)


def _lost(operation: Operation) -> Explanation:
    if operation.is_accepted:
        return Explanation(
            "info",
            unknown_label(operation),
            _("The provider accepted it and is still working on it. We won't resend anything."),
            watch.ongoing(_("We'll keep checking its records until the link is gone. You can leave this page.")),
        )
    if operation.state == State.NEEDS_DECISION:
        return Explanation(
            "warn",
            _("Needs a decision"),
            why_unknown(operation) + " " + _("The provider's records show neither success nor failure."),
            _(
                "An account manager other than the person who started it needs to check with the customer and "
                "resolve it on this page."
            ),
        )
    return Explanation(
        "info",
        unknown_label(operation),
        why_unknown(operation) + " " + _("It may or may not have gone through. We won't resend anything."),
        watch.ongoing(_("We're checking the provider's records to find out what happened. You can leave this page.")),
    )


def _rejected(operation: Operation) -> Explanation:
    if operation.cause:
        verdict = VERDICTS[Cause(operation.cause)]
        meaning = _("The bank or provider rejected it.")
        if operation.outcome == NOT_REPAIRED:
            meaning = _("The provider saved the values, but says the link doesn't work with them.")
        advice = " ".join(filter(None, [str(verdict.advice), _when_again(operation)]))
        return Explanation("bad", str(verdict.reason), meaning, advice)
    if plain := _BY_OUTCOME.get(operation.outcome):
        return plain
    return _REJECTIONS.get(operation.outcome, _rejected_without_details)(operation)


def _rejected_without_details(operation: Operation) -> Explanation:
    return Explanation(
        "bad",
        _("Rejected by the provider"),
        _("Nothing was changed."),
        _("Read the provider's response below. Provider support can look up the request by its ID.")
        if operation.words
        else _("The response gave no reason. Retry later. If this keeps happening, contact provider support."),
    )


def _invalid(operation: Operation) -> Explanation:
    return Explanation(
        "bad",
        _("The provider rejected the form"),
        _("Nothing was sent to the bank.") if operation.logs_in else _("Nothing was changed."),
        _what_to_correct(operation),
    )


def _what_to_correct(operation: Operation) -> str:
    if operation.field_errors:
        return _("Correct the fields below and send them again.")
    if operation.words:
        return _("Read the provider's response below to see what's wrong.")
    return _("The response doesn't say what's wrong. Check each field and send it again.")


def _duplicate(operation: Operation) -> Explanation:
    if not operation.logs_in:
        return Explanation(
            "warn", _("The provider already has this"), _("No duplicate was created."), _("There's nothing to do.")
        )
    if operation.link_id:
        advice = _("It's listed here now. Open it, and repair it if needed.")
    else:
        advice = _("Find the existing link and repair it instead of creating another.")
    return Explanation("warn", _("The provider already has this link"), _("No second link was created."), advice)


def _busy(operation: Operation) -> Explanation:
    advice = _when_again(operation) or _("Try again in a few minutes.")
    if operation.http_status == HTTPStatus.TOO_MANY_REQUESTS:
        title, meaning = (
            _("Rate limited by the provider"),
            _("It limits how often we can send requests. Nothing was changed."),
        )
        return Explanation("warn", title, meaning, advice)
    return Explanation(
        "warn", _("Can't do this right now"), _("The provider or the bank is busy with this link."), advice
    )


def _when_again(operation: Operation) -> str:
    if operation.retry_at is None or operation.retry_at <= timezone.now():
        return ""
    return _("Try again after %(time)s.") % {"time": clock_time(operation.retry_at)}


def _keys(operation: Operation) -> Explanation:
    if operation.http_status == HTTPStatus.FORBIDDEN:
        return Explanation(
            "bad",
            _("Access denied for our account"),
            _("The provider denied us permission or is rate-limiting us. Nothing is wrong with the link."),
            _("Tell an administrator: the cause is a permission, quota, or firewall setting at the provider."),
        )
    return Explanation(
        "bad",
        _("The provider rejected our API keys"),
        _(
            "Nothing is wrong with the customer or the link. No requests through this integration will work "
            "until this is fixed."
        ),
        _("Ask an administrator to test the integration's connection."),
    )


def _not_found(operation: Operation) -> Explanation:
    if absence := CHANGES[operation.kind].not_found:
        return absence
    if operation.creates_link and operation.link_id is None:
        return _rejected_without_details(operation)
    if operation.link_id is None:
        return Explanation(
            "bad",
            _("The provider no longer has a record of this"),
            _("It was removed there, or it belongs to another account or environment."),
            _("Reload the provider's records."),
        )
    return Explanation(
        "bad",
        _("The provider no longer has a record of this link"),
        _("It was removed there, or it belongs to another account or environment."),
        _("Create the link again if the customer wants it."),
    )


def _spent(operation: Operation) -> Explanation:
    meanings = {
        AskedAgain.WRONG_CODE: _("The last code was wrong or expired."),
        AskedAgain.CANT_TELL: _("The bank is asking again: the code was wrong, or it wants another one."),
    }
    meaning = meanings.get(AskedAgain(operation.asked_again)) if operation.asked_again else None
    return Explanation(
        "bad",
        _("No attempts left today"),
        meaning or _("The bank rejected this customer's other sign-ins."),
        _("Another wrong attempt could lock the customer's account."),
    )


def _too_many_steps(_operation: Operation) -> Explanation:
    return Explanation(
        "warn",
        _("The bank keeps asking for more"),
        _("It asked for more than %(count)d answers in one sign-in, so we stopped.") % {"count": MAX_ANSWERS},
        _("Find out from the customer what the bank wants, then update the credentials to start over."),
    )


# By outcome; "" is the default.
_BY_STATE: Mapping[State, Mapping[str, Explanation]] = {
    State.NOT_SENT: {
        "": Explanation(
            "warn",
            gettext_lazy("Nothing was sent"),
            gettext_lazy("We couldn't reach the provider, so nothing happened at the bank."),
            gettext_lazy("Try again. If this keeps happening, tell an administrator."),
        )
    },
    State.CONFIRMED_NOT_DONE: {
        "": Explanation(
            "warn",
            gettext_lazy("It didn't happen"),
            gettext_lazy("We didn't get a response, but the provider's records show nothing was changed."),
            gettext_lazy("You can start over."),
        )
    },
    State.CODE_ENTERED: {
        "": Explanation(
            "quiet",
            gettext_lazy("The code was entered"),
            gettext_lazy("See the operation that sent it for the result."),
        )
    },
    State.CANCELED: {"": Explanation("quiet", gettext_lazy("Canceled"), gettext_lazy("It was never sent."))},
    State.EXPIRED: {
        "withdrawn": Explanation(
            "quiet",
            gettext_lazy("Canceled"),
            gettext_lazy("The code wasn't submitted. The sign-in attempt was canceled."),
        ),
        "code_request_lost": Explanation(
            "warn",
            gettext_lazy("The bank asked for a code, but its request didn't reach us"),
            gettext_lazy("This sign-in attempt can't continue."),
            gettext_lazy("Start over. The bank will ask for a new code."),
        ),
        "": Explanation(
            "warn",
            gettext_lazy("Code expired"),
            gettext_lazy("The bank's time limit passed, and this sign-in attempt is closed."),
            gettext_lazy("Start over: enter the credentials again, and the bank will send a new code."),
        ),
    },
}
_BY_OUTCOME: Mapping[str, Explanation] = {
    NOT_TAKEN: Explanation(
        "bad",
        gettext_lazy("The provider didn't apply the change"),
        gettext_lazy("It reported success, but its record still shows the old value."),
        gettext_lazy("Contact provider support with the request ID."),
    ),
    "Blocked": Explanation(
        "warn",
        gettext_lazy("The provider's firewall rejected this request"),
        gettext_lazy(
            "It was rejected before the provider handled it, so nothing was changed. Other requests still go through."
        ),
        gettext_lazy(
            "Check the form for unusual characters and try again. If this keeps happening, tell an administrator."
        ),
    ),
}
_REJECTIONS = {
    ATTEMPTS_SPENT: _spent,
    TOO_MANY_STEPS: _too_many_steps,
    "InvalidInput": _invalid,
    "Duplicate": _duplicate,
    "Busy": _busy,
    "KeysRejected": _keys,
    "NotFound": _not_found,
}
