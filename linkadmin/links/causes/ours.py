"""Causes that we have to resolve, and those that disconnect a link."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from linkadmin.providers.types import Cause, HealthState

from .vocabulary import Remedy, Retry, Turn, Verdict

OUR_VERDICTS: Mapping[Cause, Verdict] = MappingProxyType(
    {
        # Configuration problem
        Cause.KEYS_WRONG: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Wrong API keys"),
            _(
                "The integration's API keys are wrong or deactivated. Fix them in the integration; the links "
                "themselves are fine."
            ),
            Remedy.TELL_ADMIN,
        ),
        Cause.UPSTREAM_KEYS_WRONG: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Wrong keys at the provider"),
            _(
                "The keys the provider uses on our behalf are wrong. Fix them in the provider's dashboard; the links "
                "themselves are fine."
            ),
            Remedy.TELL_ADMIN,
        ),
        Cause.FEATURE_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Our account doesn't have this feature"),
            _("Ask provider support to enable it."),
            Remedy.TELL_ADMIN,
        ),
        Cause.RIGHTS_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("Access denied for our account"),
            _("The cause is a permission, quota, or firewall setting at the provider. Contact provider support."),
            Remedy.TELL_ADMIN,
        ),
        Cause.PLAN_USED_UP: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.NO,
            _("We've reached our plan's limit"),
            _("Ask the provider to upgrade our plan."),
            Remedy.TELL_ADMIN,
        ),
        Cause.NOT_REGISTERED: Verdict(
            HealthState.OUR_SETUP,
            Turn.ADMIN,
            Retry.LATER,
            _("Our registration with this bank is incomplete"),
            _("Complete it with the provider. This takes a few days."),
            Remedy.TELL_ADMIN,
        ),
        Cause.WRONG_ID: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("Unrecognized ID"),
            _(
                "The integration, customer ID, or link ID is wrong or belongs to another account. Compare them with "
                "the provider's records."
            ),
            Remedy.TELL_ADMIN,
        ),
        Cause.FIELD_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("A required field is empty"),
            _("Fill in every field the bank requires and send them again."),
            Remedy.SIGN_IN,
        ),
        Cause.TOKEN_OUTDATED: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("The provider has an old access token"),
            _("Replace the access token, or ask the customer to connect again."),
            Remedy.TOKEN,
        ),
        Cause.PRODUCT_MISSING: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("This connection is missing a product"),
            _("Ask the customer to add it by signing in again in our app, or to connect again."),
            Remedy.TELL_DEVELOPERS,
        ),
        Cause.PRODUCT_MISFIT: Verdict(
            HealthState.OUR_SETUP,
            Turn.US,
            Retry.NO,
            _("The accounts don't support this product"),
            _("Check the products we request: this customer's accounts don't support them."),
            Remedy.TELL_DEVELOPERS,
        ),
        Cause.REQUEST_WRONG: Verdict(
            HealthState.OUR_SETUP,
            Turn.DEVELOPER,
            Retry.NO,
            _("Invalid request"),
            _("Report it to the developers."),
            Remedy.TELL_DEVELOPERS,
        ),
        # No new data
        Cause.STALE: Verdict(
            HealthState.STALE,
            Turn.US,
            Retry.ONCE,
            _("Sync overdue"),
            _("Refresh data. If no new data arrives, contact provider support."),
            Remedy.FETCH,
        ),
        # Disconnected
        Cause.SWITCHED_OFF: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("Disconnected by us"),
            _("To get this customer's data again, create a new link."),
            Remedy.RECONNECT,
        ),
        Cause.GONE: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("The connection no longer exists"),
            _("Ask the customer to connect again, then create a new link."),
            Remedy.RECONNECT,
        ),
        Cause.MISSING: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.ONCE,
            _("No longer listed"),
            _("Check status. If the link still isn't listed, treat it as removed at the provider."),
            Remedy.RECONNECT,
        ),
        Cause.NOT_FOUND: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("The provider has no record of this link"),
            _("The ID or environment is wrong, or the link was deleted."),
            Remedy.RECONNECT,
        ),
        Cause.REMOVED: Verdict(
            HealthState.DISCONNECTED, Turn.NOBODY, Retry.NONE, _("Removed"), _("No action needed."), Remedy.RECONNECT
        ),
        Cause.STORAGE_ENDED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("Stored credentials deleted on schedule"),
            _("There are no stored credentials, so this link can't be repaired. Create it again with the customer."),
            Remedy.RECONNECT,
        ),
        Cause.PERMISSION_REVOKED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("Consent revoked by the customer"),
            _("Stop using the data. Reconnect only if the customer wants to."),
            Remedy.RECONNECT,
        ),
        Cause.CONSENT_REJECTED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("Declined by the customer"),
            _("Reconnect only if the customer wants to."),
            Remedy.RECONNECT,
        ),
        Cause.ACCOUNT_UNSUPPORTED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("This type of account can't be connected"),
            _("Ask the customer to connect another account."),
            Remedy.RECONNECT,
        ),
        Cause.BANK_DROPPED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("The bank has a new listing at the provider"),
            _("Connect through the bank's new listing, or connect another bank."),
            Remedy.RECONNECT,
        ),
        Cause.CODE_UNSUPPORTED: Verdict(
            HealthState.DISCONNECTED,
            Turn.NOBODY,
            Retry.NO,
            _("The bank's verification method isn't supported"),
            _("There's currently no way to connect this customer."),
        ),
        # Unrecognized status
        Cause.UNRECOGNIZED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.NO,
            _("New status from the provider"),
            _("Shown as received. Report it so we can add it."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.ERROR_UNRECOGNIZED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("Unrecognized error"),
            _(
                "Read the provider's response and refresh data once. If this keeps happening, contact provider "
                "support with the link ID and message."
            ),
            Remedy.TELL_PROVIDER,
        ),
        Cause.ERROR_UNNAMED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("Error without a code"),
            _("Refresh data once. If this keeps happening, contact provider support."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.SOURCE_UNKNOWN: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("The provider can't confirm the status"),
            _("Open the link and check its status."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.DETAIL_HIDDEN: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.NO,
            _("Error details withheld"),
            _("Contact provider support for details about this connection."),
            Remedy.TELL_PROVIDER,
        ),
        Cause.NEVER_SYNCED: Verdict(
            HealthState.UNKNOWN,
            Turn.US,
            Retry.ONCE,
            _("No data for over a day"),
            _("Refresh data. If no new data arrives, contact provider support."),
            Remedy.TELL_PROVIDER,
        ),
    }
)
