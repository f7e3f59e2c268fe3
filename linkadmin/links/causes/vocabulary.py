"""The words a verdict is made of, and how each state of health looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from linkadmin.providers.types import HealthState


class Turn(models.TextChoices):
    """Who has to act next."""

    NOBODY = "nobody", pgettext_lazy("whose turn", "Nobody")
    CUSTOMER = "customer", pgettext_lazy("whose turn", "Customer")
    CUSTOMER_BANK = "customer_bank", pgettext_lazy("whose turn", "Customer at the bank")
    BANK = "bank", pgettext_lazy("whose turn", "Bank")
    PROVIDER = "provider", pgettext_lazy("whose turn", "Provider")
    ADMIN = "admin", pgettext_lazy("whose turn", "Administrator")
    US = "us", pgettext_lazy("whose turn", "Us")
    DEVELOPER = "developer", pgettext_lazy("whose turn", "Developers")


class Retry(models.TextChoices):
    """Whether trying again, with nothing changed, helps."""

    NONE = "none", _("Nothing to try")
    NO = "no", _("Trying again does not help")
    RISKY = (
        "risky",
        _("Do not try again: the bank may lock the customer out"),
    )
    ONCE = "once", _("Try once more")
    LATER = "later", _("Try again later")
    WAIT = "wait", _("Wait")
    YES = "yes", _("Trying again helps")
    YES_READS = (
        "yes_reads",
        _("Look at the link before trying again"),
    )
    START_AGAIN = "start_again", _("Start again from the beginning")


class Remedy(StrEnum):
    """What puts a link right: the way to it is drawn for the kind of link and the reader."""

    NONE = "none"  # nothing to do, or only to wait
    SIGN_IN = "sign_in"  # the customer's login, typed here or at the provider's page
    CONSENT = "consent"  # the customer, at the provider's page; no password helps
    AFTER_BANK = "after_bank"  # the customer at the bank; only then a login
    FETCH = "fetch"
    TOKEN = "token"  # noqa: S105 - a word; hand over the current access token
    REPORTS = "reports"
    RECONNECT = "reconnect"
    TELL_PROVIDER = "tell_provider"
    TELL_ADMIN = "tell_admin"
    TELL_DEVELOPERS = "tell_developers"


class RepairKind(StrEnum):
    """How a link of a kind can be repaired at all."""

    TYPED = "typed"  # staff type the customer's login
    CONSENT = "consent"  # the customer renews a consent in the provider's portal
    PAGE = "page"  # the customer signs in at the provider's page; nothing can be typed here
    OWN_APP = "own_app"  # the customer signs in in our own app


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row of the table of link health."""

    state: HealthState
    turn: Turn
    retry: Retry
    reason: str | Promise  # a few words, shown after the label of the state
    advice: str | Promise  # the next best action, one or two sentences
    remedy: Remedy = Remedy.NONE


@dataclass(frozen=True, slots=True)
class StateLook:
    """How a state appears everywhere."""

    label: str | Promise
    tone: str  # ok, warn, bad, info or quiet
    icon: str  # of lucide
    rank: int  # place in a work list, most urgent first


STATES: Mapping[HealthState, StateLook] = MappingProxyType(
    {
        HealthState.CUSTOMER_CODE: StateLook(_("Customer must give a code"), "warn", "message-square-lock", 10),
        HealthState.OUR_SETUP: StateLook(_("We must correct our set-up"), "warn", "wrench", 20),
        HealthState.CUSTOMER_LOGIN: StateLook(_("Customer must sign in again"), "bad", "key-round", 30),
        HealthState.CUSTOMER_CONSENT: StateLook(_("Customer must renew permission"), "warn", "signature", 30),
        HealthState.CUSTOMER_BANK: StateLook(_("Customer must sort something out at the bank"), "bad", "landmark", 30),
        HealthState.STALE: StateLook(_("Says it works, but no new data"), "warn", "history", 50),
        HealthState.UNKNOWN: StateLook(_("Not understood yet"), "warn", "circle-question-mark", 60),
        HealthState.WAITING: StateLook(_("Bank or provider has trouble: wait"), "info", "hourglass", 70),
        HealthState.SETTING_UP: StateLook(_("Being set up"), "info", "circle-dashed", 80),
        HealthState.HEALTHY: StateLook(_("Working"), "ok", "circle-check", 90),
        HealthState.DISCONNECTED: StateLook(_("Ended"), "quiet", "circle-slash", 100),
    }
)

RENEWAL_RANK = 40  # of a link that works, while its permission ends soon
ESCALATED_RANK = 65  # of a link that has waited too long for a bank or provider
