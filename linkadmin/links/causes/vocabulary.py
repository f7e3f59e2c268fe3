"""The parts of a verdict, and how each status looks."""

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
    NOBODY = "nobody", pgettext_lazy("waiting on", "–")
    CUSTOMER = "customer", pgettext_lazy("waiting on", "Customer")
    CUSTOMER_BANK = "customer_bank", pgettext_lazy("waiting on", "Customer, at the bank")
    BANK = "bank", pgettext_lazy("waiting on", "Bank")
    PROVIDER = "provider", pgettext_lazy("waiting on", "Provider")
    ADMIN = "admin", pgettext_lazy("waiting on", "Administrator")
    US = "us", pgettext_lazy("waiting on", "Us")
    DEVELOPER = "developer", pgettext_lazy("waiting on", "Developers")


class Retry(models.TextChoices):
    """Whether a retry helps when nothing else has changed."""

    NONE = "none", _("Nothing to retry")
    NO = "no", _("Retrying won't help")
    RISKY = (
        "risky",
        _("Don't retry, the bank may lock the account"),
    )
    ONCE = "once", _("Retry once")
    LATER = "later", _("Retry later")
    WAIT = "wait", _("Wait")
    YES = "yes", _("Retry now")
    YES_READS = (
        "yes_reads",
        _("Check status before you retry"),
    )
    START_AGAIN = "start_again", _("Start over")


class Remedy(StrEnum):
    """What resolves a problem. Pages offer the way that fits the kind of link and the reader."""

    NONE = "none"  # nothing to do but wait
    SIGN_IN = "sign_in"  # the customer's credentials, entered here or on the provider's page
    CONSENT = "consent"  # the customer, on the provider's page; a password won't help
    AFTER_BANK = "after_bank"  # the customer at the bank, then the credentials
    FETCH = "fetch"
    TOKEN = "token"  # noqa: S105 - a word; replace the access token
    REPORTS = "reports"
    RECONNECT = "reconnect"
    TELL_PROVIDER = "tell_provider"
    TELL_ADMIN = "tell_admin"
    TELL_DEVELOPERS = "tell_developers"


class RepairKind(StrEnum):
    """How a link can be repaired at all."""

    TYPED = "typed"  # staff enter the customer's credentials
    CONSENT = "consent"  # the customer renews a consent in the provider's portal
    PAGE = "page"  # the customer signs in on the provider's page; nothing can be entered here
    OWN_APP = "own_app"  # the customer signs in in our own app


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row of the table of link health."""

    state: HealthState
    turn: Turn
    retry: Retry
    reason: str | Promise  # a few words, shown after the status
    advice: str | Promise  # the next best step, in one or two sentences
    remedy: Remedy = Remedy.NONE

    @property
    def is_for_customer(self) -> bool:
        """Whether the customer can resolve it themselves."""
        return self.remedy in (Remedy.SIGN_IN, Remedy.CONSENT, Remedy.AFTER_BANK)


@dataclass(frozen=True, slots=True)
class StateLook:
    """How a status looks everywhere."""

    label: str | Promise
    tone: str  # by who it's waiting on: warn for the customer, us, info for bank or provider, ok or quiet for nobody
    icon: str  # a lucide name
    rank: int  # order in the work list, most urgent first


STATES: Mapping[HealthState, StateLook] = MappingProxyType(
    {
        HealthState.CUSTOMER_CODE: StateLook(_("One-time code needed"), "warn", "message-square-lock", 10),
        HealthState.OUR_SETUP: StateLook(_("Configuration problem"), "us", "wrench", 20),
        HealthState.CUSTOMER_LOGIN: StateLook(_("Sign-in needed"), "warn", "key-round", 30),
        HealthState.CUSTOMER_CONSENT: StateLook(_("Consent needed"), "warn", "signature", 30),
        HealthState.CUSTOMER_BANK: StateLook(_("Action needed at the bank"), "warn", "landmark", 30),
        HealthState.STALE: StateLook(_("No new data"), "us", "history", 50),
        HealthState.UNKNOWN: StateLook(_("Unrecognized status"), "us", "circle-question-mark", 60),
        HealthState.WAITING: StateLook(_("Bank or provider issue"), "info", "hourglass", 70),
        HealthState.SETTING_UP: StateLook(_("Setting up"), "quiet", "circle-dashed", 80),
        HealthState.HEALTHY: StateLook(_("Working"), "ok", "circle-check", 90),
        HealthState.DISCONNECTED: StateLook(_("Disconnected"), "quiet", "circle-slash", 100),
    }
)

RENEWAL_RANK = 40  # of a working link whose consent expires soon
ESCALATED_RANK = 65  # of a link that has waited too long on a bank or provider
