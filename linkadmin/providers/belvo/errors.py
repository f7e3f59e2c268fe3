"""Belvo's error codes: our error class for each, and what it says about the link.

https://developers.belvo.com/developer_resources/resources-belvo-api-errors
"""

from types import MappingProxyType

from linkadmin.providers.errors import (
    Busy,
    CodeExpired,
    Duplicate,
    InvalidInput,
    KeysRejected,
    NotFound,
    ProviderError,
    Rejected,
    SignInRejected,
)
from linkadmin.providers.types import Cause

# Code -> error, cause. None: the request or account is at fault, which says nothing about the link.
CODES: MappingProxyType[str, tuple[type[ProviderError], Cause | None]] = MappingProxyType(
    {
        # the sign-in failed
        "invalid_link": (SignInRejected, Cause.LOGIN_REFUSED),
        "unconfirmed_link": (Rejected, Cause.NEVER_CONFIRMED),
        "too_many_sessions": (Busy, Cause.SESSION_OPEN),
        "session_expired": (CodeExpired, Cause.CODE_TOO_LATE),
        "session_expired_ob": (CodeExpired, Cause.WIDGET_EXPIRED),
        "activation_failed": (SignInRejected, Cause.ACTIVATION_FAILED),
        "activation_required": (Rejected, Cause.NOT_ACTIVATED),
        "consent_without_accounts": (Rejected, Cause.CONSENT_WITHOUT_ACCOUNTS),
        "expired_credentials": (Rejected, Cause.STORAGE_ENDED),
        "not_found": (NotFound, Cause.NOT_FOUND),
        # the institution is the problem
        "institution_down": (Rejected, Cause.BANK_DOWN),
        "institution_unavailable": (Rejected, Cause.BANK_DOWN),
        "institution_inactive": (Rejected, Cause.BANK_DOWN),
        "unavailable_data": (Rejected, Cause.BANK_NO_DATA),
        # the request is the problem
        "required": (InvalidInput, None),
        "blank": (InvalidInput, None),
        "null": (InvalidInput, None),
        "invalid": (InvalidInput, None),
        "invalid_choice": (InvalidInput, None),
        "does_not_exist": (InvalidInput, None),
        "validation_error": (InvalidInput, None),
        "invalid_credentials_storage": (InvalidInput, None),
        "invalid_fetch_resources": (InvalidInput, None),
        "invalid_access_mode_switch": (InvalidInput, None),
        "not_a_list": (InvalidInput, None),
        "parse_error": (InvalidInput, None),
        "unsupported_operation": (InvalidInput, None),
        "duplicated": (Duplicate, None),
        "link_refreshed": (Busy, None),
        "method_not_allowed": (Rejected, Cause.REQUEST_WRONG),
        # our account is the problem
        "authentication_failed": (KeysRejected, None),
        "access_to_production_denied": (KeysRejected, None),
        "access_to_resource_denied": (KeysRejected, None),
        "permission_denied": (KeysRejected, None),
        "quota_limit_reached": (KeysRejected, None),
    }
)

WRONG_KEYS = "authentication_failed"  # with any status: wrong keys stay wrong

KNOWN_CODES = frozenset({*CODES, "login_error", "token_required", "request_timeout", "unexpected_error"})

# login_error names its cause only in its message, and Belvo plans to refine these: the first matching phrase wins.
# Lowercase, no final period, plain apostrophe.
LOGIN_ERRORS: tuple[tuple[str, type[ProviderError], Cause], ...] = (
    ("not supported yet", Rejected, Cause.CODE_UNSUPPORTED),
    ("account is locked", SignInRejected, Cause.ACCOUNT_LOCKED),
    ("access was forbidden", SignInRejected, Cause.ACCESS_FORBIDDEN),
    ("missing credentials", InvalidInput, Cause.FIELD_MISSING),
    ("something unexpected", Rejected, Cause.BANK_TROUBLE),
    ("due to invalid credentials", SignInRejected, Cause.PASSWORD_WRONG),
    ("invalid credentials", SignInRejected, Cause.PASSWORD_WRONG),
)
LOGIN_ERROR_ELSE = (SignInRejected, Cause.LOGIN_UNCLEAR)

# For an unknown code, or none: the firewall returns 403 with a web page.
STATUSES: MappingProxyType[int, type[ProviderError]] = MappingProxyType(
    {401: KeysRejected, 403: KeysRejected, 404: NotFound, 410: NotFound, 429: Busy}
)
