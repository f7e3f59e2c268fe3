"""Outside the demo, nothing but the pages to add a second factor opens without one."""

import re
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import Settings

from linkadmin.accounts.roles import URL_RIGHTS, Access, rule_for
from tests.environment import HTMX, Environment
from tests.markup import read
from tests.second_factors import ADD_APP, add_app, after_password, give, is_in
from tests.url_table import PUBLIC, ROWS

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NEW = "/accounts/factors/new/"
# What a person can open without the required second factor.
OPEN = {
    "account_logout",
    "confirm",
    "confirm-passkey-options",
    "factor-new",
    "factor-app",
    "factor-passkey",
    "factor-passkey-options",
    "factor-remove",
    "recovery-codes",
}


@pytest.fixture(autouse=True)
def _required(settings: Settings) -> None:
    settings.SECOND_FACTOR_REQUIRED = True


def test_only_these_pages_open_without_a_second_factor() -> None:
    rules = {name: rule_for(name, "POST") or rule_for(name, "GET") for name in URL_RIGHTS}

    assert {name for name, rule in rules.items() if rule in (Access.WITHOUT_FACTOR, Access.OWN_FACTORS)} == OPEN


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("name", ["ana", "mia", "aud", "adm"])
def test_every_other_url_leads_to_enrollment(env: Environment, name: str, htmx: bool) -> None:
    client = after_password(name)
    free = ("/accounts/confirm/", "/accounts/factors/", "/accounts/recovery-codes/")
    some = "6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a"
    for method, address, _answers in ROWS:
        if address in PUBLIC or address.startswith(free):
            continue
        url = re.sub(r"\{(\w+)\}", lambda named: {"what": "customers", "source": "dso_1"}.get(named[1], some), address)
        answer = client.generic(method, url, headers=HTMX if htmx else {})
        where = answer["HX-Redirect"] if htmx else answer["Location"]
        assert (answer.status_code, where) == (403 if htmx else 302, NEW), (method, url)


def test_person_enrolls_and_works(env: Environment) -> None:
    client = after_password("ana")
    page = read(client.get("/links/", follow=True))
    assert "Your account needs one besides the password." in page.words

    app = add_app(client)

    assert len(app.codes) == 10
    assert client.get("/links/").status_code == HTTPStatus.OK
    again = after_password("ana")
    assert not is_in(again)
    give(again, app.next_code)
    assert again.get("/links/").status_code == HTTPStatus.OK


def test_session_from_before_enrollment_needs_the_new_second_factor(env: Environment) -> None:
    earlier, here = after_password("ana"), after_password("ana")
    app = add_app(here)

    assert earlier.get("/links/")["Location"] == NEW
    assert earlier.get(ADD_APP)["Location"].startswith("/accounts/confirm/")
    assert earlier.post(ADD_APP).status_code == HTTPStatus.FORBIDDEN
    earlier.post("/accounts/confirm/", {"password": "a password for tests", "code": app.next_code})

    assert earlier.get("/links/").status_code == HTTPStatus.OK


def test_last_second_factor_stays(env: Environment) -> None:
    client = after_password("ana")
    add_app(client)
    page = read(client.get("/accounts/security/"))
    [url] = [form.action for form in page.forms if form.action.endswith("/remove/")]

    answer = read(client.post(url, follow=True))

    assert "Add another one before you remove this one." in answer.words
    assert "Authenticator app" in answer.words


def test_sign_in_of_one_person_gives_the_next_no_second_factor(env: Environment) -> None:
    client = after_password("ana")
    app = add_app(client)
    client.post("/accounts/logout/")
    give(after_password("ana", client), app.next_code)
    client.post("/accounts/logout/")

    after_password("ben", client)

    assert client.get("/links/")["Location"] == NEW


def test_visitor_signs_in_first(client: Client) -> None:
    assert client.get(NEW)["Location"].startswith("/accounts/login/")
