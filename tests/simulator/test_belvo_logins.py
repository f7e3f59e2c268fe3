"""Registering a link and updating its credentials: the outcome of each test value."""

import re

import pytest
import requests

from linkadmin.simulator.belvo.guide import TRIGGERS
from linkadmin.simulator.belvo.institutions import WORD
from linkadmin.simulator.server import Simulator
from tests.slowness import SlowProvider
from tests.waiting import BUSY_SECONDS, wait_until

from .conftest import Belvo, MovableClock

# test value: status, code and start of the message
REFUSED = {
    "pass_invalid": (400, "login_error", "Invalid credentials"),
    "not_attempted": (400, "login_error", "Login not attempted"),
    "account_locked": (400, "login_error", "The user account is locked"),
    "access_forbidden": (400, "login_error", "The user account access was forbidden"),
    "mfa_unsupported": (400, "login_error", "A MFA token is required by the institution, but"),
    "unexpected": (400, "login_error", "Impossible to login, something unexpected"),
    "missing": (400, "login_error", "Missing credentials"),
    "invalid_link": (400, "invalid_link", "The link has been invalidated"),
    "unconfirmed_link": (400, "unconfirmed_link", "The link creation"),
    "too_many": (400, "too_many_sessions", "Impossible to login, a session is already opened"),
    "institution_down": (400, "institution_down", "The financial institution is down"),
    "bank_unavailable": (400, "institution_unavailable", "The financial institution is unavailable"),
    "bank_inactive": (400, "institution_inactive", "The institution has been temporarily deactivated"),
    "activation": (428, "activation_required", "This user doesn't have web access"),
    "activate_failed": (400, "activation_failed", "The credentials provided were not accepted"),
    "validation_error": (400, "validation_error", "Bad request"),
    "1234567890abcdefg": (400, "validation_error", "Bad request"),
    "consent_empty": (401, "consent_without_accounts", "Information cannot be retrieved"),
    "denied_403": (403, "access_to_resource_denied", "You don't have access"),
    "timeout_408": (408, "request_timeout", "The request timed out"),
    "server_error": (500, "unexpected_error", "The request cannot be processed"),
}
BROKEN_AFTER = ("lost_after", "unreadable", "cut_body")
RFC = "LOLJ970312AB1"


@pytest.mark.parametrize("word", REFUSED)
@pytest.mark.parametrize("call", ["register", "update"])
def test_a_test_value_is_rejected_as_documented(belvo: Belvo, call: str, word: str) -> None:
    link = belvo.new_link()

    answer = belvo.register("someone", word) if call == "register" else belvo.update(link, word)

    error = answer.json()[0]
    status, code, message = REFUSED[word]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["message"].startswith(message)
    assert belvo("GET", "/api/links/").json()["count"] == 1


def test_every_word_fits_the_forms_of_the_banks() -> None:
    words = {word + ("300" if trigger.timed else "") for trigger in TRIGGERS for word in trigger.words}

    assert [word for word in words if not re.fullmatch(WORD, word)] == ["1234567890abcdefg"]


def test_any_other_pair_makes_a_valid_link(belvo: Belvo) -> None:
    answer = belvo.register("maria", "secret_1", external_id="cust-17")

    link = answer.json()
    assert answer.status_code == 201
    assert (link["status"], link["access_mode"], link["refresh_rate"]) == ("valid", "recurrent", "7d")
    assert link["external_id"] == "cust-17"
    assert len(link["institution_user_id"]) == 44
    assert link["last_accessed_at"] == "2026-09-21T14:13:20.000000Z"


def test_a_word_as_the_username_beats_the_password(belvo: Belvo) -> None:
    answer = belvo.register("user_invalid", "mfa_default")

    assert answer.json()[0]["code"] == "login_error"


def test_a_second_link_of_the_same_person_is_rejected_whatever_the_password(belvo: Belvo) -> None:
    first = belvo.register("maria", "one").json()

    second = belvo.register("maria", "two")

    assert second.status_code == 400
    assert second.json()[0]["code"] == "duplicated"
    assert second.json()[0]["institution_user_id"] == first["institution_user_id"]


def test_a_person_may_have_links_at_two_banks_and_come_back_after_a_deletion(belvo: Belvo) -> None:
    link = belvo.new_link("maria")

    assert belvo.register("maria", institution="gringotts_mx_retail").status_code == 201
    assert belvo("DELETE", f"/api/links/{link}/").status_code == 204
    assert belvo.register("maria").status_code == 201


def test_an_update_makes_an_invalid_link_valid_and_keeps_its_id(belvo: Belvo, clock: MovableClock) -> None:
    link = belvo.new_link()
    for _ in range(6):
        belvo.update(link, "pass_invalid")
    clock.forward(60)

    answer = belvo.update(link, "pass_valid")

    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["status"]) == (link, "valid")
    assert answer.json()["last_accessed_at"] == "2026-09-21T14:14:20.000000Z"


def test_the_sixth_wrong_password_in_a_row_turns_the_link_invalid(belvo: Belvo) -> None:
    link = belvo.new_link()

    statuses = []
    for _ in range(6):
        belvo.update(link, "pass_invalid")
        statuses.append(belvo.link(link)["status"])

    assert statuses == ["valid"] * 5 + ["invalid"]


@pytest.mark.parametrize("word", BROKEN_AFTER)
def test_a_change_is_made_although_its_response_is_damaged(belvo: Belvo, word: str) -> None:
    with pytest.raises(requests.RequestException):
        belvo.register("maria", word).json()

    links = belvo("GET", "/api/links/").json()["results"]
    assert [link["status"] for link in links] == ["valid"]


def test_an_error_can_come_after_the_change(belvo: Belvo) -> None:
    answer = belvo.register("maria", "error_after")

    assert answer.status_code == 500
    assert belvo("GET", "/api/links/").json()["count"] == 1


def test_a_connection_can_break_before_the_change(belvo: Belvo) -> None:
    with pytest.raises(requests.ConnectionError):
        belvo.register("maria", "lost_before")

    assert belvo("GET", "/api/links/").json()["count"] == 0


def test_a_slow_bank_takes_its_time_and_then_succeeds(belvo: Belvo) -> None:
    answer = belvo.register("maria", "slow_1")

    assert answer.status_code == 201
    assert answer.elapsed.total_seconds() >= 1


def test_a_slow_bank_acts_after_the_caller_has_gone(simulator: Simulator, belvo: Belvo) -> None:
    slow = SlowProvider(simulator.store)
    body = {"institution": "erebor_mx_retail", "username": "maria", "password": "slow_1"}
    with pytest.raises(requests.ReadTimeout):
        belvo("POST", "/api/links/", body, timeout=(BUSY_SECONDS, 0.1))
    wait_until(lambda: slow.delays)
    assert belvo("GET", "/api/links/").json()["count"] == 0

    slow.answers()

    wait_until(lambda: belvo("GET", "/api/links/").json()["count"] == 1)


def test_the_firewall_answers_with_a_web_page(belvo: Belvo) -> None:
    answer = belvo.register("maria", "html_403")

    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "text/html"


def test_a_bank_that_is_down_rejects_every_sign_in(belvo: Belvo) -> None:
    answer = belvo.register("maria", institution="mareazul_mx_retail")

    assert answer.json()[0]["code"] == "institution_down"


@pytest.mark.parametrize(
    ("institution", "typed", "code"),
    [
        ("ironbank_br_retail", {"username_type": "003", "username2": "valid", "password2": "valid"}, None),
        ("ironbank_br_retail", {"username_type": "999", "username2": "x", "password2": "x"}, "login_error"),
        ("ironbank_br_retail", {"username_type": "003", "username2": "invalid", "password2": "x"}, "login_error"),
        ("ironbank_br_retail", {"username_type": "003", "username2": "x"}, "login_error"),
        ("anchorhead_mx_fiscal", {"username": RFC, "certificate": "MIIB", "private_key": "MIIC"}, None),
        ("anchorhead_mx_fiscal", {"username": RFC}, "login_error"),
        ("anchorhead_mx_fiscal", {"certificate": "MIIB", "private_key": "MIIC"}, "validation_error"),
        ("moseisley_mx_fiscal", {"username": RFC}, None),
        ("moseisley_mx_fiscal", {"username": RFC, "password": "pass_invalid"}, "login_error"),
        ("kashyyyk_cl_fiscal", {"username": "12345678-K"}, None),
        ("kashyyyk_cl_fiscal", {"username": "12345678"}, "validation_error"),
        ("slurm_mx_employment", {"username": "LOLJ970312MBSPPN08"}, None),
        ("slurm_mx_employment", {"username": RFC}, "validation_error"),
        ("momcorp_br_employment", {"username": "12345678901"}, None),
        ("tatooine_mx_fiscal", {}, None),
        ("tatooine_mx_fiscal", {"certificate": "MIIB"}, "required"),
        ("paramoverde_co_retail", {"username_type": "001", "username": "not a number"}, "validation_error"),
    ],
)
def test_each_bank_wants_its_own_fields(
    belvo: Belvo, institution: str, typed: dict[str, str], code: str | None
) -> None:
    answer = belvo("POST", "/api/links/", {"institution": institution, "username": "adv", "password": "p", **typed})

    if code is None:
        assert answer.status_code == 201
    else:
        assert answer.json()[0]["code"] == code


def test_an_open_finance_link_cannot_be_repaired_with_a_password(belvo: Belvo) -> None:
    body = {"institution": "ofmockbank_br_retail", "username": "12345678901"}
    link = belvo("POST", "/api/links/", body).json()["id"]

    answer = belvo.update(link, "pass_valid")

    assert answer.json()[0]["code"] == "unsupported_operation"


def test_an_expired_storage_answers_not_found_although_the_link_exists(belvo: Belvo) -> None:
    link = belvo.new_link()

    answer = belvo.update(link, "expired_creds")

    assert (answer.status_code, answer.json()[0]["code"]) == (404, "expired_credentials")
    assert belvo.link(link)["status"] == "valid"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"institution": "erebor_mx_retail"}, "required", "username"),
        ({"institution": "erebor_mx_retail", "username": "u"}, "required", "password"),
        ({"institution": "erebor_mx_retail", "username": "", "password": "p"}, "blank", "username"),
        ({"institution": "erebor_mx_retail", "username": None, "password": "p"}, "null", "username"),
        ({"institution": "erebor_mx_retail", "username": 1, "password": "p"}, "invalid", "username"),
        ({"institution": "narnia_mx_retail", "username": "u", "password": "p"}, "does_not_exist", "institution"),
    ],
)
def test_an_invalid_body_is_rejected_with_its_field(
    belvo: Belvo, body: dict[str, object], code: str, field: str
) -> None:
    answer = belvo("POST", "/api/links/", body)

    assert answer.status_code == 400
    assert (answer.json()[0]["code"], answer.json()[0]["field"]) == (code, field)


def test_all_errors_of_a_body_are_returned_at_once(belvo: Belvo) -> None:
    more = {"access_mode": "monthly", "fetch_resources": "ACCOUNTS", "external_id": "ab"}

    answer = belvo.register("maria", **more)

    assert {error["code"] for error in answer.json()} == {"invalid_choice", "not_a_list", "min_length"}


def test_an_update_without_a_password_is_rejected(belvo: Belvo) -> None:
    link = belvo.new_link()

    answer = belvo("PUT", f"/api/links/{link}/", {"password2": "1234"})

    assert answer.json()[0]["field"] == "password"
