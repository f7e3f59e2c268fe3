"""Causes that only the customer can resolve: with a sign-in, a code, a consent, or at the bank."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from linkadmin.providers.types import Cause, HealthState

from .vocabulary import Remedy, Retry, Turn, Verdict

CUSTOMER_VERDICTS: Mapping[Cause, Verdict] = MappingProxyType(
    {
        # Sign-in needed
        Cause.LOGIN_REQUIRED: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.NO,
            _("Sign-in expired"),
            _("Ask the customer to sign in again in our app (Plaid's update mode). Data will then resume."),
            Remedy.SIGN_IN,
        ),
        Cause.LOGIN_REFUSED: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.NO,
            _("The bank rejected the stored credentials"),
            _("Get the current password from the customer and update the credentials."),
            Remedy.SIGN_IN,
        ),
        Cause.LOGIN_UNCLEAR: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.NO,
            _("Sign-in failed for an unrecognized reason"),
            _("Read the provider's response below before you contact the customer."),
            Remedy.SIGN_IN,
        ),
        Cause.PASSWORD_WRONG: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.RISKY,
            _("Wrong password"),
            _("Ask the customer for the current password. Don't send the same one again."),
            Remedy.SIGN_IN,
        ),
        Cause.SIGN_IN_FAILED: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.RISKY,
            _("Wrong credentials"),
            _("Ask the customer to try signing in on the bank's own site, then sign in again in our app."),
            Remedy.SIGN_IN,
        ),
        Cause.USERNAME_CHANGED: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.NO,
            _("A different username was used"),
            _("Repair the link with the original username. If it changed at the bank, create a new link."),
            Remedy.SIGN_IN,
        ),
        Cause.SIGN_IN_TOO_SLOW: Verdict(
            HealthState.CUSTOMER_LOGIN,
            Turn.CUSTOMER,
            Retry.NO,
            _("The customer took too long"),
            _("Ask the customer to sign in again in our app and finish without stopping."),
            Remedy.SIGN_IN,
        ),
        # One-time code needed
        Cause.CODE_NEEDED: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Bank wants a new code"),
            _("Update the credentials while the customer is on the phone, with their device or token at hand."),
            Remedy.SIGN_IN,
        ),
        Cause.CODE_WAITING: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Waiting for the code"),
            _("Ask the customer to read you the code, and enter it before it expires."),
            Remedy.SIGN_IN,
        ),
        Cause.CODE_WRONG: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Wrong or missing code"),
            _("Ask the customer to sign in again in our app, with their device at hand."),
            Remedy.SIGN_IN,
        ),
        Cause.CODE_TOO_LATE: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.START_AGAIN,
            _("Code expired"),
            _("Start over: enter the credentials again to get a new code."),
            Remedy.SIGN_IN,
        ),
        Cause.CODE_TRIES_USED: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Three wrong codes"),
            _("Ask the customer to start over in our app without using their saved profile."),
            Remedy.SIGN_IN,
        ),
        Cause.PHONE_CODE_WRONG: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Wrong phone verification code"),
            _("Ask the customer to sign in again in our app. They can skip the phone step."),
            Remedy.SIGN_IN,
        ),
        Cause.PHONE_NUMBER_WRONG: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Wrong phone number"),
            _("Ask the customer to correct the phone number in our app or skip that step."),
            Remedy.SIGN_IN,
        ),
        Cause.WIDGET_EXPIRED: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.START_AGAIN,
            _("Connection session expired"),
            _("Send the customer a new repair request."),
            Remedy.CONSENT,
        ),
        Cause.NEVER_CONFIRMED: Verdict(
            HealthState.CUSTOMER_CODE,
            Turn.CUSTOMER,
            Retry.NO,
            _("Registration not finished"),
            _("Delete the link and create it again, with the customer on the phone for the code."),
            Remedy.CONSENT,
        ),
        # Consent needed
        Cause.CONSENT_EXPIRED: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Consent expired"),
            _("Ask the customer to renew it by signing in again in our app."),
            Remedy.CONSENT,
        ),
        Cause.CONSENT_WITHDRAWN: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Consent revoked by the customer"),
            _("Ask the customer whether they want to continue. If so, ask them to sign in again in our app."),
            Remedy.CONSENT,
        ),
        Cause.CONSENT_ENDED_BY_BANK: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Consent ended by the bank"),
            _("Ask the customer to sign in again in our app and give consent again."),
            Remedy.CONSENT,
        ),
        Cause.CONSENT_LEFT_EARLY: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Consent screen closed early"),
            _("Ask the customer to sign in again in our app and complete the bank's consent screen."),
            Remedy.CONSENT,
        ),
        Cause.CONSENT_MISSING: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Additional consent missing"),
            _(
                "Ask the developers to update our app so it requests this consent, then ask the customer to sign in "
                "again."
            ),
            Remedy.CONSENT,
        ),
        Cause.CONSENT_UNFINISHED: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Consent incomplete"),
            _("Ask the customer to complete it in the consent portal."),
            Remedy.CONSENT,
        ),
        Cause.CONSENT_WITHOUT_ACCOUNTS: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("The accounts covered by this consent are closed"),
            _("Ask the customer to give consent again."),
            Remedy.CONSENT,
        ),
        Cause.CONSENT_ACCOUNTS_LOST: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Part of the consent is missing"),
            _("Check the consent again to see which accounts are missing."),
            Remedy.CONSENT,
        ),
        Cause.PORTAL_CONSENT_EXPIRED: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Consent expired"),
            _("Ask the customer to renew it in the consent portal. A password won't help."),
            Remedy.CONSENT,
        ),
        Cause.ACCESS_PARTIAL: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("Not all accounts are shared"),
            _("Ask the account owner to sign in again in our app and select all accounts and data."),
            Remedy.CONSENT,
        ),
        Cause.NO_ACCOUNTS: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("No open accounts are shared"),
            _(
                "If the accounts are open, ask the customer to select them again in our app. If they're closed, ask "
                "the customer to connect another bank."
            ),
            Remedy.CONSENT,
        ),
        Cause.NO_PAYMENT_ACCOUNTS: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("No accounts support payments"),
            _("Ask the customer to sign in again in our app and choose another account."),
            Remedy.CONSENT,
        ),
        Cause.MANUAL_STEP_OPEN: Verdict(
            HealthState.CUSTOMER_CONSENT,
            Turn.CUSTOMER,
            Retry.NO,
            _("A manual step is pending"),
            _("Ask the customer to complete it by signing in again in our app."),
            Remedy.CONSENT,
        ),
        # Action needed at the bank
        Cause.ACCOUNT_LOCKED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("Account locked by the bank"),
            _(
                "The bank locked this account. Ask the customer to have the bank unlock it, then update the "
                "credentials."
            ),
            Remedy.AFTER_BANK,
        ),
        Cause.ITEM_LOCKED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.RISKY,
            _("Account locked by the bank"),
            _(
                "The bank locked this account. Ask the customer to have the bank unlock it, then sign in again in "
                "our app."
            ),
            Remedy.AFTER_BANK,
        ),
        Cause.ACCESS_FORBIDDEN: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("Access blocked at the bank"),
            _("Ask the customer to allow access at the bank. Then update the credentials."),
            Remedy.AFTER_BANK,
        ),
        Cause.NOT_ACTIVATED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("Online banking not activated"),
            _("Ask the customer to activate online banking at the bank."),
            Remedy.AFTER_BANK,
        ),
        Cause.ACTIVATION_FAILED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("Online banking couldn't be activated"),
            _("Ask the customer to activate it at the bank, then connect again in our app."),
            Remedy.AFTER_BANK,
        ),
        Cause.BANK_SETUP_OPEN: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("The bank needs something from the customer"),
            _(
                "The bank has new terms or a setup step for the customer. Ask them to complete it, then sign in "
                "again in our app."
            ),
            Remedy.AFTER_BANK,
        ),
        Cause.PASSWORD_RESET: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER_BANK,
            Retry.NO,
            _("New password required by the bank"),
            _("Ask the customer to set a new password at the bank, then sign in again in our app."),
            Remedy.AFTER_BANK,
        ),
        Cause.DEVICE_NOT_REMEMBERED: Verdict(
            HealthState.CUSTOMER_BANK,
            Turn.CUSTOMER,
            Retry.NO,
            _("The bank's verification method isn't working"),
            _("Ask the customer to have the bank remember their device, or to connect another bank."),
            Remedy.AFTER_BANK,
        ),
    }
)
