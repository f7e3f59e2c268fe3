"""When the database can't be used, pages say so: nothing is sent, and no customer page opens without being recorded."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link
from linkadmin.operations import outcomes, reconcile
from linkadmin.operations.models import Operation, State
from linkadmin.operations.views import sending
from tests.environment import HTMX, PASSWORD, Environment
from tests.markup import Page, read
from tests.troubles import UNWRITABLE, away, locked, no_more_connections, parameters
from tests.webhooks.webhook_sender import belvo_webhook, deliver, open_endpoint

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]

BANK_PASSWORD = "NotToBeSeen1"
unwritable = pytest.mark.parametrize("trouble", UNWRITABLE.values(), ids=UNWRITABLE)
Trouble = Callable[[], AbstractContextManager[None]]


@dataclass
class Refused:
    """What a person gets instead of the page."""

    page: Page

    def __post_init__(self) -> None:
        assert self.page.status == 503
        assert int(self.page.headers["retry-after"]) > 0
        assert self.page.headers["x-request-id"] in self.page.source

    def says(self, words: str) -> bool:
        return words in self.page.words


def answer(client: Client, method: str, url: str, values: Any = None, **headers: str) -> Page:
    client.raise_request_exception = False
    return read(getattr(client, method.lower())(url, values or {}, headers=headers))


@unwritable
def test_credentials_are_not_sent_and_the_form_stays(env: Environment, trouble: Trouble) -> None:
    link = env.belvo_link()
    url = f"/links/{link.pk}/credentials/"
    form = env.open(url).form_with("password")

    with trouble():
        page = answer(env.client(), "POST", url, form.values | {"password": BANK_PASSWORD})

    assert page.form_with("password")
    assert Refused(page).says("can't save anything right now, so nothing was sent")
    assert BANK_PASSWORD not in page.source
    assert env.calls("PUT") == []
    assert not Operation.objects.exists()


def test_new_link_keeps_what_was_typed_and_is_not_secret(env: Environment) -> None:
    form = env.open(env.new_link_url()).form_with("access_token")
    typed = {"end_user_id": "cus-77", "end_user_name": "New Ltd", "access_token": "access-1", "item_id": "item-1"}

    with locked():
        page = answer(env.client(), "POST", env.new_link_url(), form.values | typed)

    assert Refused(page).says("nothing was sent")
    assert page.form_with("access_token").values["end_user_id"] == "cus-77"
    assert "access-1" not in page.source
    assert env.calls("POST") == []


def test_code_is_not_sent_and_can_be_entered_later(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")
    url = f"/links/{link.pk}/code/"
    form = env.open(url).form_with("code")

    with locked():
        page = answer(env.client(), "POST", url, form.values | {"code": "123456"})
    refused_calls = env.calls("PATCH")
    env.post(url, form.values | {"code": "123456"})
    env.settled()

    assert Refused(page).says("nothing was sent")
    assert "123456" not in page.source
    assert refused_calls == []
    assert len(env.calls("PATCH")) == 1


def test_removal_is_not_sent(env: Environment) -> None:
    link = env.heron_link()
    url = f"/links/{link.pk}/delete/"
    form = env.open(url, "mia").form_with()

    with locked():
        page = answer(
            env.client("mia"), "POST", url, form.values | {"confirmation": link.remote_id, "reason": "Asked for"}
        )

    assert Refused(page).says("nothing was sent")
    assert env.calls("PATCH") + env.calls("PUT") + env.calls("DELETE") == []


def _changes(env: Environment, link: Link) -> dict[str, tuple[str, str, dict[str, str]]]:
    """One form of each kind: who submits it, its URL, and the input."""
    of_integration = f"/integrations/{env.belvo.pk}/"
    return {
        "note": ("ana", f"/links/{link.pk}/notes/", {"text": "Called them"}),
        "assignee": ("ana", f"/links/{link.pk}/assignee/", {"assignee": str(env.people["ben"].pk), "was": ""}),
        "check status": ("ana", f"/links/{link.pk}/refresh/", {}),
        "bulk": ("ana", "/bulk/refresh/", {"link": str(link.pk)}),
        "denied": ("aud", f"/links/{link.pk}/notes/", {"text": "Called them"}),
        "connection test": ("adm", f"{of_integration}test/", {}),
        "full check": ("adm", f"{of_integration}full-checks/", {}),
        "webhook secret": ("adm", f"{of_integration}endpoint/secrets/new/", {"after": "0"}),
        "endpoint": ("adm", f"{of_integration}endpoint/url/", {}),
        "integration": (
            "adm",
            f"/integrations/{env.belvo.pk}/edit/",
            env.open(f"/integrations/{env.belvo.pk}/edit/", "adm").form_with("name").values,
        ),
        "staff": ("adm", "/staff/new/", {"username": "new", "name": "New", "roles": "support"}),
        "password": ("ana", "/accounts/password/", {"oldpassword": PASSWORD, "password1": "long and new " * 3}),
    }


def test_every_change_explains_why_it_was_not_made(env: Environment) -> None:
    changes = _changes(env, env.belvo_link())
    clients = {who: env.client(who) for who, _url, _values in changes.values()}
    before = AuditEvent.objects.count()

    with locked():
        pages = {kind: answer(clients[who], "POST", *sent) for kind, (who, *sent) in changes.items()}

    assert {kind: page.status for kind, page in pages.items()} == dict.fromkeys(changes, 503)
    for page in pages.values():
        assert Refused(page).says("so nothing was sent. What you typed wasn't saved.")
        assert Refused(page).says("If this keeps happening, give an administrator this request ID")
    assert AuditEvent.objects.count() == before


@unwritable
def test_customer_page_is_not_shown_without_a_record(env: Environment, trouble: Trouble) -> None:
    link = env.belvo_link("Acme Corp")
    pages = [link.get_absolute_url(), link.end_user.get_absolute_url(), f"/links/{link.pk}/history/"]
    client, auditor = env.client(), env.client("aud")

    with trouble():
        answers = [answer(client, "GET", url) for url in [*pages, f"/links/{link.pk}/credentials/"]]
        answers.append(answer(auditor, "GET", "/admin/audit/auditevent/"))

    for page in answers:
        assert "Acme" not in page.source
        assert Refused(page).says("We have to record that this page was opened")


@unwritable
def test_pages_without_personal_data_open(env: Environment, trouble: Trouble) -> None:
    client = env.client("adm")
    client.get("/")
    session = client.session
    session["seen_at"] -= 120  # so that the session has to be saved
    session.save()
    pages = ["/", "/institutions/", "/integrations/", f"/integrations/{env.belvo.pk}/", "/accounts/password/"]

    with trouble():
        statuses = {url: answer(client, "GET", url).status for url in pages}
        probes = [answer(Client(), "GET", url).status for url in ("/healthz/", "/accounts/login/")]

    assert set(statuses.values()) == {200}, statuses
    assert probes == [200, 200]


@unwritable
def test_nobody_can_sign_in_and_everybody_can_sign_out(env: Environment, trouble: Trouble) -> None:
    leaving = {address: Client() for address in ("account_logout", "admin:logout")}
    for client in leaving.values():
        client.force_login(env.people["aud"])
    keys = {address: client.cookies[settings.SESSION_COOKIE_NAME].value for address, client in leaving.items()}

    with trouble():
        refused = answer(Client(), "POST", reverse("account_login"), {"login": "ana", "password": PASSWORD})
        left = {address: answer(client, "POST", reverse(address)) for address, client in leaving.items()}

    assert Refused(refused).says("so you're not signed in")
    for address, page in left.items():
        assert page.status == 200
        assert "You're signed out" in page.words
        is_ended = "signed out in this browser" not in page.words
        assert Client().session.exists(keys[address]) != is_ended  # and the page is right about it
        assert leaving[address].cookies[settings.SESSION_COOKIE_NAME].value == ""
        assert "storage" in page.headers["clear-site-data"]


def test_part_request_keeps_the_form_with_the_message_above(env: Environment) -> None:
    link = env.belvo_link()
    client = env.client()

    with locked():
        page = answer(
            client, "POST", f"/links/{link.pk}/notes/", {"text": "Called"}, **HTMX, **{"HX-Target": "note-form"}
        )
        button = answer(client, "POST", f"/links/{link.pk}/refresh/", **HTMX)

    assert Refused(page).says("We couldn't save this")
    assert "<html" not in page.source
    assert page.headers["hx-reswap"].startswith("afterbegin")
    assert Refused(button).page.headers["hx-retarget"] == "#toasts"


def test_unreachable_database_is_explained_on_every_page(env: Environment) -> None:
    client, link = env.client(), env.belvo_link()
    key = client.cookies[settings.SESSION_COOKIE_NAME].value

    with away():
        page = answer(client, "GET", link.get_absolute_url())
        form = answer(client, "POST", f"/links/{link.pk}/notes/", {"text": "Called"})
        signed_out = answer(client, "POST", reverse("account_logout"))

    assert Refused(page).says("We can't use our database right now. Nothing was changed.")
    assert Refused(form).says("so nothing was sent")
    assert signed_out.status == 200
    assert "signed out in this browser" in signed_out.words
    assert client.session.exists(key)


def test_provider_resends_a_webhook_that_could_not_be_stored(env: Environment) -> None:
    address = open_endpoint(env.belvo)

    with locked():
        refused = deliver(address, belvo_webhook())
    taken = deliver(address, belvo_webhook())

    assert (refused.status_code, taken.status_code) == (503, 202)
    assert refused["Retry-After"]


def test_error_after_the_call_left_does_not_say_that_nothing_was_sent(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = env.belvo_link()
    url = f"/links/{link.pk}/credentials/"
    form = env.open(url).form_with("password")

    def gone_meanwhile(operation: Operation) -> Operation:
        env.settled()
        with away():
            return Operation.objects.get(pk=operation.pk)

    monkeypatch.setattr(sending, "outcome_of", gone_meanwhile)
    page = answer(env.client(), "POST", url, form.values | {"password": "pass_valid"})

    assert Refused(page).says("Your request may have reached the provider")
    assert not Refused(page).says("nothing was sent")
    assert len(env.calls("PUT")) == 1


@pytest.mark.parametrize("outage", ["locked", "read-only"])
def test_response_that_cannot_be_saved_is_an_unknown_outcome(
    env: Environment, settings: Settings, monkeypatch: pytest.MonkeyPatch, outage: str
) -> None:
    settings.PROVIDER_CREDENTIALS_SECONDS = settings.LEASE_MARGIN_SECONDS = 0.2
    monkeypatch.setattr(outcomes, "RECORD_AGAIN_SECONDS", 0.01)
    link, answer_of = env.belvo_link(), outcomes._response_of
    trouble = UNWRITABLE[outage]()

    def answer_and_trouble(*args: Any) -> object:
        found = answer_of(*args)
        trouble.__enter__()
        return found

    monkeypatch.setattr(outcomes, "_response_of", answer_and_trouble)
    env.send(f"/links/{link.pk}/credentials/", password="pass_valid")
    env.settled()
    trouble.__exit__(None, None, None)

    operation = env.last_operation(link)
    assert operation.state == State.SENDING
    assert "Outcome unknown" in env.open(operation.get_absolute_url()).words
    assert "Outcome unknown" in env.open(link.get_absolute_url()).words
    reconcile.close_overdue(now=timezone.now())
    assert env.last_operation(link).state == State.UNKNOWN
    assert len(env.calls("PUT")) == 1


@pytest.mark.servers
def test_closed_connection_is_explained(env: Environment) -> None:
    client, link = env.client(), env.belvo_link()
    with psycopg.connect(**parameters(), autocommit=True) as another:
        another.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename = current_user AND pid != pg_backend_pid()"
        )

    refused = answer(client, "GET", link.get_absolute_url())
    connection.close()
    shown = answer(client, "GET", link.get_absolute_url())

    assert Refused(refused).says("We can't use our database right now")
    assert shown.status == 200


@pytest.mark.servers
def test_page_that_finds_no_free_connection_says_so(env: Environment) -> None:
    client, link = env.client(), env.belvo_link()

    with no_more_connections(), ThreadPoolExecutor(1) as beside:
        refused = beside.submit(answer, client, "GET", link.get_absolute_url()).result()

    assert Refused(refused).says("We can't use our database right now")
