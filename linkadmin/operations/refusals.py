"""Our own reasons not to make a call. Each is a page or a form error, never a log line."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from linkadmin.providers.names import isolated
from linkadmin.web import storage

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from linkadmin.links.models import Link

    from .models import Operation


class Refusal(Exception):
    """We did not do it: `words` says why and what to do."""

    reason = "refused"
    status = HTTPStatus.CONFLICT  # of the page that tells it
    title: "StrOrPromise" = _("Nothing was sent")
    words: "StrOrPromise" = _("This cannot be done now.")


class BusyRefusal(Refusal):
    """Other work stands in the way for now. Nothing was sent."""

    advice: "StrOrPromise" = ""  # where the words don't say what to do


class AlreadyOpen(BusyRefusal):
    """Another operation on this link is not over."""

    reason = "already_open"
    title = _("Another operation is in progress")
    advice = _("Check how it ended before you try again.")
    words: "StrOrPromise" = _("Somebody is already at work on this link.")

    def __init__(self, operation: "Operation | None") -> None:
        super().__init__()
        self.operation = operation
        if operation is not None:
            self.words = _("%(who)s is already at work here: “%(what)s” is not over. Nothing was sent.") % {
                "who": isolated(str(operation.actor)),
                "what": operation.get_kind_display(),
            }


class KeyReused(Refusal):
    """The form was sent before, with other values."""

    reason = "form_sent_before"
    words = _("This form was already sent with other values. Open it again to send a new one.")


class DuplicateLink(Refusal):
    """The customer has this link, or a link at this bank, already."""

    reason = "duplicate_link"
    words = _("This customer already has a link here.")

    def __init__(self, existing: "Link", *, same_item: bool) -> None:
        super().__init__()
        self.existing = existing
        self.same_item = same_item


class BudgetSpent(Refusal):
    """The bank refused so many logins that another could lock the customer out."""

    reason = "attempts_spent"
    title = _("No attempts left today")

    def __init__(self, *, manager_may_allow: bool) -> None:
        super().__init__()
        self.manager_may_allow = manager_may_allow
        self.words = (
            _("The bank rejected two sign-in attempts within a day. An account manager can allow one more.")
            if manager_may_allow
            else _("The bank rejected three sign-in attempts within a day. One more could lock the customer's account.")
        )


class NoCredentials(Refusal):
    """No login typed by staff can repair this link."""

    reason = "no_credentials"
    words = _("This link is not repaired with a password. Nothing was sent.")


class ProviderCannot(Refusal):
    """The provider has no such call."""

    reason = "provider_cannot"
    words = _("This provider cannot do that. Nothing was sent.")


class LinkEnded(Refusal):
    """The link was removed."""

    reason = "link_ended"
    words = _("This link was removed, so there is nothing left to change. Nothing was sent.")


class NothingToChange(Refusal):
    """The typed settings are the link's present ones."""

    reason = "nothing_to_change"
    title = _("Nothing to change")
    words = _("These are the link's settings already. Nothing was sent.")


class LoginRefusedBefore(Refusal):
    """A fetch would have the provider try the login that the bank does not take."""

    reason = "login_refused_before"
    title = _("Waiting on customer")
    words = _("It is the customer's turn: another try with the stored login could lock them out. Nothing was sent.")


class ChallengeOver(Refusal):
    """The login attempt that waited for a code is over, or was answered."""

    reason = "challenge_over"
    words = _("This code request is over: it was answered, replaced, or its time ran out. Start again.")


class NotYours(Refusal):
    """Only the person who started a login attempt can give its code."""

    reason = "started_by_another"
    words = _("A colleague started this, so only they can send the code. An account manager can cancel it.")


class NotYoursToCancel(Refusal):
    """Only who started it, or an account manager, cancels a sign-in attempt."""

    reason = "started_by_another"
    words = _("A colleague started this attempt. They can cancel it, or an account manager can.")


class NotSaved(Refusal):
    """The database can't keep the intent, so no call is made."""

    reason = "not_saved"
    title = _("We couldn't save this")
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__()
        self.words = _(
            "Our database can't save anything right now, so nothing was sent. Try again in a few minutes. If this "
            "continues, tell your administrator the request ID: %(request_id)s"
        ) % {"request_id": storage.request_id()}


class TooManyCalls(BusyRefusal):
    """All places for calls to this integration are taken."""

    reason = "too_many_calls"
    title = _("The provider is busy")
    status = HTTPStatus.SERVICE_UNAVAILABLE
    words: "StrOrPromise" = _(
        "Too many calls to this provider are under way. Nothing was sent; try again in a few seconds."
    )


class TooManyOfYours(TooManyCalls):
    """One person's calls have as many places as one person may have."""

    reason = "too_many_of_yours"
    title = _("Too many of your requests are in flight")
    words = _(
        "You have as many requests in flight at this provider as one person may. Nothing was sent; try again "
        "in a few seconds."
    )


class Paused(Refusal):
    """Calls to this integration are held back for a while: too many failed, or a quota is used up."""

    reason = "paused"
    title = _("Not now")

    def __init__(self, pause: str) -> None:
        super().__init__()
        self.words = _("%(pause)s Nothing was sent.") % {"pause": pause}


class IntegrationOff(Refusal):
    """The integration is switched off, or its keys are refused."""

    reason = "integration_off"
    words = _("This integration is switched off or its keys are refused. An administrator has to put it right first.")


class NotOpen(Refusal):
    """The operation is not in the state this act is for."""

    reason = "not_in_that_state"
    title = _("A colleague was faster")
    words = _("This has been decided meanwhile.")


class OwnOperation(Refusal):
    """Nobody decides about the outcome of their own operation."""

    reason = "own_operation"
    title = _("Somebody else has to decide")
    words = _("You started this operation, so somebody else has to decide about it.")
