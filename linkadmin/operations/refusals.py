"""Our own reasons not to send a request. Each is shown as a page or a form error, never only logged."""

from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.links.models import Link
from linkadmin.providers.names import isolated
from linkadmin.staff_limits.counting import LimitReached
from linkadmin.staff_limits.refusal import what_to_do, why
from linkadmin.web import storage

from .models import Operation


class Refusal(Exception):
    """We didn't do it: `words` says why and what to do, and `reason` goes to the audit log."""

    reason = "refused"
    status = HTTPStatus.CONFLICT  # of the page that shows it
    title: str | Promise = _("Nothing was sent")
    words: str | Promise = _("You can't do this right now.")

    def __init__(self, words: str | Promise = "") -> None:
        super().__init__()
        self.words = words or self.words


class BusyRefusal(Refusal):
    """Other work blocks this for now. Nothing was sent."""

    advice: str | Promise = ""  # where the words don't say what to do


class AlreadyOpen(BusyRefusal):
    """Another operation on this link is open."""

    reason = "already_open"
    title = _("Another operation is in progress")
    words = _("Someone is already working on this link.")
    advice = _("Check its result before you try again.")

    def __init__(self, operation: Operation | None) -> None:
        words = ""
        if operation is not None:
            words = _("%(who)s is already working on this: “%(what)s” is still in progress. Nothing was sent.") % {
                "who": isolated(str(operation.actor)),
                "what": operation.get_kind_display(),
            }
        super().__init__(words)


class KeyReused(Refusal):
    """The form was submitted before, with different values."""

    reason = "form_sent_before"
    words = _("This form was already sent with different values. Reopen it to send a new one.")


class DuplicateLink(Refusal):
    """The customer already has this link, or one at this bank."""

    reason = "duplicate_link"
    words = _("This customer already has a link at this bank.")

    def __init__(self, existing: Link, *, same_item: bool) -> None:
        super().__init__()
        self.existing = existing
        self.same_item = same_item


class BudgetSpent(Refusal):
    """The bank rejected so many attempts that another could lock the account."""

    reason = "attempts_spent"
    title = _("No attempts left today")


class TooManyCredentials(Refusal):
    """One person sends as many credentials and codes as they may for now."""

    reason = "limit_reached"
    status = HTTPStatus.TOO_MANY_REQUESTS
    title = _("You've reached a limit")

    def __init__(self, reached: LimitReached) -> None:
        super().__init__(f"{why(reached)} {what_to_do(reached)} {_('Nothing was sent.')}")


class NoCredentials(Refusal):
    """A password can't repair this link."""

    reason = "no_credentials"
    words = _("A password won't repair this link. Nothing was sent.")


class ProviderCannot(Refusal):
    """The provider has no such request."""

    reason = "provider_cannot"
    words = _("This provider can't do that. Nothing was sent.")


class LinkEnded(Refusal):
    """The link was removed."""

    reason = "link_ended"
    words = _("This link was removed, so there's nothing left to change. Nothing was sent.")


class NothingToChange(Refusal):
    """The submitted settings are the link's current ones."""

    reason = "nothing_to_change"
    title = _("Nothing to change")
    words = _("The link already has these settings. Nothing was sent.")


class SignInRejectedBefore(Refusal):
    """A refresh would repeat a sign-in the bank rejected."""

    reason = "login_refused_before"
    title = _("Waiting on customer")
    words = _("Another sign-in attempt could lock the customer's account. Nothing was sent.")


class ChallengeClosed(Refusal):
    """The challenge expired, was replaced or was answered."""

    reason = "challenge_over"
    words = _("This code request is closed: it was answered or replaced, or it expired. Start over.")


class NotYours(Refusal):
    """Only the person who started a sign-in attempt can submit its code."""

    reason = "started_by_another"
    words = _("A colleague started this, so only they can enter the code. An account manager can cancel it.")


class NotYoursToCancel(Refusal):
    """Only the person who started a sign-in attempt, or an account manager, can cancel it."""

    reason = "started_by_another"
    words = _("A colleague started this attempt. They can cancel it, or an account manager can.")


class NotSaved(Refusal):
    """The database can't store the intent, so no request is sent."""

    reason = "not_saved"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = _("We couldn't save this")

    def __init__(self) -> None:
        words = _(
            "Our database can't save anything right now, so nothing was sent. Try again in a few minutes. If "
            "this keeps happening, give an administrator this request ID: %(request_id)s"
        )
        super().__init__(words % {"request_id": storage.request_id()})


class TooManyCalls(BusyRefusal):
    """All slots of this integration are in use."""

    reason = "too_many_calls"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = _("The provider is busy")
    words = _("Too many requests to this provider are in progress. Nothing was sent. Try again in a few seconds.")


class TooManyOfYours(TooManyCalls):
    """One person has used all the slots one person may use."""

    reason = "too_many_of_yours"
    title = _("Too many of your requests are in progress")
    words = _(
        "You've reached your limit for this provider: one person can use at most half of the request slots. "
        "Nothing was sent. Try again in a few seconds."
    )


class Paused(Refusal):
    """Requests to this integration are paused: too many failed, or a rate limit is used up."""

    reason = "paused"
    title = _("Can't do this right now")

    def __init__(self, pause: str) -> None:
        super().__init__(_("%(pause)s Nothing was sent.") % {"pause": pause})


class IntegrationOff(Refusal):
    """The integration is inactive, or its API keys are rejected."""

    reason = "integration_off"
    words = _("This integration is inactive, or its API keys are rejected. An administrator has to fix it first.")


class NotOpen(Refusal):
    """The operation isn't in the state this action is for."""

    reason = "not_in_that_state"
    title = _("A colleague already did this")
    words = _("This has already been resolved.")


class OwnAttempt(Refusal):
    """Nobody allows themselves one more."""

    reason = "own_attempt"
    words = _("You made one of the rejected attempts, so somebody else has to allow one more.")


class OwnOperation(Refusal):
    """Nobody resolves their own operation."""

    reason = "own_operation"
    title = _("Someone else has to resolve it")
    words = _("You started this operation, so someone else has to resolve it.")
