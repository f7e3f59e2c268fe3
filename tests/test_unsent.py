"""Forms submitted after the session ended: nothing is sent, and signing in leads back to the form."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from linkadmin.links.models import Link
from linkadmin.operations.models import Operation
from linkadmin.providers.types import Cause

from .environment import HTMX, PASSWORD, Environment
from .markup import read

pytestmark = pytest.mark.django_db
HERE = "http://testserver"
SECRET = "hunter2-of-the-bank"


@pytest.fixture
def link(env: Environment) -> Link:
    return env.belvo_link(cause=Cause.LOGIN_REFUSED)


def next_of(location: str) -> str:
    assert urlsplit(location).path == "/accounts/login/"
    return parse_qs(urlsplit(location).query)["next"][0]


@pytest.mark.parametrize(
    ("path", "sent_from", "back"),
    [
        ("credentials/", "", "credentials/"),
        ("credentials/", "credentials/", "credentials/"),
        ("code/", "code/", "code/"),
        ("settings/", "settings/", "settings/"),
        ("notes/", "", "notes/"),
        ("refresh/", "", ""),  # only a button: the page it's on
        ("refresh/", "?from=list", "?from=list"),
        ("assignee/", "refresh/", "assignee/"),
        ("refresh/", "code/withdraw/", ""),  # drawn at a URL that only takes forms
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
def test_signing_in_leads_back_to_the_form(
    env: Environment, link: Link, path: str, sent_from: str, back: str, htmx: bool
) -> None:
    url, page = link.get_absolute_url(), f"{HERE}{link.get_absolute_url()}{sent_from}"
    headers = (HTMX | {"HX-Current-URL": page} if htmx else {"Referer": page}) if sent_from else HTMX if htmx else {}
    browser = Client()

    answer = read(browser.post(f"{url}{path}", {"password": SECRET, "operation_key": "x"}, headers=headers))

    assert answer.status == (401 if htmx else 302)
    assert next_of(answer.location) == url + back
    assert SECRET not in answer.source + str(answer.headers) + browser.cookies.output()
    sign_in = read(browser.get(answer.location))
    assert "You were signed out, so nothing was sent." in sign_in.words
    values = {"login": "ana", "password": PASSWORD, "next": next_of(answer.location)}
    assert browser.post("/accounts/login/", values).headers["location"] == url + back
    assert "nothing was sent" not in read(browser.get(url)).words
    assert not Operation.objects.exists()


@pytest.mark.parametrize("referer", ["https://evil.example/links/", "//evil.example/", "nonsense", ""])
def test_signing_in_leads_to_no_other_site(env: Environment, link: Link, referer: str) -> None:
    answer = read(Client().post(f"{link.get_absolute_url()}credentials/", headers={"Referer": referer}))

    assert next_of(answer.location) == f"{link.get_absolute_url()}credentials/"


def test_opening_a_page_shows_no_message_about_sending(link: Link) -> None:
    browser = Client()

    answer = browser.get(link.get_absolute_url())

    assert "nothing was sent" not in read(browser.get(answer.headers["location"])).words


@pytest.mark.parametrize(
    "path", ["/integrations/{belvo}/test/", "/integrations/{belvo}/institutions/read/", "/bulk/refresh/"]
)
def test_every_button_has_a_page_to_return_to(env: Environment, path: str) -> None:
    path = path.format(belvo=env.belvo.pk)

    back = next_of(read(Client().post(path)).location)

    assert env.client("mia").get(back).status_code == 200


def test_form_from_an_earlier_session_is_rejected_and_leads_back(env: Environment, link: Link) -> None:
    url = f"{link.get_absolute_url()}credentials/"
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(env.people["ana"])
    old = read(browser.get(url)).form_with("csrfmiddlewaretoken").values
    token = read(browser.get("/accounts/login/?again")).status  # already signed in
    assert token == 302
    browser.cookies["csrf"] = "x" * 32  # a sign-in in another tab gave the browser a new one

    answer = read(browser.post(url, old | {"password": SECRET}, headers={"Referer": f"{HERE}{url}"}))

    assert answer.status == 403
    assert "Nothing was sent" in answer.words
    assert url in answer.links()
    assert SECRET not in answer.source
    assert not Operation.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_form_from_an_earlier_session_leads_to_no_other_site(
    env: Environment, link: Link, headers: dict[str, str]
) -> None:
    url, foreign = link.get_absolute_url(), f"{HERE}//evil.example/links/"
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(env.people["ana"])

    answer = read(browser.post(f"{url}notes/", headers=headers | {"Referer": foreign, "HX-Current-URL": foreign}))

    assert answer.status == 403
    assert not [each for each in [answer.location, *answer.links()] if each.startswith("//")]


def test_part_from_an_earlier_session_reloads_its_page(env: Environment, link: Link) -> None:
    url = f"{link.get_absolute_url()}credentials/"
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(env.people["ana"])

    answer = read(browser.post(url, {"password": SECRET}, headers=HTMX | {"HX-Current-URL": f"{HERE}{url}"}))

    assert (answer.status, answer.location) == (403, url)
    assert "This form is from an earlier session, so nothing was sent." in read(browser.get(url)).words
