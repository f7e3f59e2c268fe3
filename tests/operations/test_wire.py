"""Requests that leave the process, in full: method, path, headers and JSON fields."""

import base64

import pytest

from linkadmin.simulator.journal import Call
from tests.environment import Environment

pytestmark = pytest.mark.django_db(transaction=True)

BASIC = "Basic " + base64.b64encode(b"sandbox-id:sandbox-password").decode()


def said(call: Call) -> tuple[str, str, object]:
    return call.method, call.path, call.body


def test_heron_create_is_the_four_fields_flat_with_the_key_in_its_header(env: Environment) -> None:
    env.send(
        env.new_link_url(),
        end_user_id="cus-77",
        end_user_name="Blue Fern Bakery",
        item_id="Item-aB3",
        access_token="access-sandbox-9",
    )

    (call,) = env.calls("POST")
    body = {
        "access_token": "access-sandbox-9",
        "end_user_id": "cus-77",
        "end_user_name": "Blue Fern Bakery",
        "item_id": "Item-aB3",
    }
    assert said(call) == ("POST", "/api/integrations/itg_sandbox_transactions/links", body)
    assert call.headers["x-api-key"] == "key_sandbox"
    assert call.headers["content-type"] == "application/json"
    assert "authorization" not in call.headers
    assert call.query == {}


def test_belvo_update_is_a_put_with_basic_and_a_slash_at_the_end(env: Environment) -> None:
    link = env.belvo_link()

    env.send(f"/links/{link.pk}/credentials/", password="pass_valid")

    (call,) = env.calls("PUT")
    assert said(call) == ("PUT", f"/api/links/{link.remote_id}/", {"password": "pass_valid"})
    assert call.headers["authorization"] == BASIC
    assert call.headers["content-type"] == "application/json"
    assert "x-api-key" not in call.headers


def test_belvo_update_sends_two_passwords_document_code_and_key(env: Environment) -> None:
    link = env.belvo_link(bank="ironbank_br_retail")
    typed = {
        "password": "pass_valid",
        "password2": "valid",
        "token": "111111",
        "encryption_key": "an encryption key",
        "username_type": "003",
    }

    env.send(f"/links/{link.pk}/credentials/", **typed)

    (call,) = env.calls("PUT")
    assert call.body == typed


def test_belvo_update_sends_certificate_and_private_key_of_a_fiscal_link(env: Environment) -> None:
    link = env.belvo_link(bank="anchorhead_mx_fiscal")
    typed = {"password": "pass_valid", "certificate": "Y2VydGlmaWNhdGU=", "private_key": "cHJpdmF0ZQ=="}

    env.send(f"/links/{link.pk}/credentials/", **typed)

    (call,) = env.calls("PUT")
    assert call.body == typed


def test_belvo_resume_is_a_patch_without_an_id_with_session_link_and_token(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")
    session = next(iter(env.simulator.store.attempts))

    env.send(f"/links/{link.pk}/code/", code="111111")

    (call,) = env.calls("PATCH")
    body = {"session": session, "link": link.remote_id, "token": "111111"}
    assert said(call) == ("PATCH", "/api/links/", body)
    assert call.headers["authorization"] == BASIC


def test_belvo_resume_of_an_approval_has_no_token(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="mfa_approve")

    env.send(f"/links/{link.pk}/code/")

    (call,) = env.calls("PATCH")
    assert set(call.body) == {"session", "link"}


def test_belvo_register_sends_institution_login_customer_and_access(env: Environment) -> None:
    customer = env.customer()

    env.send(
        env.new_link_url("erebor_mx_retail"),
        end_user_id=customer.external_id,
        username="maria",
        password="pass_valid",
    )

    (call,) = env.calls("POST")
    assert said(call) == (
        "POST",
        "/api/links/",
        {
            "institution": "erebor_mx_retail",
            "username": "maria",
            "password": "pass_valid",
            "access_mode": "recurrent",
            "external_id": customer.external_id,
        },
    )


def test_belvo_register_sends_what_the_bank_asks_for_in_hidden_fields(env: Environment) -> None:
    env.send(
        env.new_link_url("planet_mx_employment"),
        end_user_id="cus-5",
        end_user_name="Ivy Long",
        username="BLPM951331IONVGR54",
    )

    (call,) = env.calls("POST")
    assert call.body["password"] == "fake-password"
