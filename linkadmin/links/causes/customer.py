"""The causes that only the customer can remove: by signing in, a code, a permission, or a word with the bank."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from linkadmin.providers.types import Cause, HealthState

from .vocabulary import Retry, Turn, Verdict

CUSTOMER_VERDICTS: Mapping[Cause, Verdict] = MappingProxyType(
    {
        # the customer signs in again
        Cause.LOGIN_REQUIRED: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.NO,
            _("Sign-in needed"),
            _("Ask the customer to sign in again in your own app (Plaid's update mode); the data then continues."),
        ),
        Cause.LOGIN_REFUSED: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.NO,
            _("The bank refused the stored login"),
            _("Get the current password from the customer and update the credentials."),
        ),
        Cause.LOGIN_UNCLEAR: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.US,
            Retry.NO,
            _("Login failed, for a reason we do not know yet"),
            _("Read the provider's words below before you ask the customer for anything."),
        ),
        Cause.PASSWORD_WRONG: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.RISKY,
            _("Wrong password"),
            _("Ask the customer for the current password. Do not send the same one again."),
        ),
        Cause.SIGN_IN_FAILED: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.RISKY,
            _("Wrong login at the bank"),
            _("Ask the customer to test the login at the bank's own site, then to sign in again in your own app."),
        ),
        Cause.USERNAME_CHANGED: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.NO,
            _("Another user name was given"),
            _("Repair with the original user name. If it has changed at the bank, connect again as new."),
        ),
        Cause.SIGN_IN_TOO_SLOW: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.NO,
            _("The customer took too long"),
            _("Ask the customer to sign in once more in your own app, without a break."),
        ),
        # the customer gives a code
        Cause.CODE_NEEDED: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("The bank wants a new code"),
            _("Update the credentials while the customer is on the line, with the phone or token at hand."),
        ),
        Cause.CODE_WAITING: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Waiting for the code"),
            _("Let the customer read the code to you, and enter it before the time runs out."),
        ),
        Cause.CODE_WRONG: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Wrong or missing code"),
            _("Ask the customer to sign in once more in your own app, with the device at hand."),
        ),
        Cause.CODE_TOO_LATE: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.US,
            Retry.START_AGAIN,
            _("The code came too late"),
            _("Start again: enter the credentials once more and ask for a new code."),
        ),
        Cause.CODE_TRIES_USED: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Three wrong codes"),
            _("Ask the customer to start again in your own app, without the remembered profile."),
        ),
        Cause.PHONE_CODE_WRONG: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Wrong phone code"),
            _("Ask the customer to sign in once more in your own app. The phone step may be skipped."),
        ),
        Cause.PHONE_NUMBER_WRONG: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Wrong phone number"),
            _("The customer corrects the phone number in your own app, or skips that step."),
        ),
        Cause.WIDGET_EXPIRED: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.US,
            Retry.START_AGAIN,
            _("The connection window ran out"),
            _("Make a new one and send it to the customer."),
        ),
        Cause.NEVER_CONFIRMED: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Registration was never finished"),
            _("Delete the link and register it again, with the customer on the line for the code."),
        ),
        # the customer renews permission
        Cause.CONSENT_EXPIRED: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Permission ran out"),
            _("Ask the customer to renew it, by signing in again in your own app."),
        ),
        Cause.CONSENT_WITHDRAWN: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Customer withdrew permission"),
            _("Ask whether they want to go on. If so, they sign in again in your own app."),
        ),
        Cause.CONSENT_ENDED_BY_BANK: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("The bank ended the permission"),
            _("Ask the customer to give it anew, by signing in again in your own app."),
        ),
        Cause.CONSENT_LEFT_EARLY: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("The consent screen was left early"),
            _("Ask the customer to sign in again in your own app, and to finish the bank's consent screen."),
        ),
        Cause.CONSENT_MISSING: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("One more permission is missing"),
            _("Ask the customer to sign in again in your own app; developers have it ask for the permission."),
        ),
        Cause.CONSENT_UNFINISHED: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Permission not finished"),
            _("The customer finishes it in the consent portal."),
        ),
        Cause.CONSENT_WITHOUT_ACCOUNTS: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("The accounts behind the permission are closed"),
            _("Ask the customer for a new permission."),
        ),
        Cause.CONSENT_ACCOUNTS_LOST: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.US,
            Retry.NO,
            _("Part of the permission is lost"),
            _("Read the permission again and see which accounts are missing."),
        ),
        Cause.PORTAL_CONSENT_EXPIRED: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Permission ran out"),
            _("The customer renews it in the consent portal. A password does not help."),
        ),
        Cause.ACCESS_PARTIAL: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Not everything was shared"),
            _("The account's owner signs in again in your own app, and ticks all accounts and data."),
        ),
        Cause.NO_ACCOUNTS: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("No open account is shared"),
            _("Still open: the customer chooses the accounts again in your own app. Closed: connect another bank."),
        ),
        Cause.NO_PAYMENT_ACCOUNTS: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("No account that can be used for payments"),
            _("The customer signs in again in your own app and chooses another account."),
        ),
        Cause.MANUAL_STEP_OPEN: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("A manual step is open"),
            _("The customer finishes it in your own app, by signing in again there."),
        ),
        # the customer sorts something out at the bank
        Cause.ACCOUNT_LOCKED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("Locked at the bank"),
            _("The customer has the account unlocked at the bank first. Then update the credentials."),
        ),
        Cause.ITEM_LOCKED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.RISKY,
            _("Locked at the bank"),
            _("The customer has the account unlocked at the bank first, then signs in again in your own app."),
        ),
        Cause.ACCESS_FORBIDDEN: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("The bank forbids access"),
            _("The customer allows access at the bank. Then update the credentials."),
        ),
        Cause.NOT_ACTIVATED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("No online banking yet"),
            _("The customer activates online banking at the bank."),
        ),
        Cause.ACTIVATION_FAILED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("Online banking could not be activated"),
            _("The customer activates it at the bank. Then connect again."),
        ),
        Cause.BANK_SETUP_OPEN: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("The bank waits for the customer"),
            _("New terms or a set-up step wait at the bank. After that the customer signs in again in your own app."),
        ),
        Cause.PASSWORD_RESET: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("New password needed at the bank"),
            _("The customer sets a new password at the bank, then signs in again in your own app."),
        ),
        Cause.DEVICE_NOT_REMEMBERED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER,
            Retry.NO,
            _("The bank's code method does not work"),
            _("Ask the customer to let the bank remember the device, or to connect another bank."),
        ),
    }
)
