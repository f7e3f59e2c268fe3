"""The table of link health, row by row: reported by a provider over a real socket, shown on the link's page."""

import html
import re

import pytest

from linkadmin.links.models import Link
from linkadmin.simulator.clock import iso
from tests.environment import Environment

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

OWN_APP = "Ask the customer to sign in again in our app (Plaid's update mode). Data will then resume."
REFRESH_ONCE = "Refresh data once. If this keeps happening, contact provider support."
OUTAGE = "The bank isn't responding. Don't contact the customer."
LOGIN, CODE, CONSENT = "Sign-in needed", "One-time code needed", "Consent needed"
AT_BANK, WAIT, US = (
    "Action needed at the bank",
    "Bank or provider issue",
    "Configuration problem",
)
ENDED, UNKNOWN, SET_UP, WORKS = "Disconnected", "Unrecognized status", "Setting up", "Working"

# Plaid's code, as Heron passes it on: status, advice.
PLAID = {
    "ITEM_LOGIN_REQUIRED": (LOGIN, OWN_APP),
    "INVALID_CREDENTIALS": (LOGIN, "Ask the customer to try signing in on the bank's own site, then"),
    "INVALID_UPDATED_USERNAME": (LOGIN, "Repair the link with the original username."),
    "INSUFFICIENT_CREDENTIALS": (CONSENT, "and complete the bank's consent screen."),
    "USER_INPUT_TIMEOUT": (LOGIN, "Ask the customer to sign in again in our app and finish without stopping."),
    "INVALID_MFA": (CODE, "in our app, with their device at hand."),
    "INVALID_OTP": (CODE, "in our app. They can skip the phone step."),
    "INVALID_PHONE_NUMBER": (CODE, "Ask the customer to correct the phone number in our app or skip that step."),
    "PROFILE_AUTHENTICATION_FAILED": (CODE, "in our app without using their saved profile."),
    "INVALID_SEND_METHOD": (WAIT, "Retry tomorrow. If this keeps happening, contact provider support."),
    "MFA_NOT_SUPPORTED": (AT_BANK, "have the bank remember their device, or to connect another bank"),
    "ITEM_LOCKED": (AT_BANK, "to have the bank unlock it, then sign in again in our app."),
    "USER_SETUP_REQUIRED": (AT_BANK, "The bank has new terms or a setup step for the customer."),
    "PASSWORD_RESET_REQUIRED": (AT_BANK, "to set a new password at the bank, then sign in again in our app."),
    "ACCESS_NOT_GRANTED": (
        CONSENT,
        "Ask the account owner to sign in again in our app and select all accounts and data.",
    ),
    "ADDITIONAL_CONSENT_REQUIRED": (CONSENT, "Ask the developers to update our app so it requests this consent"),
    "NO_ACCOUNTS": (CONSENT, "If the accounts are open, ask the customer to select them again in our app."),
    "NO_AUTH_ACCOUNTS": (CONSENT, "Ask the customer to sign in again in our app and choose another account."),
    "NO_INVESTMENT_ACCOUNTS": (US, "Check the products we request"),
    "NO_INVESTMENT_AUTH_ACCOUNTS": (US, "Check the products we request"),
    "NO_LIABILITY_ACCOUNTS": (US, "Check the products we request"),
    "MANUAL_VERIFICATION_REQUIRED": (CONSENT, "Ask the customer to complete it by signing in again in our app."),
    "USER_PERMISSION_REVOKED": (ENDED, "Stop using the data. Reconnect only if the customer wants to."),
    "ITEM_NOT_FOUND": (ENDED, "Ask the customer to connect again, then create a new link."),
    "ITEM_CONCURRENTLY_DELETED": (ENDED, "Ask the customer to connect again, then create a new link."),
    "ITEM_NOT_SUPPORTED": (ENDED, "Ask the customer to connect another account."),
    "INSTITUTION_NO_LONGER_SUPPORTED": (ENDED, "Connect through the bank's new listing, or connect another bank."),
    "INSTITUTION_DOWN": (WAIT, OUTAGE),
    "INSTITUTION_NOT_RESPONDING": (WAIT, OUTAGE),
    "INSTITUTION_NOT_AVAILABLE": (WAIT, OUTAGE),
    "UNSUPPORTED_RESPONSE": (WAIT, "Contact provider support."),
    "INTERNAL_SERVER_ERROR": (
        WAIT,
        "Usually clears up on its own. If it hasn't after a day, contact provider support.",
    ),
    "PLANNED_MAINTENANCE": (WAIT, "Usually clears up on its own. If it hasn't after a day, contact provider support."),
    "PRODUCT_NOT_READY": (SET_UP, "Check again later."),
    "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION": (WAIT, "Usually clears up on its own."),
    "RATE_LIMIT_EXCEEDED": (WAIT, "Usually clears up on its own within minutes."),
    "TRANSACTIONS_LIMIT": (WAIT, "Usually clears up on its own within minutes."),
    "TRIAL_CONNECTION_LIMIT": (US, "Ask the provider to upgrade our plan."),
    "CREDITS_EXHAUSTED": (US, "Ask the provider to upgrade our plan."),
    "ASSET_REPORT_GENERATION_FAILED": (WAIT, "Regenerate reports."),
    "DATA_QUALITY_CHECK_FAILED": (WAIT, "Retry in 2 days."),
    "DATA_UNAVAILABLE": (UNKNOWN, "Contact provider support for details about this connection."),
    "INVALID_ACCESS_TOKEN": (US, "Replace the access token, or ask the customer to connect again."),
    "INVALID_API_KEYS": (US, "Fix them in the provider's dashboard"),
    "UNAUTHORIZED_ENVIRONMENT": (US, "Fix them in the provider's dashboard"),
    "UNAUTHORIZED_ROUTE_ACCESS": (US, "Fix them in the provider's dashboard"),
    "INSTITUTION_REGISTRATION_REQUIRED": (US, "Complete it with the provider. This takes a few days."),
    "UNAUTHORIZED_INSTITUTION": (US, "Complete it with the provider. This takes a few days."),
    "PRODUCT_NOT_ENABLED": (US, "Ask the customer to add it by signing in again in our app, or to connect again."),
    "PRODUCTS_NOT_SUPPORTED": (US, "Ask the customer to add it by signing in again in our app, or to connect again."),
    "INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT": (US, "Report it to the developers."),
    "INVALID_PRODUCT": (US, "Report it to the developers."),
    "INVALID_FIELD": (US, "Report it to the developers."),
    "MISSING_FIELDS": (US, "Report it to the developers."),
    "INVALID_CONFIGURATION": (US, "Report it to the developers."),
    "INVALID_INSTITUTION": (US, "Report it to the developers."),
    "INSTANT_MATCH_FAILED": (US, "Report it to the developers."),
    "INVALID_BODY": (US, "Report it to the developers."),
    "SOME_FUTURE_CODE": (UNKNOWN, "Read the provider's response and refresh data once."),
}
# Heron's status and message.
HERON = {
    ("pending", None): (SET_UP, "If none arrives within 24 hours, refresh data."),
    ("syncing", None): (WORKS, "The provider is fetching data. Check again in a few minutes."),
    ("active", None): (WORKS, "No action needed."),
    ("active", "[ITEM_LOGIN_REQUIRED] the login details have changed"): (LOGIN, OWN_APP),
    ("erroring", "no code in these words"): (
        UNKNOWN,
        "Refresh data once. If this keeps happening, contact provider support.",
    ),
    ("erroring", None): (UNKNOWN, REFRESH_ONCE),
    ("unknown", None): (UNKNOWN, "Open the link and check its status."),
    ("resting", None): (UNKNOWN, "Shown as received. Report it so we can add it."),
    ("sync_disabled", None): (ENDED, "To get this customer's data again, create a new link."),
    ("deleted_in_plaid", None): (ENDED, "Ask the customer to connect again, then create a new link."),
}
# Belvo's status and how long it stores the credentials.
BELVO = {
    ("valid", "store"): (WORKS, "No action needed."),
    ("invalid", "store"): (LOGIN, "Get the current password from the customer and update the credentials."),
    ("invalid", "nostore"): (ENDED, "There are no stored credentials, so this link can't be repaired."),
    ("token_required", "store"): (CODE, "Update the credentials while the customer is on the phone"),
    ("unconfirmed", "store"): (CODE, "Delete the link and create it again"),
    ("resting", "store"): (UNKNOWN, "Shown as received. Report it so we can add it."),
}


def verdict_after_check(env: Environment, link: Link) -> str:
    """Check status with the page's button. Returns the verdict's text with its advice."""
    env.post(f"/links/{link.pk}/refresh/")
    page = env.open(link.get_absolute_url())
    section = re.search(r'id="link-verdict"[^>]*>(.*?<p class="verdict__advice">.*?)</p>', page.source, re.DOTALL)
    assert section, page.words[:300]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", section[1]))).strip()


def expect(shown: str, row: tuple[str, str]) -> None:
    state, advice = row
    assert shown.startswith(f"{state} "), shown
    assert advice in shown


@pytest.mark.parametrize("half", [0, 1])  # half of the table each, so that two workers share it
def test_each_plaid_code_behind_a_heron_link_has_its_words(env: Environment, half: int) -> None:
    link = env.heron_link()
    remote = env.simulator.store.heron_links[link.remote_id]
    for code, row in list(PLAID.items())[half::2]:
        remote.status, remote.status_message, remote.settles_at = "erroring", f"[{code}] the bank's own words", None

        shown = verdict_after_check(env, link)

        expect(shown, row)


def test_each_status_of_heron_has_its_words(env: Environment) -> None:
    link = env.heron_link()
    remote = env.simulator.store.heron_links[link.remote_id]
    remote.last_successful_sync = iso(env.clock())
    for (status, message), row in HERON.items():
        remote.status, remote.status_message, remote.settles_at = status, message, None

        shown = verdict_after_check(env, link)

        expect(shown, row)


def test_each_status_of_belvo_has_its_words(env: Environment) -> None:
    link = env.belvo_link()
    remote = env.simulator.store.belvo_links[link.remote_id]
    for (status, storage), row in BELVO.items():
        remote.status, remote.credentials_storage = status, storage

        shown = verdict_after_check(env, link)

        expect(shown, row)


def test_link_that_heron_never_filled_is_being_set_up(env: Environment) -> None:
    link = env.heron_link()
    remote = env.simulator.store.heron_links[link.remote_id]
    remote.status, remote.last_successful_sync, remote.settles_at = "syncing", None, None

    expect(verdict_after_check(env, link), (SET_UP, "The provider is fetching data."))


def test_link_missing_from_herons_list_is_disconnected(env: Environment) -> None:
    link = env.heron_link()
    other = env.heron_link("Other Ltd", item_id="item-2")
    env.simulator.store.heron_links[link.remote_id].end_user_id = other.end_user.external_id

    expect(
        verdict_after_check(env, link), (ENDED, "If the link still isn't listed, treat it as removed at the provider.")
    )


def test_link_that_belvo_does_not_know_is_disconnected(env: Environment) -> None:
    link = env.belvo_link()
    del env.simulator.store.belvo_links[link.remote_id]

    expect(verdict_after_check(env, link), (ENDED, "The ID or environment is wrong, or the link was deleted."))


def test_customer_that_heron_does_not_know_is_a_configuration_problem(env: Environment) -> None:
    link = env.heron_link()
    env.simulator.store.end_users.clear()

    expect(verdict_after_check(env, link), (US, "The integration, customer ID, or link ID is wrong"))
