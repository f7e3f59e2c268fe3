"""Every cause has one verdict, with texts fit for pages. The table of link health, row by row."""

from collections.abc import Mapping

import pytest
from django.utils import timezone

from linkadmin.links.causes import STATES, VERDICTS, Retry, Turn, Verdict
from linkadmin.links.models import Link
from linkadmin.providers.belvo import answers as belvo_answers
from linkadmin.providers.belvo.errors import CODES
from linkadmin.providers.belvo.records import CONSENT_CAUSES
from linkadmin.providers.heron import answers as heron_answers
from linkadmin.providers.heron.plaid_codes import CAUSES, cause_of
from linkadmin.providers.types import Cause, HealthState
from linkadmin.web import icons
from tests.environment import Environment

TONES = {"ok", "warn", "us", "bad", "info", "quiet"}

every_verdict = pytest.mark.parametrize(("cause", "verdict"), VERDICTS.items(), ids=str)


def test_every_cause_has_a_verdict() -> None:
    assert set(VERDICTS) == set(Cause)


def test_every_state_has_a_look_and_a_cause() -> None:
    assert set(STATES) == set(HealthState)
    assert {verdict.state for verdict in VERDICTS.values()} == set(HealthState)


@every_verdict
def test_a_verdict_says_why_and_what_to_do(cause: Cause, verdict: Verdict) -> None:
    reason, advice = str(verdict.reason), str(verdict.advice)
    assert 0 < len(reason) <= 50
    assert not reason.endswith(".")
    assert 0 < len(advice) <= 140
    assert advice.endswith(".")


@every_verdict
def test_no_customer_credentials_are_retried_automatically(cause: Cause, verdict: Verdict) -> None:
    if verdict.state.value.startswith("customer_"):
        assert verdict.retry in {Retry.NO, Retry.RISKY, Retry.START_AGAIN}


@pytest.mark.parametrize("look", STATES.values(), ids=[str(state) for state in STATES])
def test_a_state_is_shown_by_an_icon_of_the_sprite_and_a_known_tone(look: object) -> None:
    assert look.icon in icons.NAMES  # type: ignore[attr-defined]
    assert look.tone in TONES  # type: ignore[attr-defined]


def test_work_list_starts_with_expiring_codes_and_ends_with_disconnected_links() -> None:
    order = sorted(STATES, key=lambda state: STATES[state].rank)
    assert order[:2] == [HealthState.CUSTOMER_CODE, HealthState.OUR_SETUP]
    assert order[5:] == [
        HealthState.STALE,
        HealthState.UNKNOWN,
        HealthState.WAITING,
        HealthState.SETTING_UP,
        HealthState.HEALTHY,
        HealthState.DISCONNECTED,
    ]


def test_every_turn_and_retry_has_words() -> None:
    assert all(str(word.label) for word in (*Turn, *Retry))


S, T, R = HealthState, Turn, Retry
PLAID_ROWS = [
    ("ITEM_LOGIN_REQUIRED", S.CUSTOMER_LOGIN, T.CUSTOMER, R.NO),
    ("INVALID_CREDENTIALS", S.CUSTOMER_LOGIN, T.CUSTOMER, R.RISKY),
    ("INVALID_UPDATED_USERNAME", S.CUSTOMER_LOGIN, T.CUSTOMER, R.NO),
    ("INSUFFICIENT_CREDENTIALS", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    ("USER_INPUT_TIMEOUT", S.CUSTOMER_LOGIN, T.CUSTOMER, R.NO),
    ("INVALID_MFA", S.CUSTOMER_CODE, T.CUSTOMER, R.NO),
    ("INVALID_OTP", S.CUSTOMER_CODE, T.CUSTOMER, R.NO),
    ("INVALID_PHONE_NUMBER", S.CUSTOMER_CODE, T.CUSTOMER, R.NO),
    ("PROFILE_AUTHENTICATION_FAILED", S.CUSTOMER_CODE, T.CUSTOMER, R.NO),
    ("INVALID_SEND_METHOD", S.WAITING, T.BANK, R.LATER),
    ("MFA_NOT_SUPPORTED", S.CUSTOMER_BANK, T.CUSTOMER, R.NO),
    ("ITEM_LOCKED", S.CUSTOMER_BANK, T.CUSTOMER_BANK, R.RISKY),
    ("USER_SETUP_REQUIRED", S.CUSTOMER_BANK, T.CUSTOMER_BANK, R.NO),
    ("PASSWORD_RESET_REQUIRED", S.CUSTOMER_BANK, T.CUSTOMER_BANK, R.NO),
    ("ACCESS_NOT_GRANTED", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    ("ADDITIONAL_CONSENT_REQUIRED", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    ("NO_ACCOUNTS", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    ("NO_AUTH_ACCOUNTS", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    ("NO_INVESTMENT_ACCOUNTS", S.OUR_SETUP, T.US, R.NO),
    ("NO_INVESTMENT_AUTH_ACCOUNTS", S.OUR_SETUP, T.US, R.NO),
    ("NO_LIABILITY_ACCOUNTS", S.OUR_SETUP, T.US, R.NO),
    ("MANUAL_VERIFICATION_REQUIRED", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    ("USER_PERMISSION_REVOKED", S.DISCONNECTED, T.NOBODY, R.NO),
    ("ITEM_NOT_FOUND", S.DISCONNECTED, T.NOBODY, R.NO),
    ("ITEM_CONCURRENTLY_DELETED", S.DISCONNECTED, T.NOBODY, R.NO),
    ("ITEM_NOT_SUPPORTED", S.DISCONNECTED, T.NOBODY, R.NO),
    ("INSTITUTION_NO_LONGER_SUPPORTED", S.DISCONNECTED, T.NOBODY, R.NO),
    ("INSTITUTION_DOWN", S.WAITING, T.BANK, R.YES),
    ("INSTITUTION_NOT_RESPONDING", S.WAITING, T.BANK, R.YES),
    ("INSTITUTION_NOT_AVAILABLE", S.WAITING, T.BANK, R.YES),
    ("UNSUPPORTED_RESPONSE", S.WAITING, T.PROVIDER, R.NO),
    ("INTERNAL_SERVER_ERROR", S.WAITING, T.PROVIDER, R.YES),
    ("PLANNED_MAINTENANCE", S.WAITING, T.PROVIDER, R.YES),
    ("PRODUCT_NOT_READY", S.SETTING_UP, T.PROVIDER, R.YES),
    ("TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION", S.WAITING, T.PROVIDER, R.YES),
    ("RATE_LIMIT_EXCEEDED", S.WAITING, T.PROVIDER, R.LATER),
    ("RATE_LIMIT", S.WAITING, T.PROVIDER, R.LATER),
    ("TRANSACTIONS_LIMIT", S.WAITING, T.PROVIDER, R.LATER),
    ("TRIAL_CONNECTION_LIMIT", S.OUR_SETUP, T.ADMIN, R.NO),
    ("CREDITS_EXHAUSTED", S.OUR_SETUP, T.ADMIN, R.NO),
    ("ASSET_REPORT_GENERATION_FAILED", S.WAITING, T.PROVIDER, R.YES),
    ("DATA_QUALITY_CHECK_FAILED", S.WAITING, T.BANK, R.LATER),
    ("DATA_UNAVAILABLE", S.UNKNOWN, T.US, R.NO),
    ("INVALID_ACCESS_TOKEN", S.OUR_SETUP, T.US, R.NO),
    ("INVALID_API_KEYS", S.OUR_SETUP, T.ADMIN, R.NO),
    ("UNAUTHORIZED_ENVIRONMENT", S.OUR_SETUP, T.ADMIN, R.NO),
    ("UNAUTHORIZED_ROUTE_ACCESS", S.OUR_SETUP, T.ADMIN, R.NO),
    ("INSTITUTION_REGISTRATION_REQUIRED", S.OUR_SETUP, T.ADMIN, R.LATER),
    ("UNAUTHORIZED_INSTITUTION", S.OUR_SETUP, T.ADMIN, R.LATER),
    ("PRODUCT_NOT_ENABLED", S.OUR_SETUP, T.US, R.NO),
    ("PRODUCTS_NOT_SUPPORTED", S.OUR_SETUP, T.US, R.NO),
    ("INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("INVALID_PRODUCT", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("INVALID_FIELD", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("MISSING_FIELDS", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("INVALID_CONFIGURATION", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("INVALID_INSTITUTION", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("INSTANT_MATCH_FAILED", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("INVALID_BODY", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("INVALID_HEADERS", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("INCOMPATIBLE_API_VERSION", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("NOT_FOUND", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("NO_LONGER_AVAILABLE", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("SANDBOX_ONLY", S.OUR_SETUP, T.DEVELOPER, R.NO),
    ("SANDBOX_PRODUCT_NOT_ENABLED", S.OUR_SETUP, T.DEVELOPER, R.NO),
]
HERON_STATUS_ROWS = [
    ("pending", S.SETTING_UP, T.PROVIDER, R.WAIT),
    ("syncing", S.HEALTHY, T.NOBODY, R.WAIT),
    ("active", S.HEALTHY, T.NOBODY, R.NONE),
    ("sync_disabled", S.DISCONNECTED, T.NOBODY, R.NO),
    ("deleted_in_plaid", S.DISCONNECTED, T.NOBODY, R.NO),
    ("unknown", S.UNKNOWN, T.US, R.ONCE),
]
BELVO_STATUS_ROWS = [
    ("valid", S.HEALTHY, T.NOBODY, R.NONE),
    ("invalid", S.CUSTOMER_LOGIN, T.CUSTOMER, R.NO),
    ("token_required", S.CUSTOMER_CODE, T.CUSTOMER, R.NO),
    ("unconfirmed", S.SETTING_UP, T.NOBODY, R.NO),
]
BELVO_CONSENT_ROWS = [
    ("AUTHORISED", S.HEALTHY, T.NOBODY, R.NONE),
    ("AWAITING_AUTHORISATION", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    ("AWAITING_AUTHORISATION_CONFIRMATION", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    ("REJECTED", S.DISCONNECTED, T.NOBODY, R.NO),
    ("EXPIRED", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
]
BELVO_CODE_ROWS = [
    ("activation_required", S.CUSTOMER_BANK, T.CUSTOMER_BANK, R.NO),
    ("invalid_link", S.CUSTOMER_LOGIN, T.CUSTOMER, R.NO),
    ("unconfirmed_link", S.CUSTOMER_CODE, T.CUSTOMER, R.NO),
    ("too_many_sessions", S.WAITING, T.BANK, R.LATER),
    ("session_expired", S.CUSTOMER_CODE, T.CUSTOMER, R.START_AGAIN),
    ("session_expired_ob", S.CUSTOMER_CODE, T.CUSTOMER, R.START_AGAIN),
    ("activation_failed", S.CUSTOMER_BANK, T.CUSTOMER_BANK, R.NO),
    ("consent_without_accounts", S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    ("expired_credentials", S.DISCONNECTED, T.NOBODY, R.NO),
    ("not_found", S.DISCONNECTED, T.NOBODY, R.NO),
    ("institution_down", S.WAITING, T.BANK, R.YES),
    ("institution_unavailable", S.WAITING, T.BANK, R.YES),
    ("institution_inactive", S.WAITING, T.BANK, R.YES),
    ("unavailable_data", S.WAITING, T.BANK, R.YES),
    ("method_not_allowed", S.OUR_SETUP, T.DEVELOPER, R.NO),
]
# Errors about the request or the account: links stay as they are.
BELVO_CODES_ABOUT_NO_LINK = [
    *("required", "blank", "null", "invalid", "invalid_choice", "does_not_exist", "validation_error", "duplicated"),
    *("invalid_credentials_storage", "invalid_fetch_resources", "invalid_access_mode_switch", "not_a_list"),
    *("parse_error", "unsupported_operation", "link_refreshed", "authentication_failed", "access_to_production_denied"),
    *("access_to_resource_denied", "permission_denied", "quota_limit_reached"),
]
# What no single code or status says.
CAUSE_ROWS = [
    (Cause.WORKING_WITH_ERROR, S.HEALTHY, T.NOBODY, R.NONE),
    (Cause.DATA_ARRIVED, S.HEALTHY, T.NOBODY, R.NONE),
    (Cause.REPAIRED_ELSEWHERE, S.HEALTHY, T.NOBODY, R.NONE),
    (Cause.RENEW_SOON, S.HEALTHY, T.NOBODY, R.NONE),
    (Cause.ACCOUNT_WITHDRAWN, S.HEALTHY, T.NOBODY, R.NONE),
    (Cause.ACCOUNT_ADDED, S.HEALTHY, T.NOBODY, R.NONE),
    (Cause.CONSENT_CHANGED, S.HEALTHY, T.NOBODY, R.NONE),
    (Cause.FIRST_SYNC, S.SETTING_UP, T.PROVIDER, R.WAIT),
    (Cause.PASSWORD_WRONG, S.CUSTOMER_LOGIN, T.CUSTOMER, R.RISKY),
    (Cause.LOGIN_UNCLEAR, S.CUSTOMER_LOGIN, T.CUSTOMER, R.NO),
    (Cause.CODE_WAITING, S.CUSTOMER_CODE, T.CUSTOMER, R.NO),
    (Cause.CONSENT_EXPIRED, S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    (Cause.CONSENT_WITHDRAWN, S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    (Cause.CONSENT_ENDED_BY_BANK, S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    (Cause.CONSENT_ACCOUNTS_LOST, S.CUSTOMER_CONSENT, T.CUSTOMER, R.NO),
    (Cause.ACCOUNT_LOCKED, S.CUSTOMER_BANK, T.CUSTOMER_BANK, R.NO),
    (Cause.ACCESS_FORBIDDEN, S.CUSTOMER_BANK, T.CUSTOMER_BANK, R.NO),
    (Cause.BANK_FAILING, S.WAITING, T.BANK, R.YES),
    (Cause.BANK_TROUBLE, S.WAITING, T.BANK, R.LATER),
    (Cause.PROVIDER_OUTAGE, S.WAITING, T.PROVIDER, R.YES),
    (Cause.PROVIDER_TROUBLE, S.WAITING, T.PROVIDER, R.YES_READS),
    (Cause.KEYS_WRONG, S.OUR_SETUP, T.ADMIN, R.NO),
    (Cause.FEATURE_MISSING, S.OUR_SETUP, T.ADMIN, R.NO),
    (Cause.RIGHTS_MISSING, S.OUR_SETUP, T.ADMIN, R.NO),
    (Cause.WRONG_ID, S.OUR_SETUP, T.US, R.NO),
    (Cause.FIELD_MISSING, S.OUR_SETUP, T.US, R.NO),
    (Cause.STALE, S.STALE, T.US, R.ONCE),
    (Cause.MISSING, S.DISCONNECTED, T.NOBODY, R.ONCE),
    (Cause.REMOVED, S.DISCONNECTED, T.NOBODY, R.NONE),
    (Cause.STORAGE_ENDED, S.DISCONNECTED, T.NOBODY, R.NO),
    (Cause.CODE_UNSUPPORTED, S.DISCONNECTED, T.NOBODY, R.NO),
    (Cause.UNRECOGNIZED, S.UNKNOWN, T.US, R.NO),
    (Cause.ERROR_UNRECOGNIZED, S.UNKNOWN, T.US, R.ONCE),
    (Cause.ERROR_UNNAMED, S.UNKNOWN, T.US, R.ONCE),
    (Cause.NEVER_SYNCED, S.UNKNOWN, T.US, R.ONCE),
]
ROWS = [
    *((cause_of(code), *row) for code, *row in PLAID_ROWS),
    *((heron_answers.STATUS_CAUSES[status], *row) for status, *row in HERON_STATUS_ROWS),
    *((belvo_answers.STATUS_CAUSES[status], *row) for status, *row in BELVO_STATUS_ROWS),
    *((CONSENT_CAUSES[status], *row) for status, *row in BELVO_CONSENT_ROWS),
    *((CODES[code][1], *row) for code, *row in BELVO_CODE_ROWS),
    *CAUSE_ROWS,
]
STATUS_ROWS = (*HERON_STATUS_ROWS, *BELVO_STATUS_ROWS, *BELVO_CONSENT_ROWS)
NAMES = [str(row[0]) for row in (*PLAID_ROWS, *STATUS_ROWS, *BELVO_CODE_ROWS, *CAUSE_ROWS)]


@pytest.mark.parametrize(("cause", "state", "turn", "retry"), ROWS, ids=NAMES)
def test_a_row_of_the_table(cause: Cause | None, state: HealthState, turn: Turn, retry: Retry) -> None:
    assert cause is not None
    verdict = VERDICTS[cause]
    assert (verdict.state, verdict.turn, verdict.retry) == (state, turn, retry)


def test_every_cause_has_a_row() -> None:
    assert {row[0] for row in ROWS} == set(Cause)


@pytest.mark.parametrize(
    ("known", "rows"),
    [
        (CAUSES, PLAID_ROWS),
        (heron_answers.STATUS_CAUSES, HERON_STATUS_ROWS),
        (belvo_answers.STATUS_CAUSES, BELVO_STATUS_ROWS),
        (CONSENT_CAUSES, BELVO_CONSENT_ROWS),
        (CODES, [*BELVO_CODE_ROWS, *((code,) for code in BELVO_CODES_ABOUT_NO_LINK)]),
    ],
    ids=["Plaid codes", "Heron statuses", "Belvo statuses", "Belvo consents", "Belvo codes"],
)
def test_every_provider_value_has_a_row(known: Mapping[str, object], rows: list[tuple[object, ...]]) -> None:
    assert set(known) <= {row[0] for row in rows}


@pytest.mark.parametrize("code", BELVO_CODES_ABOUT_NO_LINK)
def test_request_or_account_error_says_nothing_about_a_link(code: str) -> None:
    assert CODES[code][1] is None


def test_unknown_plaid_code_is_no_cause() -> None:
    assert cause_of("SOME_FUTURE_CODE") is None
    assert cause_of("") is None


@pytest.mark.django_db
def test_link_page_shows_retry_advice(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.PASSWORD_WRONG)

    assert f"Retry advice {VERDICTS[Cause.PASSWORD_WRONG].retry.label}" in env.open(link.get_absolute_url()).words
    Link.objects.update(verifying_since=timezone.now())
    assert "Retry advice" not in env.open(link.get_absolute_url()).words
