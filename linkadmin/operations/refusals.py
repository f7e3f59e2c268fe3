"""Our own reasons not to send a request. Each is shown as a page or a form error, never only logged."""

from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.links.models import Link
from linkadmin.providers.names import isolated
from linkadmin.web import storage

from .models import Operation


class Refusal(Exception):
    """We didn't do it: `words` says why and what to do, and `reason` goes to the audit log."""

    reason = "refused"
    status = HTTPStatus.CONFLICT  # of the page that shows it
    title: str | Promise = _("Nothing was sent")
    words: str | Promise = _("You can't do this right now.")

    def __init_subclass__(cls, **own: str | Promise | HTTPStatus) -> None:
        for name, value in own.items():
            setattr(cls, name, value)

    def __init__(self, words: str | Promise = "") -> None:
        super().__init__()
        self.words = words or self.words


class BusyRefusal(Refusal):
    """Other work blocks this for now. Nothing was sent."""

    advice: str | Promise = ""  # where the words don't say what to do


class AlreadyOpen(
    BusyRefusal,
    reason="already_open",
    title=_("Another operation is in progress"),
    words=_("Someone is already working on this link."),
    advice=_("Check its result before you try again."),
):
    """Another operation on this link is open."""

    def __init__(self, operation: Operation | None) -> None:
        super().__init__()
        if operation is not None:
            self.words = _("%(who)s is already working on this: “%(what)s” is still in progress. Nothing was sent.") % {
                "who": isolated(str(operation.actor)),
                "what": operation.get_kind_display(),
            }


class KeyReused(
    Refusal,
    reason="form_sent_before",
    words=_("This form was already sent with different values. Reopen it to send a new one."),
):
    """The form was submitted before, with different values."""


class DuplicateLink(Refusal, reason="duplicate_link", words=_("This customer already has a link at this bank.")):
    """The customer already has this link, or one at this bank."""

    def __init__(self, existing: Link, *, same_item: bool) -> None:
        super().__init__()
        self.existing = existing
        self.same_item = same_item


class BudgetSpent(Refusal, reason="attempts_spent", title=_("No attempts left today")):
    """The bank rejected so many attempts that another could lock the account."""


class NoCredentials(Refusal, reason="no_credentials", words=_("A password won't repair this link. Nothing was sent.")):
    """A password can't repair this link."""


class ProviderCannot(Refusal, reason="provider_cannot", words=_("This provider can't do that. Nothing was sent.")):
    """The provider has no such request."""


class LinkEnded(
    Refusal,
    reason="link_ended",
    words=_("This link was removed, so there's nothing left to change. Nothing was sent."),
):
    """The link was removed."""


class NothingToChange(
    Refusal,
    reason="nothing_to_change",
    title=_("Nothing to change"),
    words=_("The link already has these settings. Nothing was sent."),
):
    """The submitted settings are the link's current ones."""


class SignInRejectedBefore(
    Refusal,
    reason="login_refused_before",
    title=_("Waiting on customer"),
    words=_("Another sign-in attempt could lock the customer's account. Nothing was sent."),
):
    """A refresh would repeat a sign-in the bank rejected."""


class ChallengeClosed(
    Refusal,
    reason="challenge_over",
    words=_("This code request is closed: it was answered or replaced, or it expired. Start over."),
):
    """The challenge expired, was replaced or was answered."""


class NotYours(
    Refusal,
    reason="started_by_another",
    words=_("A colleague started this, so only they can enter the code. An account manager can cancel it."),
):
    """Only the person who started a sign-in attempt can submit its code."""


class NotYoursToCancel(
    Refusal,
    reason="started_by_another",
    words=_("A colleague started this attempt. They can cancel it, or an account manager can."),
):
    """Only the person who started a sign-in attempt, or an account manager, can cancel it."""


class NotSaved(
    Refusal,
    reason="not_saved",
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title=_("We couldn't save this"),
):
    """The database can't store the intent, so no request is sent."""

    def __init__(self) -> None:
        words = _(
            "Our database can't save anything right now, so nothing was sent. Try again in a few minutes. If "
            "this keeps happening, give an administrator this request ID: %(request_id)s"
        )
        super().__init__(words % {"request_id": storage.request_id()})


class TooManyCalls(
    BusyRefusal,
    reason="too_many_calls",
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    title=_("The provider is busy"),
    words=_("Too many requests to this provider are in progress. Nothing was sent. Try again in a few seconds."),
):
    """All slots of this integration are in use."""


class TooManyOfYours(
    TooManyCalls,
    reason="too_many_of_yours",
    title=_("Too many of your requests are in progress"),
    words=_(
        "You've reached your limit for this provider: one person can use at most half of the request slots. "
        "Nothing was sent. Try again in a few seconds."
    ),
):
    """One person has used all the slots one person may use."""


class Paused(Refusal, reason="paused", title=_("Can't do this right now")):
    """Requests to this integration are paused: too many failed, or a rate limit is used up."""

    def __init__(self, pause: str) -> None:
        super().__init__(_("%(pause)s Nothing was sent.") % {"pause": pause})


class IntegrationOff(
    Refusal,
    reason="integration_off",
    words=_("This integration is inactive, or its API keys are rejected. An administrator has to fix it first."),
):
    """The integration is inactive, or its API keys are rejected."""


class NotOpen(
    Refusal,
    reason="not_in_that_state",
    title=_("A colleague already did this"),
    words=_("This has already been resolved."),
):
    """The operation isn't in the state this action is for."""


class OwnOperation(
    Refusal,
    reason="own_operation",
    title=_("Someone else has to resolve it"),
    words=_("You started this operation, so someone else has to resolve it."),
):
    """Nobody resolves their own operation."""
