"""Heron's links are repaired on Plaid's page: created with a pasted token or by the company, then read to its end."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
import requests as http
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from linkadmin.accounts.session_store import CONFIRMED
from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import Integration
from linkadmin.links.listing.known import INTEGRATIONS
from linkadmin.links.models import HostedSession, Link, RepairRequest, RepairStep
from linkadmin.operations.models import Operation, OperationKind
from linkadmin.providers.types import Cause, Secret
from linkadmin.repair import sessions, tasks
from linkadmin.simulator.heron.guide import STATUS_CHANGE_AFTER
from linkadmin.sync import delivery_reads
from linkadmin.webhooks import endpoints, published_keys
from tests.environment import Environment
from tests.markup import Page
from tests.providers.conftest import Script, reply
from tests.webhooks.webhook_sender import deliver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ITEM = "login-required-1"
TOKEN = f"access-sandbox-{ITEM}"
OWN_FORM = {"Origin": "http://testserver"}
SECONDS = 60


@pytest.fixture(autouse=True)
def _forget() -> None:
    published_keys.forget()
    endpoints.forget()
    INTEGRATIONS._all = None


@pytest.fixture
def plaid(env: Environment) -> Integration:
    return env.plaid()


@pytest.fixture
def link(env: Environment, plaid: Integration) -> Link:
    made = env.heron_link(item_id=ITEM, cause=Cause.LOGIN_REQUIRED)
    env.clock.forward(STATUS_CHANGE_AFTER)
    return made


def send_url(link: Link) -> str:
    return f"/links/{link.pk}/repair-request/"


def send(env: Environment, link: Link, token: str = TOKEN, **typed: str) -> Page:
    form = env.open(send_url(link)).form_with("text")
    values = {"channel": "copy", "language": "es", "life": "24", "access_token": token} | typed
    return env.post(send_url(link), form.values | values)


def customer_of(env: Environment, page: Page) -> Client:
    """A customer who has pressed Continue on the page of the request."""
    start = page.source.index("/repair/")
    customer = Client()
    customer.post(page.source[start : start + 52], headers=OWN_FORM)
    return customer


def led_to(customer: Client) -> str:
    led = customer.post("/repair/", headers=OWN_FORM)
    assert led.status_code == 303, led.content
    return led.headers["Location"]


def choose(url: str, outcome: str) -> str:
    http.get(url, timeout=SECONDS)
    left = http.post(url, data={"outcome": outcome}, allow_redirects=False, timeout=SECONDS)
    return left.headers["Location"].removeprefix("http://testserver")


def steps(link: Link) -> list[str]:
    return list(RepairStep.objects.filter(link=link).order_by("id").values_list("kind", flat=True))


def read_now(env: Environment) -> None:
    HostedSession.objects.exclude(due_at=None).update(due_at=timezone.now())
    tasks.read_sessions()
    env.settled()


def test_sending_one_is_the_next_step_with_a_companion(env: Environment, link: Link, plaid: Integration) -> None:
    page = env.open(link.get_absolute_url()).source
    assert f'href="{send_url(link)}"' in page
    assert "sign in on the provider&#x27;s page" in page

    plaid.is_active = False
    plaid.save()
    INTEGRATIONS._all = None

    assert f'href="{send_url(link)}"' not in env.open(link.get_absolute_url()).source


def test_a_pasted_token_leads_the_customer_to_the_page_and_the_link_works(env: Environment, link: Link) -> None:
    page = send(env, link)
    customer = customer_of(env, page)
    url = led_to(customer)
    assert url.startswith(f"{env.simulator.url}/link/")

    back = choose(url, "repaired")
    assert back == "/repair/back/"
    assert customer.get(back).headers["Location"] == "/repair/"
    assert steps(link) == ["sent", "opened", "at_provider", "returned"]
    assert HostedSession.objects.get(due_at__lte=timezone.now())
    read_now(env)

    assert steps(link)[-1] == "finished"
    link.refresh_from_db()
    assert link.is_verifying
    refreshed = Operation.objects.get(kind=OperationKind.REFRESH_DATA)
    assert (refreshed.link, refreshed.actor) == (link, env.people["ana"])
    env.clock.forward(STATUS_CHANGE_AFTER)
    env.prove(link)
    assert link.cause == Cause.WORKING
    assert customer.get("/repair/").status_code == 200


def test_the_page_lives_as_long_as_the_request_and_in_its_language(env: Environment, link: Link) -> None:
    send(env, link, life="72")

    (made,) = env.simulator.store.link_tokens.values()
    until = RepairRequest.objects.get().expires_at
    session = HostedSession.objects.get()
    assert abs(session.expires_at - until) < timedelta(minutes=1)
    assert (made.language, made.client_name, made.chooses_accounts) == ("es", "Linkadmin", False)


@pytest.mark.parametrize("cause", [Cause.NO_ACCOUNTS, Cause.NO_PAYMENT_ACCOUNTS, Cause.ACCESS_PARTIAL])
def test_customers_choose_accounts_where_that_is_missing(env: Environment, link: Link, cause: Cause) -> None:
    Link.objects.filter(pk=link.pk).update(cause=cause)

    send(env, link)

    (made,) = env.simulator.store.link_tokens.values()
    assert made.chooses_accounts


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "Enter the access token."),
        ("access-sandbox-unknown", "rejected this access token"),
        ("access-sandbox-item-of-another", "is for another link"),
    ],
)
def test_a_wrong_token_sends_nothing(env: Environment, link: Link, token: str, words: str) -> None:
    env.heron_link("Other Corp", item_id="item-of-another")

    answer = send(env, link, token)

    assert answer.status == 422
    assert words in answer.source
    assert not RepairRequest.objects.exists()
    assert not env.simulator.store.link_tokens


def test_an_outage_at_the_provider_sends_nothing(env: Environment, link: Link) -> None:
    env.simulator.fail("POST", "/link/token/create", "lost_before", 3)

    answer = send(env, link)

    assert (answer.status, "didn&#x27;t create a page" in answer.source) == (422, True)
    assert not RepairRequest.objects.exists()


def test_it_asks_who_pastes_a_token_to_confirm_it_is_them(env: Environment, link: Link) -> None:
    browser = env.client()
    session = browser.session
    session[CONFIRMED] = 0
    session.save()

    answer = browser.get(send_url(link))

    assert answer.status_code == 302
    assert "/confirm/" in answer.headers["Location"]


def test_a_report_is_said_before_and_found_out_to_need_a_new_connection(env: Environment, link: Link) -> None:
    Link.objects.filter(pk=link.pk).update(remote_kind="plaid_assets_report")
    env.simulator.store.heron_links[ITEM].type = "plaid_assets_report"
    assert "may not be repairable" in env.open(send_url(link)).source

    answer = send(env, link)

    assert (answer.status, "connect again as a new connection" in answer.source) == (422, True)
    assert not RepairRequest.objects.exists()


def test_a_customer_who_leaves_may_come_back_to_the_same_page(env: Environment, link: Link) -> None:
    page = send(env, link)
    customer = customer_of(env, page)
    customer.get(choose(led_to(customer), "left"))
    read_now(env)
    assert steps(link)[-1] == "left"
    assert not Operation.objects.exists()

    customer.get(choose(led_to(customer), "repaired"))
    read_now(env)
    assert steps(link)[-1] == "finished"


def test_a_webhook_ends_the_wait_of_a_customer_who_closed_the_page(
    env: Environment, link: Link, plaid: Integration
) -> None:
    address = endpoints.renew(plaid, by=None).address
    customer = customer_of(env, send(env, link))
    choose(led_to(customer), "repaired")
    HostedSession.objects.update(due_at=timezone.now() + timedelta(hours=1))
    body = json.dumps(
        {
            "webhook_type": "LINK",
            "webhook_code": "SESSION_FINISHED",
            "status": "SUCCESS",
            "link_session_id": "session-1",
            "link_token": next(iter(env.simulator.store.link_tokens)),
        }
    ).encode()
    headers = {"Plaid-Verification": env.simulator.store.plaid_key.sign(body)}
    assert deliver(address, body, headers).status_code == 202

    delivery_reads.process()
    tasks.read_sessions()
    env.settled()

    assert steps(link)[-1] == "finished"
    assert link.deliveries.get().session_digest == HostedSession.objects.get().digest


def test_without_news_the_result_is_read_until_the_page_is_over(env: Environment, link: Link) -> None:
    customer = customer_of(env, send(env, link))
    led_to(customer)
    read_now(env)
    session = HostedSession.objects.get()
    assert session.due_at is not None
    assert session.due_at > timezone.now()

    HostedSession.objects.update(expires_at=timezone.now())
    read_now(env)
    assert HostedSession.objects.get().due_at is None
    sessions.delete_over(now=timezone.now() + timedelta(hours=7))
    assert not HostedSession.objects.exists()


@pytest.mark.parametrize("end", ["revoke", "replace"])
def test_the_url_is_deleted_when_the_request_ends(env: Environment, link: Link, end: str) -> None:
    send(env, link)
    before = HostedSession.objects.get().pk

    if end == "revoke":
        env.post(f"{send_url(link)}revoke/")
    else:
        send(env, link, reason="They lost it")

    assert not HostedSession.objects.filter(pk=before).exists()


def test_no_token_or_url_is_anywhere_but_where_it_belongs(
    env: Environment, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    page = send(env, link)
    customer = customer_of(env, page)
    url = led_to(customer)
    pages = [page, env.open(send_url(link)), env.open(link.get_absolute_url()), env.open(f"/links/{link.pk}/history/")]
    customer.get(choose(url, "repaired"))
    read_now(env)
    secrets = [TOKEN, *env.simulator.store.link_tokens, url.rpartition("/")[2], "plaid-secret-sandbox"]
    seen = "".join([*(each.source for each in pages), customer.get("/repair/").content.decode(), caplog.text])
    stored = dump()

    assert [secret for secret in secrets if secret in seen] == []
    assert [secret for secret in secrets if secret in stored] == []


def dump() -> str:
    out = StringIO()
    call_command("dumpdata", stdout=out)
    return out.getvalue()


# --- The company's own endpoint ---


@pytest.fixture
def company(env: Environment, link: Link, plaid: Integration) -> Iterator[Script]:
    """A double of it: it creates a page at the simulator."""
    made = http.post(
        f"{env.simulator.url}/link/token/create",
        json={
            "client_id": "plaid-client-sandbox",
            "secret": "plaid-secret-sandbox",
            "access_token": TOKEN,
            "client_name": "Acme",
            "language": "en",
            "country_codes": ["US"],
            "user": {"client_user_id": "1"},
            "hosted_link": {"completion_redirect_uri": "http://testserver/repair/back/"},
        },
        timeout=SECONDS,
    ).json()
    double = Script([reply(200, made)])
    yield double
    double.stop()


def use(company: Script, plaid: Integration) -> None:
    plaid.options |= {"endpoint": f"{company.url}/page"}
    plaid.save()
    store_secret(plaid, "endpoint_secret", Secret("s" * 32))
    INTEGRATIONS._all = None


def test_the_company_creates_the_page_when_the_customer_continues(
    env: Environment, link: Link, plaid: Integration, company: Script
) -> None:
    use(company, plaid)
    assert "access_token" not in env.open(send_url(link)).source
    form = env.open(send_url(link)).form_with("text")
    page = env.post(send_url(link), form.values | {"channel": "copy", "language": "en", "life": "24"})
    assert company.received == []

    customer = customer_of(env, page)
    url = led_to(customer)

    (asked,) = company.received
    assert (asked.body["item_id"], asked.body["language"]) == (ITEM, "en")
    assert asked.body["url_lifetime_seconds"] <= 30 * 60
    customer.get(choose(url, "repaired"))
    read_now(env)
    assert steps(link)[-1] == "finished"


@pytest.mark.parametrize(
    ("answer", "last"),
    [
        (reply(409, {}), "new_needed"),
        (reply(500, {}), "opened"),
        (reply(200, {"hosted_link_url": "https://evil.example/", "expiration": "2030-01-01T00:00:00Z"}), "opened"),
    ],
    ids=["no update mode", "outage", "another site"],
)
def test_a_company_without_a_page_leads_nowhere(
    env: Environment, link: Link, plaid: Integration, company: Script, answer: object, last: str
) -> None:
    use(company, plaid)
    company.behaviours[:] = [answer] * 3  # type: ignore[list-item]
    form = env.open(send_url(link)).form_with("text")
    customer = customer_of(
        env, env.post(send_url(link), form.values | {"channel": "copy", "language": "en", "life": "24"})
    )

    assert customer.post("/repair/", headers=OWN_FORM).status_code == 503
    assert steps(link)[-1] == last
    has_form = b"<form" in customer.get("/repair/").content
    assert has_form is (last != "new_needed")


def test_without_a_companion_there_is_no_page(env: Environment, link: Link, settings: Settings) -> None:
    Integration.objects.filter(provider="plaid").update(is_active=False)
    INTEGRATIONS._all = None

    assert "no page where customers repair links" in env.open(send_url(link)).source
