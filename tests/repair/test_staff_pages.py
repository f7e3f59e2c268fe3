"""Staff send a repair request, see what their customer does with it, and revoke it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.links.contacts import set_contact
from linkadmin.links.models import Link, LinkRead, RepairRequest
from linkadmin.providers.types import Cause
from linkadmin.repair import tasks
from linkadmin.repair.decisions import Decision, decide
from linkadmin.repair.views import staff
from tests.environment import HTMX, Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

TOKEN = re.compile(r"http://testserver(/repair/[-\w]{43}/)")
OWN_FORM = {"Origin": "http://testserver"}


@pytest.fixture
def link(env: Environment) -> Link:
    return env.belvo_link("Acme Corp")


def url_of(link: Link) -> str:
    return f"{link.get_absolute_url()}repair-request/"


def send(env: Environment, link: Link, **chosen: str) -> Page:
    form = env.open(url_of(link)).form_with("text")
    return env.post(url_of(link), form.values | {"channel": "copy"} | chosen)


def customer_of(page: Page) -> tuple[Client, str]:
    [path] = TOKEN.findall(page.source)
    return Client(), path


def test_message_names_the_bank_and_has_a_url_that_is_shown_once(env: Environment, link: Link) -> None:
    page = send(env, link)

    assert "no longer gets data from" in page.words
    [path] = TOKEN.findall(page.source)
    assert "Acme Corp" not in RepairRequest.objects.get().message
    assert path not in env.open(link.get_absolute_url()).source
    assert path not in env.open(url_of(link)).source


def test_message_is_in_the_customers_language(env: Environment, link: Link) -> None:
    set_contact(link.end_user, email="", phone="", language="es", by=env.people["ana"])

    form = env.open(url_of(link)).form_with("text")

    assert form.values["language"] == "es"


def test_language_changes_the_message_only(env: Environment, link: Link) -> None:
    part = env.client().get(f"{url_of(link)}?language=es", headers={"HX-Request": "true"}).content.decode()

    assert 'name="text"' in part
    assert 'name="language"' not in part


def test_each_step_of_the_customer_is_shown(env: Environment, link: Link) -> None:
    page = link.get_absolute_url()
    customer, path = customer_of(send(env, link))
    seen = [env.open(page)]
    customer.get(path)
    seen.append(env.open(page))
    customer.post(path, headers=OWN_FORM)
    seen.append(env.open(page))
    customer.post("/repair/", headers=OWN_FORM)
    seen.append(env.open(page))
    customer.get("/repair/left/")
    seen.append(env.open(page))
    customer.post("/repair/", headers=OWN_FORM)
    customer.get("/repair/done/")
    seen.append(env.open(page))

    said = [each.words for each in seen]
    assert "Repair request sent" in said[0]
    assert "1 time, maybe by a mail scanner" in said[1]
    assert "Repair request opened" in said[2]
    assert "Customer at the provider's page" in said[3]
    assert "Customer left the provider's page" in said[4]
    assert "Customer finished, checking status" in said[5]
    assert "Repair request sent" in env.open("/links/").words or "Customer finished" in env.open("/links/").words


def test_open_page_learns_of_each_step(env: Environment, link: Link) -> None:
    live = f"{link.get_absolute_url()}live/"
    customer, path = customer_of(send(env, link))
    versions = [env.client().get(live).content]
    for step in (
        lambda: customer.get(path),
        lambda: customer.post(path, headers=OWN_FORM),
        lambda: customer.post("/repair/", headers=OWN_FORM),
        lambda: customer.get("/repair/left/"),
    ):
        step()
        versions.append(env.client().get(live).content)

    assert len(set(versions)) == len(versions)
    assert env.client().get(live).headers["Live-Seconds"] == "2"


def test_open_list_learns_of_each_step_too(env: Environment, link: Link) -> None:
    before = env.client().get("/links/live/")
    customer, path = customer_of(send(env, link))
    sent = env.client().get("/links/live/")
    customer.post(path, headers=OWN_FORM)
    opened = env.client().get("/links/live/")

    assert len({before.content, sent.content, opened.content}) == 3
    assert [each.headers["Live-Seconds"] for each in (before, sent, opened)] == ["0", "2", "2"]


def test_palette_offers_to_send_one(env: Environment, link: Link) -> None:
    found = env.client().post("/find/", {"anything": link.remote_id}, headers=HTMX)

    assert url_of(link) in read(found).links()


def test_coming_back_has_the_link_read_and_believes_nothing(env: Environment, link: Link) -> None:
    customer, path = customer_of(send(env, link))
    customer.post(path, headers=OWN_FORM)
    customer.post("/repair/", headers=OWN_FORM)

    back = customer.get("/repair/done/", follow=True)

    link.refresh_from_db()
    assert LinkRead.objects.get().due_at is not None
    assert "Checking the connection" in back.content.decode()
    assert int(back.headers["Refresh"]) > 0
    assert link.cause == Cause.LOGIN_REFUSED.value
    assert not link.is_verifying


def test_page_that_was_never_left_records_no_return(env: Environment, link: Link) -> None:
    customer, path = customer_of(send(env, link))
    customer.post(path, headers=OWN_FORM)

    customer.get("/repair/done/")

    assert RepairRequest.objects.get().step == "opened"


def test_revoked_request_no_longer_opens(env: Environment, link: Link) -> None:
    customer, path = customer_of(send(env, link))
    customer.post(path, headers=OWN_FORM)

    env.post(f"{url_of(link)}revoke/")

    assert customer.get(path).status_code == 410
    assert customer.get("/repair/").status_code == 410
    assert "Repair request ended" in env.open(link.get_absolute_url()).words
    assert AuditEvent.objects.filter(action="link.repair_request_revoked").exists()


def test_second_message_within_two_days_needs_a_reason(env: Environment, link: Link) -> None:
    send(env, link)

    refused = send(env, link)
    again = send(env, link, reason="The customer deleted it")

    assert refused.status == 422
    assert "Enter a reason." in refused.words
    assert TOKEN.findall(again.source)
    assert list(RepairRequest.objects.order_by("at").values_list("end", flat=True)) == ["replaced", ""]


def test_colleague_who_was_faster_is_noticed(env: Environment, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    form = env.open(url_of(link)).form_with("text")
    send(env, link)
    before = [Decision()]  # what was true when the request came in
    monkeypatch.setattr(staff, "decide", lambda link, now: before.pop() if before else decide(link, now=now))

    late = env.post(url_of(link), form.values | {"channel": "copy"}, "ben")

    assert (late.status, "Enter a reason." in late.words) == (422, True)
    assert RepairRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        (Cause.BANK_DOWN, "The customer can't do anything about this status."),
        (Cause.WORKING, "The customer can't do anything about this status."),
    ],
)
def test_button_says_why_not(env: Environment, cause: Cause, why: str) -> None:
    link = env.belvo_link(cause=cause)

    page = env.open(link.get_absolute_url())
    refused = env.post(url_of(link), {})

    assert why in page.words
    assert (refused.status, why in refused.words) == (409, True)
    assert not RepairRequest.objects.exists()


def test_provider_without_a_page_says_so(env: Environment) -> None:
    page = env.open(env.heron_link(cause=Cause.LOGIN_REQUIRED).get_absolute_url())

    assert "has no page where customers repair links" in page.words


def test_working_link_ends_its_request(env: Environment, link: Link) -> None:
    send(env, link)
    Link.objects.filter(pk=link.pk).update(health="healthy", cause="working")

    tasks.end_over()

    assert RepairRequest.objects.get().end == "completed"


def test_life_ends_the_request(env: Environment, link: Link) -> None:
    send(env, link)
    RepairRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    before = env.open(link.get_absolute_url()).words
    tasks.end_over()

    assert "Repair request sent" not in before.split("Timeline")[0]
    assert RepairRequest.objects.get().end == "expired"
