"""Causes where nothing is wrong, or a bank or provider has to act."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from linkadmin.providers.types import Cause, HealthState

from .vocabulary import Remedy, Retry, Turn, Verdict

OTHER_VERDICTS: Mapping[Cause, Verdict] = MappingProxyType(
    {
        # Working
        Cause.WORKING: Verdict(HealthState.HEALTHY, Turn.NOBODY, Retry.NONE, _("All good"), _("No action needed.")),
        Cause.WORKING_WITH_ERROR: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("Working, but reporting an error"),
            _("New data is arriving. The message shows the last problem the provider reported."),
        ),
        Cause.SYNCING: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.WAIT,
            _("Sync in progress"),
            _("The provider is fetching data. Check again in a few minutes."),
        ),
        Cause.DATA_ARRIVED: Verdict(
            HealthState.HEALTHY, Turn.NOBODY, Retry.NONE, _("New data arrived"), _("No action needed.")
        ),
        Cause.REPAIRED_ELSEWHERE: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("Repaired elsewhere"),
            _("Cancel any open requests to the customer."),
        ),
        Cause.RENEW_SOON: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("Consent expires soon"),
            _("It still works. Ask the customer to renew the consent before it expires."),
            Remedy.CONSENT,
        ),
        Cause.ACCOUNT_WITHDRAWN: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("Access to one account was revoked"),
            _("Ask the customer whether this was intentional."),
        ),
        Cause.ACCOUNT_ADDED: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("A new account is available"),
            _("The customer can add it by signing in again in our app."),
        ),
        Cause.CONSENT_CHANGED: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("Consent changed"),
            _("Check the consent for a new expiration date or missing accounts."),
        ),
        # Setting up
        Cause.PENDING: Verdict(
            HealthState.SETTING_UP,
            Turn.PROVIDER,
            Retry.WAIT,
            _("Waiting for the first sync"),
            _(
                "The first data is on its way. If none arrives within 24 hours, refresh data. If that doesn't help, "
                "contact provider support."
            ),
        ),
        Cause.FIRST_SYNC: Verdict(
            HealthState.SETTING_UP,
            Turn.PROVIDER,
            Retry.WAIT,
            _("First sync in progress"),
            _("The provider is fetching data. Check again in a few minutes."),
        ),
        Cause.DATA_PREPARING: Verdict(
            HealthState.SETTING_UP, Turn.PROVIDER, Retry.YES, _("Data is being prepared"), _("Check again later.")
        ),
        Cause.UNCONFIRMED: Verdict(
            HealthState.SETTING_UP,
            Turn.NOBODY,
            Retry.NO,
            _("Registration interrupted"),
            _("Finish it with the customer's code. If it's too late for that, delete the link and create it again."),
        ),
        # Bank or provider issue
        Cause.BANK_DOWN: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.YES,
            _("Bank unreachable"),
            _("The bank isn't responding. Don't contact the customer."),
        ),
        Cause.BANK_FAILING: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.YES,
            _("Outage"),
            _("The bank is down for everyone. Don't contact the customer."),
        ),
        Cause.BANK_TROUBLE: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.LATER,
            _("Unexpected error at the bank"),
            _("Retry later. Don't contact the customer."),
        ),
        Cause.BANK_NO_DATA: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.YES,
            _("The bank returned no data"),
            _("Retry later. If this keeps happening, contact provider support."),
        ),
        Cause.BANK_UNREADABLE: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.NO,
            _("The bank's data can't be read"),
            _("Contact provider support."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.DATA_POOR: Verdict(
            HealthState.WAITING, Turn.BANK, Retry.LATER, _("The bank's data was too sparse"), _("Retry in 2 days.")
        ),
        Cause.DATA_MOVED: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.YES,
            _("Data changed during the sync"),
            _("Usually clears up on its own."),
        ),
        Cause.SESSION_OPEN: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.LATER,
            _("Another session is open"),
            _("The customer is signed in elsewhere. Ask them to sign out, then retry in 2 minutes."),
        ),
        Cause.CODE_NOT_SENT: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.LATER,
            _("The code couldn't be sent"),
            _("Retry tomorrow. If this keeps happening, contact provider support."),
        ),
        Cause.PROVIDER_DOWN: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.YES,
            _("Provider error"),
            _("Usually clears up on its own. If it hasn't after a day, contact provider support."),
        ),
        Cause.PROVIDER_OUTAGE: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.YES,
            _("Outage"),
            _("The provider reports problems with this bank. Wait for it to recover."),
        ),
        Cause.PROVIDER_TROUBLE: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.YES_READS,
            _("The provider failed during the request"),
            _("Check the link's status before you retry: the sign-in may have gone through."),
        ),
        Cause.REPORT_FAILED: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.YES,
            _("The report failed"),
            _("Regenerate reports. If that fails again, contact provider support."),
            Remedy.REPORTS,
        ),
        Cause.TOO_MANY_CALLS: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.LATER,
            _("Rate limited"),
            _("Usually clears up on its own within minutes."),
        ),
    }
)
