"""The causes by which nothing is wrong, or a bank or provider acts."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from linkadmin.providers.types import Cause, HealthState

from .vocabulary import Remedy, Retry, Turn, Verdict

OTHER_VERDICTS: Mapping[Cause, Verdict] = MappingProxyType(
    {
        # it works
        Cause.WORKING: Verdict(
            HealthState.HEALTHY, Turn.NOBODY, Retry.NONE, _("Everything is fine"), _("Nothing to do.")
        ),
        Cause.WORKING_WITH_ERROR: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("Works, with an error beside it"),
            _("New data arrives. The message is the last problem that the provider reported."),
        ),
        Cause.SYNCING: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.WAIT,
            _("Fetching data"),
            _("Data is being fetched now. Look again in a few minutes."),
        ),
        Cause.DATA_ARRIVED: Verdict(
            HealthState.HEALTHY, Turn.NOBODY, Retry.NONE, _("New data arrived"), _("Nothing to do.")
        ),
        Cause.REPAIRED_ELSEWHERE: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("Repaired elsewhere"),
            _("Withdraw open requests to the customer."),
        ),
        Cause.RENEW_SOON: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("Permission ends soon"),
            _("It works today. Ask the customer to renew the permission before the date."),
            Remedy.CONSENT,
        ),
        Cause.ACCOUNT_WITHDRAWN: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("One account was withdrawn"),
            _("Ask the customer whether that was meant."),
        ),
        Cause.ACCOUNT_ADDED: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("A new account is available"),
            _("The customer can add it by signing in again in your own app."),
        ),
        Cause.CONSENT_CHANGED: Verdict(
            HealthState.HEALTHY,
            Turn.NOBODY,
            Retry.NONE,
            _("The permission changed"),
            _("Read the permission again and look for a new date or missing accounts."),
        ),
        # being set up
        Cause.PENDING: Verdict(
            HealthState.SETTING_UP,
            Turn.PROVIDER,
            Retry.WAIT,
            _("Waiting for the first data"),
            _("The first data is on its way. After 24 hours, fetch new data, then write to the provider's support."),
        ),
        Cause.FIRST_SYNC: Verdict(
            HealthState.SETTING_UP,
            Turn.PROVIDER,
            Retry.WAIT,
            _("Fetching data for the first time"),
            _("Data is being fetched now. Look again in a few minutes."),
        ),
        Cause.DATA_PREPARING: Verdict(
            HealthState.SETTING_UP, Turn.PROVIDER, Retry.YES, _("Data is being prepared"), _("Look again later.")
        ),
        Cause.UNCONFIRMED: Verdict(
            HealthState.SETTING_UP,
            Turn.NOBODY,
            Retry.NO,
            _("Registration stopped half-way"),
            _("Finish it with the customer's code. If it is too late for that, delete the link and register again."),
        ),
        # bank or provider has trouble
        Cause.BANK_DOWN: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.YES,
            _("The bank cannot be reached"),
            _("The bank has an outage. Nothing to ask of the customer."),
        ),
        Cause.BANK_FAILING: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.YES,
            _("The bank is failing for everybody"),
            _("Nothing to ask of the customer. Wait for the bank."),
        ),
        Cause.BANK_TROUBLE: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.LATER,
            _("Something unexpected at the bank"),
            _("Try again later. Nothing to ask of the customer."),
        ),
        Cause.BANK_NO_DATA: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.YES,
            _("The bank gave no data"),
            _("Try again later. If it stays, write to the provider's support."),
        ),
        Cause.BANK_UNREADABLE: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.NO,
            _("The bank's data cannot be read"),
            _("Tell the provider's support."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.DATA_POOR: Verdict(
            HealthState.WAITING, Turn.BANK, Retry.LATER, _("The bank's data was too poor"), _("Try again in two days.")
        ),
        Cause.DATA_MOVED: Verdict(
            HealthState.WAITING, Turn.PROVIDER, Retry.YES, _("Data changed while it was read"), _("It solves itself.")
        ),
        Cause.SESSION_OPEN: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.LATER,
            _("Another session is open"),
            _("The customer is logged in elsewhere. Let them log out, and try again in two minutes."),
        ),
        Cause.CODE_NOT_SENT: Verdict(
            HealthState.WAITING,
            Turn.BANK,
            Retry.LATER,
            _("The code could not be sent"),
            _("Try again tomorrow. If it stays, write to the provider's support."),
        ),
        Cause.PROVIDER_DOWN: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.YES,
            _("The provider has trouble"),
            _("Wait. After a day, write to the provider's support."),
        ),
        Cause.PROVIDER_OUTAGE: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.YES,
            _("Known outage"),
            _("The provider has trouble with this bank. Wait."),
        ),
        Cause.PROVIDER_TROUBLE: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.YES_READS,
            _("The provider had trouble during the call"),
            _("Look at the link before you try again: the login may have happened."),
        ),
        Cause.REPORT_FAILED: Verdict(
            HealthState.WAITING,
            Turn.PROVIDER,
            Retry.YES,
            _("The report failed"),
            _("Have the reports made anew. If it stays, write to the provider's support."),
            Remedy.REPORTS,
        ),
        Cause.TOO_MANY_CALLS: Verdict(
            HealthState.WAITING, Turn.PROVIDER, Retry.LATER, _("Too many calls"), _("It solves itself within minutes.")
        ),
    }
)
