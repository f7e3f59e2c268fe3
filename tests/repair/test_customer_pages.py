"""A repair URL: a GET shows the same however often it is fetched, and Continue starts a visit. No page names people."""

import json
import logging
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from structlog.stdlib import ProcessorFormatter

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link, RepairRequest, RepairStep, RepairVisit
from linkadmin.providers.types import Cause
from linkadmin.repair import requests
from linkadmin.repair.requests import NewRequest
from linkadmin.repair.tokens import new_token
from tests.environment import Environment

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OWN_FORM = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
DAY = timedelta(hours=24)


@pytest.fixture
def link(env: Environment) -> Link:
    return env.belvo_link("Acme Corp")


def sent(env: Environment, link: Link, *, language: str = "en", life: timedelta = DAY) -> str:
    message = NewRequest(RepairRequest.Channel.COPY, language, "Please reconnect", life, reason="They lost it")
    _request, token = requests.send(link, message, by=env.people["ana"])
    return f"/repair/{token}/"


def test_fetching_counts_and_does_nothing_else(env: Environment, link: Link) -> None:
    url, stranger = sent(env, link), Client()
    calls = len(env.simulator.calls)

    answers = [stranger.get(url) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert not stranger.cookies
    assert b"Acme" not in answers[0].content
    assert RepairRequest.objects.get().fetches == 3
    assert list(RepairStep.objects.order_by("id").values_list("kind", flat=True)) == ["sent", "fetched"]
    assert len(env.simulator.calls) == calls


def test_continue_starts_a_visit_and_hides_the_token(env: Environment, link: Link) -> None:
    url, customer = sent(env, link), Client()

    entered = customer.post(url, headers=OWN_FORM)

    assert (entered.status_code, entered.headers["Location"]) == (303, "/repair/")
    cookie = customer.cookies["repair"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 1800)
    assert customer.get("/repair/").status_code == 200
    assert list(RepairStep.objects.order_by("id").values_list("kind", flat=True)) == ["sent", "opened"]


def test_another_device_ends_the_visit_before(env: Environment, link: Link) -> None:
    url, first, second = sent(env, link), Client(), Client()
    first.post(url, headers=OWN_FORM)

    second.post(url, headers=OWN_FORM)

    assert first.get("/repair/").status_code == 410
    assert second.get("/repair/").status_code == 200
    assert RepairVisit.objects.count() == 1


def test_customer_is_led_to_the_providers_page(env: Environment, link: Link) -> None:
    url, customer = sent(env, link, language="pt-br"), Client()
    customer.post(url, headers=OWN_FORM)

    led = customer.post("/repair/", headers=OWN_FORM)

    assert led.status_code == 303
    assert "/widget.belvo.io/?access_token=" in led.headers["Location"]
    assert led.headers["Location"].endswith("&locale=pt")
    assert "https://widget.belvo.io" in customer.get("/repair/").headers["Content-Security-Policy"]
    assert list(RepairStep.objects.order_by("id").values_list("kind", flat=True))[1:] == ["opened", "at_provider"]


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://elsewhere.example"}, OWN_FORM | {"Sec-Fetch-Site": "cross-site"}]
)
def test_forms_of_other_sites_start_nothing(env: Environment, link: Link, headers: dict[str, str]) -> None:
    answer = Client().post(sent(env, link), headers=headers)

    assert answer.status_code == 403
    assert not RepairVisit.objects.exists()


def test_ended_requests_all_look_alike(env: Environment, link: Link) -> None:
    expired = sent(env, link, life=-timedelta(seconds=1))
    replaced = sent(env, link)
    revoked = sent(env, link)
    assert requests.revoke(link, by=env.people["ana"])

    answers = [Client().get(url) for url in (expired, replaced, revoked, "/repair/unknown/", f"/repair/{'a' * 43}/")]

    assert {answer.status_code for answer in answers} == {410}
    assert len({answer.content for answer in answers}) == 1


def test_working_link_is_a_success(env: Environment, link: Link) -> None:
    url = sent(env, link)
    Link.objects.filter(pk=link.pk).update(health="healthy", cause="working", health_since=timezone.now())

    answer = Client().get(url)

    assert answer.status_code == 200
    assert b"is working" in answer.content


def test_one_request_is_continued_20_times_an_hour(env: Environment, link: Link) -> None:
    url, customer = sent(env, link), Client()

    answers = [customer.post(url, headers=OWN_FORM).status_code for _ in range(21)]

    assert answers == [303] * 20 + [429]
    assert customer.get(url).status_code == 200
    assert AuditEvent.objects.filter(action="link.repair_limited").count() == 1


def test_one_network_continues_with_60_an_hour(env: Environment) -> None:
    answers = [Client().post(f"/repair/{new_token()}/", headers=OWN_FORM).status_code for _ in range(61)]

    assert answers == [410] * 60 + [429]


def test_provider_is_asked_for_20_pages_an_hour(env: Environment, link: Link) -> None:
    url, customer = sent(env, link), Client()
    customer.post(url, headers=OWN_FORM)

    answers = [customer.post("/repair/", headers=OWN_FORM).status_code for _ in range(21)]

    assert answers == [303] * 20 + [429]


def test_page_that_cannot_be_opened_is_no_dead_end(env: Environment, link: Link) -> None:
    url, customer = sent(env, link), Client()
    customer.post(url, headers=OWN_FORM)
    env.simulator.fail("POST", "/api/token/", "lost_before")

    failed = customer.post("/repair/", headers=OWN_FORM)

    assert failed.status_code == 503
    assert b"Nothing was changed" in failed.content
    assert customer.post("/repair/", headers=OWN_FORM).status_code == 303


@pytest.mark.parametrize("cause", ["bank_down", "disconnected"])
def test_nothing_to_do_while_the_customer_cannot_help(env: Environment, link: Link, cause: str) -> None:
    url, customer = sent(env, link), Client()
    customer.post(url, headers=OWN_FORM)
    gone = timezone.now() if cause == "disconnected" else None
    Link.objects.filter(pk=link.pk).update(cause="bank_down", health="waiting", disconnected_at=gone)

    page = customer.post("/repair/", headers=OWN_FORM)

    assert page.status_code == (410 if gone else 200)
    assert env.calls("POST", "/api/token/") == []


def test_logs_never_have_the_url(
    env: Environment, link: Link, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, customer = sent(env, link), Client(raise_request_exception=False)
    monkeypatch.setattr("linkadmin.repair.requests.enter", None)
    [handler] = [each for each in logging.getLogger().handlers if isinstance(each.formatter, ProcessorFormatter)]

    broken = customer.post(url, headers=OWN_FORM)
    report = {"csp-report": {"document-uri": f"http://testserver{url}", "violated-directive": "img-src"}}
    reported = customer.post("/csp-reports/", json.dumps(report), content_type="application/csp-report")

    said = "".join(map(handler.format, caplog.records))
    assert (broken.status_code, reported.status_code) == (500, 204)
    assert said.count("/repair/\\u2026/") == 2
    assert url.split("/")[2] not in said


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("en", "Reconnect your bank", "Sign in at your bank"),
        ("es", "Vuelva a conectar su banco", "Iniciar sesión en su banco"),
        ("pt-br", "Reconecte seu banco", "Entrar no seu banco"),
    ],
)
def test_pages_are_in_the_requests_language(
    env: Environment, link: Link, language: str, first: str, second: str
) -> None:
    url, customer = sent(env, link, language=language), Client(headers={"Accept-Language": "de"})

    opened = customer.get(url).content.decode()
    entered = customer.post(url, headers=OWN_FORM, follow=True).content.decode()

    assert first in opened
    assert second in entered
    assert f'<html lang="{language}">' in opened


@pytest.mark.parametrize(
    ("asked", "said"),
    [("pt-PT,pt;q=0.9", "Esta página expirou"), ("es-MX", "Esta página ha caducado"), ("de", "This page has expired")],
)
def test_page_without_a_request_is_in_the_browsers_language(asked: str, said: str) -> None:
    assert said in Client().get("/repair/unknown/", headers={"Accept-Language": asked}).content.decode()


def test_consent_portal_is_on_every_page_of_open_finance(env: Environment) -> None:
    link = env.belvo_link(bank="ofmockbank_br_retail", cause=Cause.CONSENT_EXPIRED)
    url, customer = sent(env, link), Client()
    portal = f'href="{env.simulator.url}/meuportal.belvo.com/?mode=landing"'

    pages = [customer.get(url)]
    customer.post(url, headers=OWN_FORM)
    pages.append(customer.get("/repair/"))
    Link.objects.filter(pk=link.pk).update(health="healthy", cause="working", health_since=timezone.now())
    pages.append(customer.get("/repair/"))

    assert [portal in page.content.decode() for page in pages] == [True] * 3
    assert b"needs your consent" in pages[0].content
    assert b"is working" in pages[2].content


def test_pages_of_other_links_name_no_consent(env: Environment, link: Link) -> None:
    page = Client().get(sent(env, link)).content

    assert b"consent" not in page
    assert b"meuportal" not in page
