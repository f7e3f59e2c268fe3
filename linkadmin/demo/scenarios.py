"""Possible problems of a link, as its provider's record or response says them, and how many links have each.

The provider's record decides, unless there's a `refusal`, its response to our last sign-in. Then the record still says
that the link works, as Belvo's does, and only data newer than the rejection would prove it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from linkadmin.providers.belvo import answers as belvo_answers
from linkadmin.providers.errors import ProviderError
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.types import Cause
from linkadmin.simulator.belvo.institutions import INSTITUTIONS, kind_of

from .names import BELVO_BANKS

BELVO, HERON, PLAID = "belvo", "heron", "plaid"
DOWN_BANK = "mareazul_mx_retail"  # down in Belvo's institution list too
FAILING_BANK = "Prairie Kite Savings"
CODE_BANKS = (
    "heimdall_mx_retail",
    "gotham_mx_business",
    "tresvolcanes_mx_business",
    "heimdall_co_retail",
    "orquideareal_co_retail",
    "tucanomanso_br_retail",
)
OPEN_FINANCE, FISCAL, EMPLOYMENT, BANKS = (
    tuple(name for name in BELVO_BANKS if kind_of(INSTITUTIONS[name]) == kind and name != DOWN_BANK)
    for kind in ("openfinance", "fiscal", "employment", "bank")
)
WITH_CREDENTIALS = (*BANKS, *FISCAL)  # where new credentials repair a link
ANYWHERE = (*WITH_CREDENTIALS, *OPEN_FINANCE, *EMPLOYMENT)
WEEKS, THIS_MORNING, EARLIER_TODAY = (2.5, 24.0), (0.10, 0.16), (0.02, 0.3)  # days ago


@dataclass(frozen=True, slots=True)
class ProviderWords:
    """A provider's own words about a link."""

    status: str = ""
    code: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A link's situation; `since` is when it began, in days ago (from, to)."""

    provider: str
    cause: Cause
    count: int
    reported: ProviderWords
    since: tuple[float, float] = WEEKS
    banks: tuple[str, ...] = ()  # where it happens; none: at any of Heron's
    refusal: ProviderError | None = field(default=None, repr=False)
    is_new: bool = False  # since its creation
    has_record: bool = True  # at the provider
    knows_customer: bool = True  # whether the provider does
    consent: str = ""  # status of the consent, if that is what ended
    storage_days: int = 0  # how long the provider stored the credentials; 0: indefinitely


def answered(status: int, body: object) -> Answer:
    return Answer(status, headers={}, data=body, readable=True, duration_ms=0, received_at=datetime.now(UTC))


def _record(cause: Cause, count: int, status: str, **more: Any) -> Scenario:
    return Scenario(BELVO, cause, count, ProviderWords(status), **{"banks": WITH_CREDENTIALS, **more})


def _refusal(count: int, status: int, code: str, words: str, **more: Any) -> Scenario:
    body = [{"code": code, "message": words}]
    error = belvo_answers.refusal("belvo.update_credentials", answered(status, body), at_bank=True)
    assert error.observation is not None  # noqa: S101 - each of the refusals below says something about its link
    reported = ProviderWords("valid", code, words)
    given = {"banks": WITH_CREDENTIALS, **more}
    return Scenario(BELVO, error.observation.cause, count, reported, refusal=error, **given)


def _consent(cause: Cause, count: int, status: str, **more: Any) -> Scenario:
    # The consent is the problem; the link itself says it works.
    return Scenario(BELVO, cause, count, ProviderWords(status), banks=OPEN_FINANCE, consent=status, **more)


def _item(cause: Cause, count: int, status: str, message: str = "", **more: Any) -> Scenario:
    code = message[1:].partition("]")[0] if message.startswith("[") else ""
    return Scenario(HERON, cause, count, ProviderWords(status, code, message), **more)


WRONG_PASSWORD = _refusal(
    3, 400, "login_error", "Invalid credentials provided to login to the institution", since=(2.5, 12)
)
CODE_NEEDED = _record(Cause.CODE_NEEDED, 8, "token_required", since=(0.1, 8), banks=CODE_BANKS)
NEVER_CONFIRMED = _record(Cause.NEVER_CONFIRMED, 3, "unconfirmed", since=(0.5, 3), banks=CODE_BANKS, is_new=True)

_IN_BELVO = (
    CODE_NEEDED,
    _record(Cause.LOGIN_REFUSED, 7, "invalid"),
    NEVER_CONFIRMED,
    WRONG_PASSWORD,
    _record(Cause.LOGIN_REFUSED, 4, "invalid", banks=FISCAL),  # the tax authority's password was changed
    _record(Cause.LOGIN_REFUSED, 3, "invalid", banks=EMPLOYMENT),
    _record(Cause.STALE, 2, "valid", since=(1, 12), banks=EMPLOYMENT),
    _refusal(
        2,
        400,
        "login_error",
        "Invalid credentials provided to login to the institution",
        since=(2.5, 10),
        banks=("anchorhead_mx_fiscal",),  # a signature that expired
    ),
    _consent(Cause.PORTAL_CONSENT_EXPIRED, 4, "EXPIRED"),
    _consent(Cause.CONSENT_REJECTED, 2, "REJECTED"),
    _consent(Cause.CONSENT_UNFINISHED, 1, "AWAITING_AUTHORISATION", since=(0.5, 4)),
    _consent(Cause.CONSENT_UNFINISHED, 1, "AWAITING_AUTHORISATION_CONFIRMATION", since=(0.5, 4)),
    _record(Cause.STALE, 6, "valid", since=(1, 12), banks=ANYWHERE),
    _record(Cause.STORAGE_ENDED, 2, "invalid", since=(3, 12), storage_days=30),
    Scenario(
        BELVO,
        Cause.NOT_FOUND,
        1,
        ProviderWords("valid", "not_found", "Not found."),
        banks=WITH_CREDENTIALS,
        has_record=False,
    ),
    _refusal(1, 400, "login_error", "The institution asks the user to accept its new terms of service", since=(2.5, 6)),
    _refusal(
        2,
        400,
        "login_error",
        "The user account is locked, user needs to contact the institution to unlock it",
        since=(2.5, 9),
    ),
    _refusal(1, 400, "login_error", "The user account access was forbidden by the institution", since=(3, 9)),
    _refusal(1, 428, "activation_required", "This user doesn't have web access activated yet."),
    _refusal(
        4,
        400,
        "institution_down",
        "The financial institution is down, try again later",
        since=THIS_MORNING,
        banks=(DOWN_BANK,),
    ),
    _refusal(
        1,
        400,
        "login_error",
        "Impossible to login, something unexpected happened while logging into the institution. Try again later.",
        since=(0.2, 2),
        banks=("agavedorado_mx_retail",),
    ),
    _refusal(
        1,
        400,
        "too_many_sessions",
        "Impossible to login, a session is already opened with the institution for these credentials",
        since=EARLIER_TODAY,
        banks=("paramoverde_co_retail",),
    ),
    _refusal(
        1,
        400,
        "login_error",
        "A MFA token is required by the institution, but it's not supported yet by Belvo.",
    ),
    _refusal(1, 400, "login_error", "Missing credentials to login to the institution", banks=("tatooine_mx_fiscal",)),
    _refusal(1, 400, "institution_migrated", "The institution has moved to another login flow"),
    _record(Cause.RENEW_SOON, 4, "valid", banks=OPEN_FINANCE),
    _record(Cause.WORKING, 163, "valid", banks=ANYWHERE),
)

SIGN_IN_AGAIN = (
    "[ITEM_LOGIN_REQUIRED] the login details of this item have changed (credentials, MFA, or required user action) and "
    "a user login is required to update this information. use Link's update mode to restore the item to a good state"
)
BANK_SILENT = "[INSTITUTION_DOWN] this institution is not currently responding to this request. please try again soon"
PLAID_TROUBLE = "[INTERNAL_SERVER_ERROR] an unexpected error occurred"

_IN_HERON = (
    _item(Cause.PENDING, 3, "pending", since=EARLIER_TODAY, is_new=True),
    _item(Cause.FIRST_SYNC, 1, "syncing", since=EARLIER_TODAY, is_new=True),
    _item(Cause.LOGIN_REQUIRED, 7, "erroring", SIGN_IN_AGAIN),
    _item(Cause.SIGN_IN_FAILED, 1, "erroring", "[INVALID_CREDENTIALS] the provided credentials were not correct"),
    _item(Cause.CODE_WRONG, 2, "erroring", "[INVALID_MFA] the provided MFA response was not correct", since=(0.1, 7)),
    _item(Cause.ITEM_LOCKED, 2, "erroring", "[ITEM_LOCKED] the account is locked at the bank"),
    _item(Cause.PASSWORD_RESET, 1, "erroring", "[PASSWORD_RESET_REQUIRED] the user must reset their password"),
    _item(Cause.BANK_SETUP_OPEN, 1, "erroring", "[USER_SETUP_REQUIRED] the account has not been fully set up"),
    _item(Cause.NO_ACCOUNTS, 1, "erroring", "[NO_ACCOUNTS] no valid accounts were found for this item"),
    _item(
        Cause.ACCESS_PARTIAL, 2, "erroring", "[ACCESS_NOT_GRANTED] access to this product was not granted for the item"
    ),
    _item(
        Cause.CONSENT_MISSING,
        1,
        "erroring",
        "[ADDITIONAL_CONSENT_REQUIRED] client does not have user consent to access this product",
    ),
    _item(
        Cause.CONSENT_LEFT_EARLY,
        1,
        "erroring",
        "[INSUFFICIENT_CREDENTIALS] the user did not provide sufficient authorization",
    ),
    _item(Cause.BANK_DOWN, 7, "erroring", BANK_SILENT, since=THIS_MORNING, banks=(FAILING_BANK,)),
    _item(Cause.PROVIDER_DOWN, 1, "erroring", PLAID_TROUBLE, since=EARLIER_TODAY, banks=("Copper Lantern Bank",)),
    _item(
        Cause.DATA_POOR,
        1,
        "erroring",
        "[DATA_QUALITY_CHECK_FAILED] the data returned by the institution failed quality checks",
        since=(0.3, 2),
        banks=("Gorse Hill Mutual",),
    ),
    _item(
        Cause.NOT_REGISTERED,
        1,
        "erroring",
        "[INSTITUTION_REGISTRATION_REQUIRED] this institution requires that you register before you can access it",
    ),
    _item(
        Cause.TOKEN_OUTDATED, 1, "erroring", "[INVALID_ACCESS_TOKEN] could not find matching access token", since=(1, 6)
    ),
    _item(
        Cause.PRODUCT_MISSING,
        1,
        "erroring",
        "[PRODUCTS_NOT_SUPPORTED] the requested product(s) are not supported by this item",
    ),
    _item(Cause.ERROR_UNRECOGNIZED, 1, "erroring", "[ACCOUNT_MIGRATION_PENDING] accounts of this item are being moved"),
    _item(Cause.ERROR_UNNAMED, 1, "erroring", "sync failed, please contact support"),
    _item(Cause.GONE, 2, "deleted_in_plaid"),
    _item(Cause.SWITCHED_OFF, 2, "sync_disabled"),
    _item(
        Cause.PERMISSION_REVOKED,
        1,
        "erroring",
        "[USER_PERMISSION_REVOKED] the holder of this account has revoked their permission",
    ),
    Scenario(HERON, Cause.MISSING, 1, ProviderWords("active"), has_record=False),
    Scenario(
        HERON,
        Cause.WRONG_ID,
        1,
        ProviderWords("active", words="End user not found"),
        has_record=False,
        knows_customer=False,
    ),
    _item(Cause.STALE, 4, "active", since=(0.5, 9)),
    _item(Cause.WORKING_WITH_ERROR, 3, "active", SIGN_IN_AGAIN, since=(1, 5)),
    _item(Cause.LOGIN_REQUIRED, 1, "active", SIGN_IN_AGAIN, since=(4, 9)),  # and no data since
    _item(Cause.SYNCING, 3, "syncing", since=(0.01, 0.03)),
    _item(Cause.RENEW_SOON, 2, "active"),
    _item(Cause.WORKING, 113, "active"),
)
SCENARIOS = (*_IN_BELVO, *_IN_HERON)  # the working ones are the last of each provider
