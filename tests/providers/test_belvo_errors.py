"""Belvo: each documented error gives the right class, cause and details."""

from collections.abc import Callable

import pytest

from linkadmin.providers import provider_class
from linkadmin.providers.errors import (
    Busy,
    CodeExpired,
    Duplicate,
    InvalidInput,
    KeysRejected,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    SignInRejected,
)
from linkadmin.providers.types import Cause, LinkRef, Secret

from .conftest import RecordingAdmission, Script, belvo_at, reply

Serve = Callable[..., Script]

LINK = LinkRef("30cb4806-6e00-48a4-91c9-ca55968576c8", "cust-0001")
REQUEST_ID = "9e7b283c6efa449c9c028a16b5c249fb"


def refusal(serve: Serve, status: int, body: object, **headers: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        belvo_at(serve(reply(status, body, **headers)).url).update_credentials(LINK, {"password": Secret("wrong-one")})
    return caught.value


def cause_of(error: ProviderError) -> Cause | None:
    return error.observation.cause if error.observation else None


LOGIN_ERRORS = [
    ("Invalid credentials provided to login to the institution", SignInRejected, Cause.PASSWORD_WRONG),
    ("Login not attempted due to invalid credentials", SignInRejected, Cause.PASSWORD_WRONG),
    ("Missing credentials to login to the institution", InvalidInput, Cause.FIELD_MISSING),
    (
        "The user account is locked, user needs to contact the institution to unlock it",
        SignInRejected,
        Cause.ACCOUNT_LOCKED,
    ),
    ("The user account access was forbidden by the institution", SignInRejected, Cause.ACCESS_FORBIDDEN),
    (
        "A MFA token is required by the institution, but it's not supported yet by Belvo.",
        Rejected,
        Cause.CODE_UNSUPPORTED,
    ),
    (
        "Impossible to login, something unexpected happened while logging into the institution. Try again later.",
        Rejected,
        Cause.BANK_TROUBLE,
    ),
    ("The institution said something quite new", SignInRejected, Cause.LOGIN_UNCLEAR),
    ("", SignInRejected, Cause.LOGIN_UNCLEAR),
]


@pytest.mark.parametrize("vary", [str, lambda text: text.rstrip(".") + ".", str.upper, lambda text: f"Belvo: {text}"])
@pytest.mark.parametrize(("message", "kind", "cause"), LOGIN_ERRORS)
def test_a_login_error_has_its_cause_by_its_message(
    serve: Serve, message: str, kind: type[ProviderError], cause: Cause, vary: Callable[[str], str]
) -> None:
    error = refusal(serve, 400, [{"code": "login_error", "message": vary(message), "request_id": REQUEST_ID}])
    assert (type(error), cause_of(error)) == (kind, cause)


def test_a_login_error_has_its_cause_with_either_apostrophe(serve: Serve) -> None:
    message = "A MFA token is required by the institution, but it\N{RIGHT SINGLE QUOTATION MARK}s not supported yet"
    assert cause_of(refusal(serve, 400, [{"code": "login_error", "message": message}])) is Cause.CODE_UNSUPPORTED


CODES = [
    (400, "invalid_link", SignInRejected, Cause.LOGIN_REFUSED),
    (400, "unconfirmed_link", Rejected, Cause.NEVER_CONFIRMED),
    (400, "too_many_sessions", Busy, Cause.SESSION_OPEN),
    (404, "too_many_sessions", Busy, Cause.SESSION_OPEN),
    (400, "session_expired", CodeExpired, Cause.CODE_TOO_LATE),
    (400, "session_expired_ob", CodeExpired, Cause.WIDGET_EXPIRED),
    (400, "activation_failed", SignInRejected, Cause.ACTIVATION_FAILED),
    (428, "activation_required", Rejected, Cause.NOT_ACTIVATED),
    (401, "consent_without_accounts", Rejected, Cause.CONSENT_WITHOUT_ACCOUNTS),
    (404, "expired_credentials", Rejected, Cause.STORAGE_ENDED),
    (404, "not_found", NotFound, Cause.NOT_FOUND),
    (400, "institution_down", Rejected, Cause.BANK_DOWN),
    (400, "institution_unavailable", Rejected, Cause.BANK_DOWN),
    (400, "institution_inactive", Rejected, Cause.BANK_DOWN),
    (400, "unavailable_data", Rejected, Cause.BANK_NO_DATA),
    (400, "unsupported_operation", InvalidInput, None),
    (400, "required", InvalidInput, None),
    (400, "blank", InvalidInput, None),
    (400, "null", InvalidInput, None),
    (400, "invalid", InvalidInput, None),
    (400, "invalid_choice", InvalidInput, None),
    (400, "does_not_exist", InvalidInput, None),
    (400, "validation_error", InvalidInput, None),
    (400, "invalid_credentials_storage", InvalidInput, None),
    (400, "invalid_fetch_resources", InvalidInput, None),
    (400, "invalid_access_mode_switch", InvalidInput, None),
    (400, "not_a_list", InvalidInput, None),
    (400, "parse_error", InvalidInput, None),
    (400, "duplicated", Duplicate, None),
    (405, "method_not_allowed", Rejected, Cause.REQUEST_WRONG),
    (409, "link_refreshed", Busy, None),
    (401, "authentication_failed", KeysRejected, None),
    (403, "access_to_production_denied", KeysRejected, None),
    (403, "access_to_resource_denied", KeysRejected, None),
    (403, "permission_denied", KeysRejected, None),
    (403, "quota_limit_reached", KeysRejected, None),
    (401, "something_new", KeysRejected, None),
    (403, "something_new", KeysRejected, None),
    (429, "something_new", Busy, None),
    (400, "something_new", Rejected, Cause.UNRECOGNIZED),
    (408, "request_timeout", OutcomeUnknown, Cause.PROVIDER_TROUBLE),
    (500, "unexpected_error", OutcomeUnknown, Cause.PROVIDER_TROUBLE),
    (500, "service_unavailable", OutcomeUnknown, Cause.PROVIDER_TROUBLE),
]


@pytest.mark.parametrize(("status", "code", "kind", "cause"), CODES)
def test_each_code_has_its_class_and_cause(
    serve: Serve, status: int, code: str, kind: type[ProviderError], cause: Cause | None
) -> None:
    error = refusal(serve, status, [{"code": code, "message": "Their words.", "request_id": REQUEST_ID}])
    assert (type(error), cause_of(error)) == (kind, cause)
    failure = error.failure
    assert (failure.status, failure.code, failure.words, failure.request_id) == (
        status,
        code,
        "Their words.",
        REQUEST_ID,
    )


def test_what_is_rejected_is_stored_beside_the_cause(serve: Serve) -> None:
    error = refusal(serve, 400, [{"code": "institution_down", "message": "Down, try later"}])
    assert error.observation is not None
    assert (error.observation.raw_code, error.observation.raw_words) == ("institution_down", "Down, try later")


def test_a_failed_read_says_nothing_about_the_link(serve: Serve) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        belvo_at(serve(reply(500, [{"code": "unexpected_error", "message": "Oops"}])).url).read_link(LINK)
    assert caught.value.observation is None


@pytest.mark.parametrize(
    "body",
    [
        {"code": "institution_down", "message": "Down"},
        [{"code": "institution_down", "message": "Down"}],
        [{"nested": {"code": "x"}}, {"code": "institution_down", "message": "Down"}],
        ["text", {"code": "institution_down", "message": "Down"}],
    ],
    ids=["object", "list", "nested first", "text first"],
)
def test_an_error_is_understood_in_every_shape(serve: Serve, body: object) -> None:
    error = refusal(serve, 400, body)
    assert (error.failure.code, error.failure.words) == ("institution_down", "Down")


@pytest.mark.parametrize("body", [b"", b"<html>Forbidden</html>", b"null", b"[]", b'"text"', b"[[]]", b'[{"code": 5}]'])
def test_a_rejection_without_a_code_is_judged_by_its_status(serve: Serve, body: bytes) -> None:
    assert type(refusal(serve, 403, body)) is KeysRejected
    assert type(refusal(serve, 400, body)) is Rejected


def test_wrong_fields_are_named(serve: Serve) -> None:
    body = [
        {"code": "required", "message": "This field is required.", "field": "username"},
        {"code": "required", "message": "This field is required.", "field": "password"},
        {"code": "invalid", "message": "Later word on it", "field": "password"},
    ]
    error = refusal(serve, 400, body)
    assert error.failure.fields == {"username": "This field is required.", "password": "This field is required."}


@pytest.mark.parametrize(
    ("status", "item", "headers", "seconds"),
    [
        (400, {"code": "too_many_sessions"}, {}, 120),
        (409, {"code": "link_refreshed", "message": "Please wait 7 minutes before trying again."}, {}, 420),
        (429, {}, {"Retry_After": "30"}, 30),
        (429, {}, {"Retry_After": "3600"}, 900),
        (429, {}, {"Retry_After": "0"}, 0),
        (429, {}, {"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        (429, {}, {"Retry_After": "Wed, 21 Oct 2099 07:28:00 GMT"}, None),
        *(
            (429, {}, {"Retry_After": said}, None)
            for said in ("soon", "9" * 400, "-1", "1.5", "60s", "60000", "1e3", "")
        ),
        (429, {}, {"Retry_After": "1764300000000"}, None),
        (429, {}, {}, None),
    ],
)
def test_a_pause_is_reported(
    serve: Serve, status: int, item: dict[str, str], headers: dict[str, str], seconds: float | None
) -> None:
    error = refusal(serve, status, [item], **headers)
    assert isinstance(error, Busy)
    assert error.failure.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "body", "seconds"),
    [
        (403, b"<html>Forbidden</html>", 900),
        (403, b"", 900),
        (403, [{"code": "permission_denied"}], 900),
        (403, [{"code": "something_new"}], 900),
        (403, [{"code": "access_to_production_denied"}], 900),
        (403, [{"code": "access_to_resource_denied"}], 900),
        (403, [{"code": "quota_limit_reached"}], 900),
        (403, [{"code": "authentication_failed"}], None),
        (401, [{"code": "authentication_failed"}], None),
        (401, [{"code": "permission_denied"}], None),
        (401, b"", None),
    ],
)
def test_only_wrong_keys_wait_for_a_person(serve: Serve, status: int, body: object, seconds: float | None) -> None:
    error = refusal(serve, status, body, retry_after="30")
    assert isinstance(error, KeysRejected)
    assert error.failure.retry_after == seconds


def test_a_message_that_echoes_the_password_is_withheld_yet_understood(serve: Serve) -> None:
    message = "The user account is locked: wrong-one"
    error = refusal(serve, 400, [{"code": "login_error", "message": message, "request_id": REQUEST_ID}])
    assert (error.failure.words, error.failure.request_id) == ("withheld", REQUEST_ID)
    assert cause_of(error) is Cause.ACCOUNT_LOCKED


def test_missing_keys_are_the_integrations_trouble() -> None:
    with pytest.raises(KeysRejected) as caught:
        provider_class("belvo")(
            base_url="https://api.belvo.com",
            options={},
            secrets={"secret_id": Secret("a")},
            admission=RecordingAdmission(),
        )
    assert caught.value.failure.reason == "not_configured"
