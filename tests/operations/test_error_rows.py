"""Every documented provider error over a real socket: what the page says happened, and what to do."""

import re

import pytest

from linkadmin.integrations.models import CallQuota, CircuitBreaker, Integration
from linkadmin.operations.models import State
from tests.environment import Environment

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

DECLINED = "The provider rejected the form"
KEYS, RIGHTS = "The provider rejected our API keys", "Access denied for our account"
FIREWALL = "The provider's firewall rejected this request"
OUTAGE = "The bank isn't responding. Don't contact the customer."
READ_WORDS = "Read the provider's response below to see what's wrong."
MARKED = "Correct the fields below and send them again."
ASK_ADMIN = "Tell an administrator"
TEST_KEYS = "Ask an administrator to test the integration's connection."

# In response to new credentials: what happened, what to do, the provider's own words.
BELVO = {
    "pass_invalid": ("Wrong password", "Don't send the same one again.", "Invalid credentials provided"),
    "not_attempted": ("Wrong password", "Ask the customer for the current password.", "Login not attempted"),
    "account_locked": (
        "Account locked by the bank",
        "Ask the customer to have the bank unlock it",
        "account is locked",
    ),
    "access_forbidden": ("Access blocked at the bank", "allow access at the bank", "access was forbidden"),
    "mfa_unsupported": (
        "The bank's verification method isn't supported",
        "no way to connect this customer",
        "not supported yet by Belvo",
    ),
    "unexpected": ("Unexpected error at the bank", "Retry later.", "something unexpected happened"),
    "missing": ("A required field is empty", "Fill in every field the bank requires", "Missing credentials"),
    "invalid_link": ("The bank rejected the stored credentials", "Get the current password", "has been invalidated"),
    "unconfirmed_link": ("Registration not finished", "Delete the link and create it again", "has not been completed"),
    "too_many": ("Another session is open", "retry in 2 minutes. Try again after", "already opened"),
    "institution_down": ("Bank unreachable", OUTAGE, "institution is down"),
    "bank_unavailable": ("Bank unreachable", OUTAGE, "institution is unavailable"),
    "bank_inactive": ("Bank unreachable", OUTAGE, "temporarily deactivated"),
    "activation": ("Online banking not activated", "activate online banking at the bank", "web access activated"),
    "activate_failed": ("Online banking couldn't be activated", "then connect again in our app.", "were not accepted"),
    "validation_error": (DECLINED, READ_WORDS, "Bad request"),
    "expired_creds": (
        "deleted on schedule",
        "Create it again with the customer.",
        "credentials of this link have expired",
    ),
    "consent_empty": ("accounts covered by this consent are closed", "give consent again", "no associated accounts"),
    "denied_403": (RIGHTS, ASK_ADMIN, "don't have access to this resource"),
    "html_403": (FIREWALL, "Check the form for unusual characters", ""),
    "rate_429": ("Rate limited by the provider", "Try again in a few minutes.", "throttled"),
    "unavailable_data": (
        "The bank returned no data",
        "If this keeps happening, contact provider support.",
        "did not return any data",
    ),
    "unsupported_operation": (DECLINED, READ_WORDS, "not supported by this institution"),
    "required": (DECLINED, MARKED, "username: This field is required."),
    "blank": (DECLINED, MARKED, "This field may not be blank."),
    "null": (DECLINED, MARKED, "This field may not be null."),
    "does_not_exist": (DECLINED, MARKED, "institution: Object with name=nowhere_mx_retail does not exist."),
    "invalid": (DECLINED, MARKED, "only supports the following resources"),
    "invalid_choice": (DECLINED, MARKED, '"daily" is not a valid choice.'),
    "duplicated": ("The provider already has this link", "repair it", "Link already exists"),
    "invalid_credentials_storage": (DECLINED, READ_WORDS, "Recurrent links must store"),
    "invalid_fetch_resources": (DECLINED, READ_WORDS, "must fetch resources"),
    "invalid_access_mode_switch": (DECLINED, READ_WORDS, "can't be switched to recurrent mode"),
    "not_a_list": (DECLINED, MARKED, "Expected a list"),
    "parse_error": (DECLINED, READ_WORDS, "JSON parse error"),
    "nested_error": (DECLINED, MARKED, "fetch_resources: Enter a valid value."),
    "not_found": (
        "The provider has no record of this link",
        "ID or environment is wrong, or the link was deleted",
        "Not found.",
    ),
    "method_not_allowed": ("Invalid request", "Report it to the developers.", 'Method "PUT" not allowed.'),
    "link_refreshed": ("Can't do this right now", "Try again after", "Please wait 7 minutes"),
    "authentication_failed": (KEYS, TEST_KEYS, "Invalid Secret Keys"),
    "access_to_production_denied": (RIGHTS, ASK_ADMIN, "in production"),
    "permission_denied": (RIGHTS, ASK_ADMIN, "do not have permission"),
    "quota_limit_reached": (RIGHTS, ASK_ADMIN, "quota of links"),
}
# These end the attempt, so they're shown on its own page.
BELVO_OVER = {
    "session_expired": ("Code expired", "Start over", "please start again from register"),
    "session_expired_ob": ("Code expired", "Start over", "The session has expired"),
}
BELVO_LOST = ("timeout_408", "server_error", "service_unavailable", "lost_after", "cut", "unreadable", "oversized")
HERON = {
    "heron_400": (DECLINED, READ_WORDS, "The request could not be understood."),
    "heron_401": (KEYS, TEST_KEYS, "Missing or invalid API key"),
    "heron_403": (RIGHTS, ASK_ADMIN, "Feature not enabled"),
    "heron_404": ("Unrecognized ID", "Compare them with the provider's records.", "Integration link not found"),
    "heron_409": ("The provider already has this link", "repair it", "already exists"),
    "heron_413": ("Rejected by the provider", "Read the provider's response below", "exceeds the limit"),
    "heron_422": (DECLINED, MARKED, "Invalid value."),
    "heron_422_text": ("The provider already has this link", "repair it", "a link with this item_id exists"),
    "heron_422_query": (DECLINED, MARKED, "limit: Not a valid integer."),
    "heron_422_schema": (DECLINED, MARKED, "integration: invalid combination"),
    "heron_429": ("Rate limited by the provider", "Try again after", "100 per 1 minute"),
}
HERON_LOST = ("heron_500", "lost_after", "cut", "unreadable")


def start_over() -> None:
    """Reset what an earlier row did to the integrations: rejected keys, a pause, a used-up quota."""
    Integration.objects.update(key_state=Integration.KeyState.VALID, keys_retry_at=None)
    CircuitBreaker.objects.all().delete()
    CallQuota.objects.all().delete()


def expect(words: str, row: tuple[str, str, str]) -> None:
    assert [part for part in row if part not in words] == [], words


@pytest.mark.parametrize("part", range(3))  # a third each, to keep tests short
def test_each_rejection_by_belvo_says_what_happened_and_what_to_do(env: Environment, part: int) -> None:
    for name, row in list(BELVO.items())[part::3]:
        start_over()
        link = env.belvo_link()
        env.simulator.fail("PUT", "/api/links/", name)

        page = env.send(f"/links/{link.pk}/credentials/", password="pass_valid")

        assert (page.status, name) == (422, name)
        expect(page.words, row)


def test_a_rejection_shows_code_status_and_request_id(env: Environment) -> None:
    env.simulator.fail("PUT", "/api/links/", "account_locked")

    page = env.send(f"/links/{env.belvo_link().pk}/credentials/", password="pass_valid")

    assert re.search(r"Code login_error HTTP 400 Request [0-9a-f]{32}", page.words)


@pytest.mark.parametrize("name", BELVO_OVER)
def test_an_expired_attempt_says_so_on_its_page(env: Environment, name: str) -> None:
    env.simulator.fail("PUT", "/api/links/", name)

    sent = env.send(f"/links/{env.belvo_link().pk}/credentials/", password="pass_valid")

    expect(env.open(sent.location).words, BELVO_OVER[name])


def test_a_response_that_proves_nothing_is_unknown(env: Environment) -> None:
    for name in BELVO_LOST:
        start_over()
        link = env.belvo_link()
        env.simulator.fail("PUT", "/api/links/", name)

        sent = env.send(f"/links/{link.pk}/credentials/", password="pass_valid")

        assert (env.last_operation(link).state, name) == (State.UNKNOWN, name)
        assert "Outcome unknown, checking" in env.open(sent.location).words


def test_each_rejection_by_heron_says_what_happened_and_what_to_do(env: Environment) -> None:
    for name, row in HERON.items():
        start_over()
        env.simulator.fail("POST", "/api/integrations/", name)
        typed = {"end_user_id": f"cus-{name}", "end_user_name": "Acme Corp", "item_id": f"item-{name}"}

        page = env.send(env.new_link_url(), **typed, access_token="access-sandbox-1")

        assert (page.status, name) == (422, name)
        expect(page.words, row)


def test_a_lost_response_of_heron_is_unknown(env: Environment) -> None:
    for name in HERON_LOST:
        start_over()
        env.simulator.fail("POST", "/api/integrations/", name)
        typed = {"end_user_id": f"cus-{name}", "end_user_name": "Acme Corp", "item_id": f"item-{name}"}

        sent = env.send(env.new_link_url(), **typed, access_token="access-sandbox-1")

        assert (env.last_operation().state, name) == (State.UNKNOWN, name)
        assert "Outcome unknown, checking" in env.open(sent.location).words
