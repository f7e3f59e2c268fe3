"""Belvo's hosted widget: what a customer can do there, what changes at the link, and where it leads back to."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from linkadmin.simulator.belvo.widget import LIFETIME
from linkadmin.simulator.server import Simulator

from .conftest import Belvo, MovableClock
from .receiver import Receiver

SCOPES = "read_institutions,write_links,read_links"
KEYS = {"id": "sandbox-id", "password": "sandbox-password", "scopes": SCOPES}
RETURNS = {"success": "acme://done", "exit": "acme://left?from=widget", "event": "acme://error"}
MFA = {"institution": "heimdall_mx_retail"}


class Customer:
    """A browser at a hosted page."""

    def __init__(self, url: str) -> None:
        self.url = url

    def read(self) -> requests.Response:
        return requests.get(self.url, timeout=60)

    def send(self, **values: str) -> requests.Response:
        """Submit a form; follows a redirect to the page itself only."""
        answer = requests.post(self.url, values, timeout=60, allow_redirects=False)
        return self.read() if answer.headers.get("Location", "").startswith("/widget.belvo.io/") else answer


def opened(simulator: Simulator, belvo: Belvo, link: str, *, locale: str = "en", **widget: Any) -> Customer:
    token = belvo("POST", "/api/token/", {**KEYS, "link_id": link, "widget": {"callback_urls": RETURNS} | widget})
    assert token.status_code == 200, token.text
    return Customer(f"{simulator.url}/widget.belvo.io/?access_token={token.json()['access']}&locale={locale}")


def broken(belvo: Belvo, **more: Any) -> str:
    """Create a link that the bank rejects from now on."""
    link = belvo.new_link(**more)
    for _ in range(6):
        belvo.update(link, "pass_invalid")
    assert belvo.link(link)["status"] == "invalid"
    return link


def led(answer: requests.Response) -> tuple[str, dict[str, str]]:
    """Where a redirect leads, and with which parameters."""
    assert answer.status_code == 303, answer.text
    url = urlsplit(answer.headers["Location"])
    return f"{url.scheme}://{url.netloc}", {name: texts[0] for name, texts in parse_qs(url.query).items()}


def test_right_password_repairs_the_link(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    link = broken(belvo, fetch_resources=["ACCOUNTS"])
    simulator.webhooks(belvo_url=receiver.url())

    answer = opened(simulator, belvo, link).send(username="maria", password="pass_valid")

    assert led(answer) == ("acme://done", {"link": link, "institution": "erebor_mx_retail"})
    assert belvo.link(link)["status"] == "valid"
    assert simulator.delivered()
    assert [got.body["webhook_type"] for got in receiver.got] == ["ACCOUNTS"]


def test_form_asks_for_what_the_bank_asks_for(simulator: Simulator, belvo: Belvo) -> None:
    link = belvo.new_link("1023456789", institution="paramoverde_co_retail", username_type="001")

    text = opened(simulator, belvo, link).read().text

    assert [text.count(f'name="{name}"') for name in ("username_type", "username", "password", "token")] == [1, 1, 1, 0]
    assert "Tipo de documento" in text
    assert '<option value="002">Cédula de Extranjería</option>' in text


def test_hidden_field_is_filled_in_for_the_customer(simulator: Simulator, belvo: Belvo) -> None:
    body = {"institution": "planet_mx_employment", "username": "LOLJ970312MBSPPN08", "password": "fake-password"}
    link = belvo("POST", "/api/links/", body).json()["id"]
    customer = opened(simulator, belvo, link)

    assert 'name="password"' not in customer.read().text
    assert led(customer.send(username="LOLJ970312MBSPPN08"))[0] == "acme://done"


def test_wrong_password_is_said_and_reported_on_leaving(simulator: Simulator, belvo: Belvo) -> None:
    customer = opened(simulator, belvo, broken(belvo))

    rejected = customer.send(username="maria", password="pass_invalid")
    left = customer.send(leave="")

    assert "Invalid credentials provided to login to the institution" in rejected.text
    assert led(left) == (
        "acme://left",
        {
            "from": "widget",
            "last_encountered_error_code": "login_error",
            "last_encountered_error_message": "Invalid credentials provided to login to the institution",
            "meta_data_institution_name": "erebor_mx_retail",
            "meta_data_step": "abandon-survey",
        },
    )


@pytest.mark.parametrize("value", ["html_403", "rate_429", "lost_before", "unreadable", "expired_creds"])
def test_other_errors_are_unexpected_to_whom_it_leads_back(simulator: Simulator, belvo: Belvo, value: str) -> None:
    customer = opened(simulator, belvo, broken(belvo))

    rejected = customer.send(username="maria", password=value)

    assert 'role="alert"' in rejected.text
    assert led(customer.send(leave=""))[1]["last_encountered_error_code"] == "unexpected_error"


def test_leaving_at_once_reports_no_error_and_can_be_reconsidered(simulator: Simulator, belvo: Belvo) -> None:
    link = broken(belvo)
    customer = opened(simulator, belvo, link)

    left = customer.send(leave="")

    assert led(left)[1].keys() == {"from", "meta_data_institution_name", "meta_data_step"}
    assert belvo.link(link)["status"] == "invalid"
    assert led(customer.send(username="maria", password="pass_valid"))[0] == "acme://done"


def test_wrong_code_then_the_right_one(simulator: Simulator, belvo: Belvo) -> None:
    link = broken(belvo, **MFA)
    customer = opened(simulator, belvo, link)

    asked = customer.send(username="maria", password="mfa_numeric")
    wrong = customer.send(code="222222")

    assert 'name="code"' in asked.text
    assert 'role="alert"' not in asked.text
    assert "Wrong or expired code" in wrong.text
    assert led(customer.send(code="111111"))[0] == "acme://done"
    assert belvo.link(link)["status"] == "valid"


def test_next_step_of_a_sign_in_is_no_wrong_code(simulator: Simulator, belvo: Belvo) -> None:
    customer = opened(simulator, belvo, broken(belvo))
    customer.send(username="maria", password="mfa_questions")

    second = customer.send(code="111111")

    assert 'role="alert"' not in second.text
    assert "¿Cuáles son los últimos tres dígitos de tu tarjeta?" in second.text


@pytest.mark.parametrize(
    ("value", "shown"), [("mfa_qr", 'src="data:image/png;base64,'), ("mfa_text", "¿Qué código"), ("mfa_approve", "")]
)
def test_challenge_is_shown(simulator: Simulator, belvo: Belvo, value: str, shown: str) -> None:
    customer = opened(simulator, belvo, broken(belvo))

    page = customer.send(username="maria", password=value).text

    assert shown in page
    assert ('name="code"' in page) == (value != "mfa_approve")
    assert led(customer.send(code="111111"))[0] == "acme://done"


def test_link_that_only_lacks_a_code_is_asked_for_no_password(simulator: Simulator, belvo: Belvo) -> None:
    link = belvo.new_link(**MFA)
    belvo.update(link, "pass_valid")
    customer = opened(simulator, belvo, link)

    assert 'name="password"' not in customer.read().text
    assert 'name="code"' in customer.send().text
    assert led(customer.send(code="111111"))[0] == "acme://done"


def test_expired_code_starts_over(simulator: Simulator, belvo: Belvo, clock: MovableClock) -> None:
    customer = opened(simulator, belvo, broken(belvo))
    customer.send(username="maria", password="mfa_short")
    clock.forward(13)

    late = customer.send(code="111111").text

    assert "has expired" in late
    assert 'name="code"' not in late


def test_locked_account_ends_the_code_step(simulator: Simulator, belvo: Belvo) -> None:
    customer = opened(simulator, belvo, broken(belvo))
    customer.send(username="maria", password="mfa_default")

    pages = [customer.send(code="222222").text for _ in range(5)]

    assert ["account is locked" in page for page in pages] == [False] * 4 + [True]


def test_access_token_lasts_ten_minutes(simulator: Simulator, belvo: Belvo, clock: MovableClock) -> None:
    link = broken(belvo)
    customer = opened(simulator, belvo, link)
    clock.forward(LIFETIME)

    page = customer.read()

    assert page.status_code == 410
    assert "acme://error?error=ACCESS_TOKEN_NOT_VALID&amp;error_message=The%20access%20token%20was%20not" in page.text
    assert customer.send(username="maria", password="pass_valid").status_code == 410
    assert belvo.link(link)["status"] == "invalid"


def test_access_token_is_void_once_the_customer_has_connected(simulator: Simulator, belvo: Belvo) -> None:
    customer = opened(simulator, belvo, broken(belvo))
    customer.send(username="maria", password="pass_valid")

    assert customer.read().status_code == 410


@pytest.mark.parametrize("access", ["", "unknown"])
def test_nobody_gets_in_without_an_access_token(simulator: Simulator, access: str) -> None:
    page = requests.get(f"{simulator.url}/widget.belvo.io/?access_token={access}", timeout=60)

    assert page.status_code == 410
    assert "<a " not in page.text


def test_token_of_a_link_that_is_gone_opens_nothing(simulator: Simulator, belvo: Belvo) -> None:
    link = belvo.new_link()
    customer = opened(simulator, belvo, link)
    belvo("DELETE", f"/api/links/{link}/")

    assert customer.read().status_code == 410


def test_without_callback_urls_it_ends_on_a_page_of_its_own(simulator: Simulator, belvo: Belvo) -> None:
    customer = opened(simulator, belvo, broken(belvo), callback_urls={})

    left, connected = customer.send(leave=""), customer.send(username="maria", password="pass_valid")

    assert "You left without connecting" in left.text
    assert "Your bank is connected" in connected.text


@pytest.mark.parametrize(
    ("locale", "words"), [("es", "Ingresar"), ("pt", "Entrar"), ("en", "Sign in"), ("xx", "Sign in")]
)
def test_language_is_that_of_its_url(simulator: Simulator, belvo: Belvo, locale: str, words: str) -> None:
    text = opened(simulator, belvo, belvo.new_link(), locale=locale).read().text

    assert f"<button>{words}</button>" in text
    assert f'<html lang="{locale if locale != "xx" else "en"}">' in text


def test_pages_say_that_they_are_simulated_and_keep_secrets(simulator: Simulator, belvo: Belvo) -> None:
    customer = opened(simulator, belvo, broken(belvo))
    rejected = customer.send(username="canary-user", password="pass_invalid")

    assert "Don&#x27;t enter real credentials." in rejected.text
    assert "canary" not in rejected.text
    assert "canary" not in requests.get(f"{simulator.url}/calls.json", timeout=60).text
    assert rejected.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in rejected.text


def test_open_finance_takes_a_document_number_and_an_authorization(simulator: Simulator, belvo: Belvo) -> None:
    body = {"institution": "ofmockbank_br_retail", "username": "10000000004"}
    link = belvo("POST", "/api/links/", body).json()["id"]
    customer = opened(simulator, belvo, link)

    first = customer.read().text
    misfit = customer.send(username="123")
    asked = customer.send(username="12345678901")
    done = customer.send()

    assert ('name="username"' in first, 'name="password"' in first) == (True, False)
    assert 'role="alert"' in misfit.text
    assert "for 12 months" in asked.text
    assert led(done) == ("acme://done", {"link": link, "institution": "ofmockbank_br_retail"})
    (consent,) = belvo("GET", f"/api/consents/?link={link}").json()["results"]
    assert (consent["status"], consent["expired_at"][:10]) == ("AUTHORISED", "2027-09-21")
