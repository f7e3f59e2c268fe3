"""The causes that we have to look at, and those that end a link."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from linkadmin.providers.types import Cause, HealthState

from .vocabulary import Remedy, Retry, Turn, Verdict

OUR_VERDICTS: Mapping[Cause, Verdict] = MappingProxyType(
    {
        # we have to correct something
        Cause.KEYS_WRONG: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Our keys are wrong"),
            _("The key of the integration is wrong or deactivated. Correct it once: no link is at fault."),
            Remedy.TELL_ADMIN,
        ),
        Cause.UPSTREAM_KEYS_WRONG: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("The keys behind the integration are wrong"),
            _("The keys that the provider uses for us are wrong. Correct them once at the provider."),
            Remedy.TELL_ADMIN,
        ),
        Cause.FEATURE_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Our account lacks this feature"),
            _("Have the provider's support enable it."),
            Remedy.TELL_ADMIN,
        ),
        Cause.RIGHTS_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Our account may not do this"),
            _("Rights, quota or firewall at the provider: write to its support."),
            Remedy.TELL_ADMIN,
        ),
        Cause.PLAN_USED_UP: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Our plan is used up"),
            _("Ask for a larger plan at the provider."),
            Remedy.TELL_ADMIN,
        ),
        Cause.NOT_REGISTERED: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.LATER,
            _("Our registration with this bank is not finished"),
            _("Finish it at the provider. That takes days."),
            Remedy.TELL_ADMIN,
        ),
        Cause.WRONG_ID: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("Unknown id"),
            _("Wrong integration, customer or link id, or an id of another account. Compare them with the provider."),
            Remedy.TELL_ADMIN,
        ),
        Cause.FIELD_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("A required field was left empty"),
            _("Fill every field the bank asks for and send them again."),
            Remedy.SIGN_IN,
        ),
        Cause.TOKEN_OUTDATED: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("The provider holds an old token"),
            _("Hand over the current one, or connect again."),
            Remedy.TOKEN,
        ),
        Cause.PRODUCT_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("A product is missing on this connection"),
            _("The customer adds it by signing in again in your own app, or connects again."),
            Remedy.TELL_DEVELOPERS,
        ),
        Cause.PRODUCT_MISFIT: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("The product does not fit the accounts"),
            _("Check what we ask for: this customer's accounts do not have it."),
            Remedy.TELL_DEVELOPERS,
        ),
        Cause.REQUEST_WRONG: Verdict(
            HealthState.OUR_SETUP,
            Turn.DEVELOPER,
            Retry.NO,
            _("Wrong request"),
            _("Report it to the developers."),
            Remedy.TELL_DEVELOPERS,
        ),
        # says it works, but no new data
        Cause.STALE: Verdict(
            HealthState.STALE,
            Turn.US,
            Retry.ONCE,
            _("No new data"),
            _("Fetch new data. If none comes, write to the provider's support."),
            Remedy.FETCH,
        ),
        # ended
        Cause.SWITCHED_OFF: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("Switched off by us"),
            _("To use it again, create the customer's link again."),
            Remedy.RECONNECT,
        ),
        Cause.GONE: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("The connection is gone"),
            _("Ask the customer to connect again, then create a new link."),
            Remedy.RECONNECT,
        ),
        Cause.MISSING: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.ONCE,
            _("Not in the provider's list"),
            _("Ask the provider now. If it is still missing, treat it as removed at the provider."),
            Remedy.RECONNECT,
        ),
        Cause.NOT_FOUND: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("The provider does not know this link"),
            _("Wrong id, wrong environment, or the link was deleted."),
            Remedy.RECONNECT,
        ),
        Cause.REMOVED: Verdict(
            HealthState.DISCONNECTED, Turn.NOBODY, Retry.NONE, _("Removed"), _("Nothing to do."), Remedy.RECONNECT
        ),
        Cause.STORAGE_ENDED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("The stored login was removed on schedule"),
            _("Nothing is stored that could be repaired. Register the link again with the customer."),
            Remedy.RECONNECT,
        ),
        Cause.PERMISSION_REVOKED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("Customer withdrew permission"),
            _("Stop using the data. Connect again only if the customer wants to."),
            Remedy.RECONNECT,
        ),
        Cause.CONSENT_REJECTED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("Customer refused"),
            _("Connect again only if the customer wants to."),
            Remedy.RECONNECT,
        ),
        Cause.ACCOUNT_UNSUPPORTED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("This kind of account cannot be connected"),
            _("Try another account."),
            Remedy.RECONNECT,
        ),
        Cause.BANK_DROPPED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("The bank is no longer reachable this way"),
            _("Connect through the bank's new entry, or another bank."),
            Remedy.RECONNECT,
        ),
        Cause.CODE_UNSUPPORTED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("The bank's code method is not supported"),
            _("There is no way for this customer at present."),
        ),
        # not understood yet
        Cause.UNRECOGNIZED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.NO,
            _("New status of the provider"),
            _("It is shown as received. Report it, so that it becomes known here."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.ERROR_UNRECOGNIZED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("An error we do not know yet"),
            _("Read the provider's words, fetch new data once. Then write to its support, with link id and message."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.ERROR_UNNAMED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("An error without a code"),
            _("Fetch new data once. If it stays, write to the provider's support."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.SOURCE_UNKNOWN: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("The provider is not sure"),
            _("Open the link and ask the provider now."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.DETAIL_HIDDEN: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.NO,
            _("An inner error is hidden"),
            _("Write to the provider's support for the details of this connection."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.NEVER_SYNCED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("No data for more than a day"),
            _("Fetch new data. If none comes, write to the provider's support."),
            Remedy.TELL_PROVIDER,
        ),
    }
)
