"""All other causes: nothing is wrong, somebody else acts, or nobody can."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from linkadmin.providers.types import Cause, HealthState

from .vocabulary import Retry, Turn, Verdict

OTHER_VERDICTS: Mapping[Cause, Verdict] = MappingProxyType(
    {
        # it works
        Cause.WORKING: Verdict(
            HealthState.HEALTHY, Turn.NOBODY, Retry.NONE, _("Everything is fine"), _("Nothing to do.")
        ),
        Cause.WORKING_WITH_ERROR: Verdict(
            HealthState.HEALTHY,
            Turn.US,
            Retry.NONE,
            _("Works, with an error beside it"),
            _("The message is the last problem the provider reported. Ask the provider now to see which is true."),
        ),
        Cause.SYNCING: Verdict(
            HealthState.HEALTHY,
            Turn.PROVIDER,
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
            Turn.CUSTOMER,
            Retry.NONE,
            _("Permission ends soon"),
            _("It works today. Ask the customer to renew the permission before the date."),
        ),
        Cause.ACCOUNT_WITHDRAWN: Verdict(
            HealthState.HEALTHY,
            Turn.CUSTOMER,
            Retry.NONE,
            _("One account was withdrawn"),
            _("Ask the customer whether that was meant."),
        ),
        Cause.ACCOUNT_ADDED: Verdict(
            HealthState.HEALTHY,
            Turn.CUSTOMER,
            Retry.NONE,
            _("A new account is available"),
            _("The customer can add it by signing in again in your own app."),
        ),
        Cause.CONSENT_CHANGED: Verdict(
            HealthState.HEALTHY,
            Turn.US,
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
            Turn.CUSTOMER,
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
        ),
        Cause.DATA_POOR: Verdict(
            HealthState.WAITING, Turn.BANK, Retry.LATER, _("The bank's data was too poor"), _("Try again in two days.")
        ),
        Cause.DATA_MOVED: Verdict(
            HealthState.WAITING, Turn.PROVIDER, Retry.YES, _("Data changed while it was read"), _("It solves itself.")
        ),
        Cause.SESSION_OPEN: Verdict(
            HealthState.WAITING,
            Turn.CUSTOMER,
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
        ),
        Cause.TOO_MANY_CALLS: Verdict(
            HealthState.WAITING, Turn.NOBODY, Retry.LATER, _("Too many calls"), _("It solves itself within minutes.")
        ),
        # we have to correct something
        Cause.KEYS_WRONG: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Our keys are wrong"),
            _("The key of the integration is wrong or deactivated. Correct it once: no link is at fault."),
        ),
        Cause.UPSTREAM_KEYS_WRONG: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("The keys behind the integration are wrong"),
            _("The keys that the provider uses for us are wrong. Correct them once at the provider."),
        ),
        Cause.FEATURE_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Our account lacks this feature"),
            _("Have the provider's support enable it."),
        ),
        Cause.RIGHTS_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Our account may not do this"),
            _("Rights, quota or firewall at the provider: write to its support."),
        ),
        Cause.PLAN_USED_UP: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Our plan is used up"),
            _("Ask for a larger plan at the provider."),
        ),
        Cause.NOT_REGISTERED: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.LATER,
            _("Our registration with this bank is not finished"),
            _("Finish it at the provider. That takes days."),
        ),
        Cause.WRONG_ID: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("Unknown id"),
            _("Wrong integration, customer or link id, or an id of another account. Compare them with the provider."),
        ),
        Cause.FIELD_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("A required field was left empty"),
            _("Fill every field the bank asks for and send them again."),
        ),
        Cause.TOKEN_OUTDATED: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("The provider holds an old token"),
            _("Hand over the current one, or connect again."),
        ),
        Cause.PRODUCT_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("A product is missing on this connection"),
            _("The customer adds it by signing in again in your own app, or connects again."),
        ),
        Cause.PRODUCT_MISFIT: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("The product does not fit the accounts"),
            _("Check what we ask for: this customer's accounts do not have it."),
        ),
        Cause.REQUEST_WRONG: Verdict(
            HealthState.OUR_SETUP, Turn.DEVELOPER, Retry.NO, _("Wrong request"), _("Report it to the developers.")
        ),
        # says it works, but no new data
        Cause.STALE: Verdict(
            HealthState.STALE,
            Turn.US,
            Retry.ONCE,
            _("No new data"),
            _("Fetch new data. If none comes, write to the provider's support."),
        ),
        # ended
        Cause.SWITCHED_OFF: Verdict(
            HealthState.DISCONNECTED,
            Turn.US,
            Retry.NO,
            _("Switched off by us"),
            _("To use it again, create the customer's link again."),
        ),
        Cause.GONE: Verdict(
            HealthState.DISCONNECTED,
            Turn.CUSTOMER,
            Retry.NO,
            _("The connection is gone"),
            _("Ask the customer to connect again, then create a new link."),
        ),
        Cause.MISSING: Verdict(
            HealthState.DISCONNECTED,
            Turn.US,
            Retry.ONCE,
            _("Not in the provider's list"),
            _("Ask the provider now. If it is still missing, treat it as removed at the provider."),
        ),
        Cause.NOT_FOUND: Verdict(
            HealthState.DISCONNECTED,
            Turn.US,
            Retry.NO,
            _("The provider does not know this link"),
            _("Wrong id, wrong environment, or the link was deleted."),
        ),
        Cause.REMOVED: Verdict(HealthState.DISCONNECTED, Turn.NOBODY, Retry.NONE, _("Removed"), _("Nothing to do.")),
        Cause.STORAGE_ENDED: Verdict(
            HealthState.DISCONNECTED,
            Turn.CUSTOMER,
            Retry.NO,
            _("The stored login was removed on schedule"),
            _("Nothing is stored that could be repaired. Register the link again with the customer."),
        ),
        Cause.PERMISSION_REVOKED: Verdict(
            HealthState.DISCONNECTED,
            Turn.CUSTOMER,
            Retry.NO,
            _("Customer withdrew permission"),
            _("Stop using the data. Connect again only if the customer wants to."),
        ),
        Cause.CONSENT_REJECTED: Verdict(
            HealthState.DISCONNECTED,
            Turn.CUSTOMER,
            Retry.NO,
            _("Customer refused"),
            _("Connect again only if the customer wants to."),
        ),
        Cause.ACCOUNT_UNSUPPORTED: Verdict(
            HealthState.DISCONNECTED,
            Turn.CUSTOMER,
            Retry.NO,
            _("This kind of account cannot be connected"),
            _("Try another account."),
        ),
        Cause.BANK_DROPPED: Verdict(
            HealthState.DISCONNECTED,
            Turn.CUSTOMER,
            Retry.NO,
            _("The bank is no longer reachable this way"),
            _("Connect through the bank's new entry, or another bank."),
        ),
        Cause.CODE_UNSUPPORTED: Verdict(
            HealthState.DISCONNECTED,
            Turn.PROVIDER,
            Retry.NO,
            _("The bank's code method is not supported"),
            _("There is no way for this customer at present."),
        ),
        # not understood yet
        Cause.UNRECOGNISED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.NO,
            _("New status of the provider"),
            _("It is shown as received. Report it, so that it becomes known here."),
        ),
        Cause.ERROR_UNRECOGNISED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("An error we do not know yet"),
            _("Read the provider's words, fetch new data once. Then write to its support, with link id and message."),
        ),
        Cause.ERROR_UNNAMED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("An error without a code"),
            _("Fetch new data once. If it stays, write to the provider's support."),
        ),
        Cause.SOURCE_UNKNOWN: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("The provider is not sure"),
            _("Open the link and ask the provider now."),
        ),
        Cause.DETAIL_HIDDEN: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.NO,
            _("An inner error is hidden"),
            _("Write to the provider's support for the details of this connection."),
        ),
        Cause.NEVER_SYNCED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("No data for more than a day"),
            _("Fetch new data. If none comes, write to the provider's support."),
        ),
    }
)
