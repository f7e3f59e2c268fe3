"""Every URL: who may open it, who is denied, and that denials are recorded."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from linkadmin.accounts.roles import URL_RIGHTS, Access
from linkadmin.audit.models import AuditEvent
from linkadmin.bulk.models import BulkJob
from linkadmin.links.models import Link
from linkadmin.operations.changes import PAGES
from linkadmin.operations.models import Operation, PendingChallenge, State
from linkadmin.providers.types import Secret
from linkadmin.sync.models import FullCheck
from linkadmin.webhooks import endpoints
from linkadmin.webhooks.models import WebhookDelivery

from .environment import HTMX, Environment
from .markup import read
from .troubles import read_only
from .url_table import NAMES, PUBLIC, RECORDED, ROWS, declared

pytestmark = [pytest.mark.deep, pytest.mark.django_db, pytest.mark.database]

OF_ALLAUTH_AND_ADMIN = re.compile(r"^(account_|admin:)")


@pytest.fixture
def places(env: Environment) -> dict[str, str]:
    """What URLs contain: a failing link, its customer, one of its operations."""
    link = env.belvo_link("Wilhelmina Quackenbush")
    operation = an_operation(env, link)
    return {
        "link": str(link.pk),
        "customer": str(link.end_user_id),
        "operation": str(operation.pk),
        "webhook": str(an_operation_of_an_integration(env).pk),
        "job": str(BulkJob.objects.create(kind="note", state="done", actor=env.people["ana"]).pk),
        "full_check": str(FullCheck.objects.create(integration=env.heron, state="done").pk),
        "belvo": str(env.belvo.pk),
        "heron": str(env.heron.pk),
        "bank": str(env.bank().pk),
        "delivery": str(WebhookDelivery.objects.create(integration=env.belvo, key="1").pk),
        "secret": str(endpoints.add_secret(env.belvo, Secret("Bearer never-sent-anywhere"), by=None, after=0).pk),
        "what": "customers",
        "limit": "credentials",
        "source": "dso_1",
        "ben": str(env.people["ben"].pk),
        "factor": "1",
        "challenge": str(uuid.uuid4()),
        "key": "unknown",
    }


def an_operation(env: Environment, link: Link) -> Operation:
    return Operation.objects.create(
        kind="update_credentials",
        state="rejected",
        integration=link.integration,
        institution=link.institution,
        link=link,
        end_user=link.end_user,
        actor=env.people["ana"],
        operation_key=uuid.uuid4(),
    )


def an_operation_of_an_integration(env: Environment) -> Operation:
    return Operation.objects.create(
        kind="add_webhook",
        state="succeeded",
        integration=env.heron,
        actor=env.people["adm"],
        operation_key=uuid.uuid4(),
    )


def opened(client: Client, method: str, address: str) -> HttpResponse:
    """The whole response, also if it's streamed."""
    answer: Any = client.generic(method, address)
    return HttpResponse(b"".join(answer), status=answer.status_code) if answer.streaming else answer


@pytest.mark.django_db(transaction=True)  # some pages read from a provider besides the request
@pytest.mark.parametrize("name", NAMES)
def test_urls_respond_to_each_role_as_listed(env: Environment, places: dict[str, str], name: str) -> None:
    client = env.client(name)

    got = {
        (method, address): opened(client, method, address.format(**places)).status_code
        for method, address, _answers in ROWS
    }

    assert got == {(method, address): answers[name] for method, address, answers in ROWS}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["ana", "adm"])
def test_no_url_fails_while_nothing_can_be_saved(env: Environment, places: dict[str, str], name: str) -> None:
    client = env.client(name)
    client.raise_request_exception = False

    with read_only():
        got = {
            (method, address): opened(client, method, address.format(**places)).status_code
            for method, address, _answers in ROWS
        }

    usual = {(method, address): answers[name] for method, address, answers in ROWS}
    assert {row: status for row, status in got.items() if status not in (usual[row], 503)} == {}
    assert set(got.values()) >= {200, 503}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", NAMES)
def test_only_recorded_views_are_unavailable_while_nothing_can_be_saved(
    env: Environment, places: dict[str, str], name: str
) -> None:
    client = env.client(name)
    client.raise_request_exception = False
    pages = [address for method, address, answers in ROWS if method == "GET" and answers[name] == 200]

    with read_only():
        got = {address: opened(client, "GET", address.format(**places)).status_code for address in pages}

    assert {address for address, status in got.items() if status == 503} == RECORDED & set(pages)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["ana", "adm"])
def test_head_responds_like_get(env: Environment, places: dict[str, str], name: str) -> None:
    client = env.client(name)
    pages = {address: answers[name] for method, address, answers in ROWS if method == "GET"}

    got = {address: client.head(address.format(**places)) for address in pages}

    assert {address: answer.status_code for address, answer in got.items()} == pages
    assert not any(answer.content for answer in got.values())


def test_table_has_every_url() -> None:
    tried = {re.sub(r"\{\w+\}|\?.*", "", address) for _method, address, _answers in ROWS}
    ours = [(name, pattern) for name, pattern in declared() if not OF_ALLAUTH_AND_ADMIN.match(name)]

    for name, pattern in ours:
        assert re.sub(r"<[^>]*>", "", f"/{pattern}") in tried, name


def test_every_url_has_a_right() -> None:
    of_changes = {f"link-{slug}" for slug in PAGES}
    for name, _pattern in declared():
        assert name.startswith("admin:") or (name in URL_RIGHTS) is not (name in of_changes), name


def test_every_page_needs_a_sign_in(places: dict[str, str]) -> None:
    stranger = Client()

    for method, address, _answers in ROWS:
        answer = stranger.generic(method, address.format(**places))
        if address in PUBLIC:
            assert answer.status_code == PUBLIC[address]
        else:
            assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/"), address


@pytest.mark.parametrize("address", ["/links/", "/operations/{operation}/", "/links/{link}/credentials/"])
def test_part_request_redirects_the_whole_page_to_sign_in(places: dict[str, str], address: str) -> None:
    answer = Client().get(address.format(**places), headers=HTMX)

    assert answer.status_code == 401
    assert answer["HX-Redirect"].startswith("/accounts/login/?next=")
    assert not answer.content


def test_auditor_reads_no_name_anywhere(env: Environment, places: dict[str, str]) -> None:
    for method, address, _answers in ROWS:
        answer = opened(env.client("aud"), method, address.format(**places))
        assert b"Wilhelmina" not in answer.content, address
        assert b"Quackenbush" not in answer.content, address


def test_auditor_reads_no_name_on_the_code_step_and_in_a_search(env: Environment, places: dict[str, str]) -> None:
    link = Link.objects.get(pk=places["link"])
    ask_for_a_code(env, link)

    step = env.open(f"/links/{link.pk}/code/", "aud")
    found = read(env.client("aud").post("/links/", {"q": link.end_user.external_id[:-1]}))

    assert "The bank is asking for a one-time code" in step.words
    assert "W••• Q•••" in found.words
    assert "Wilhelmina" not in step.source + found.source


def ask_for_a_code(env: Environment, link: Link) -> None:
    """Have an operation of the link wait for a code."""
    operation = an_operation(env, link)
    Operation.objects.filter(pk=operation.pk).update(state=State.NEEDS_CODE)
    PendingChallenge.objects.create(
        operation=operation,
        encrypted_session=b"",
        remote_link_id=link.remote_id,
        kind="code",
        received_at=timezone.now(),
        expires_at=timezone.now() + timedelta(minutes=5),
    )


@pytest.mark.parametrize("name", ["mia", "aud", "adm"])
def test_denied_url_is_recorded(env: Environment, places: dict[str, str], name: str) -> None:
    env.client(name).post(f"/links/{places['link']}/credentials/", {"password": "typed by mistake"})

    event = AuditEvent.objects.get(action="access.denied")
    assert (event.actor, event.object_id, event.outcome) == (name, places["link"], "denied")
    assert event.details == {"view": "link-credentials", "method": "POST"}


@pytest.mark.parametrize(
    "address", ["/links/x/", "/operations/1/", "/links/6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a/", "/no/"]
)
def test_missing_objects_are_not_found(env: Environment, address: str) -> None:
    assert env.client().get(address).status_code == 404


def test_every_rule_has_a_url() -> None:
    names = {name for name, _pattern in declared()}

    assert {name for name, rule in URL_RIGHTS.items() if rule is not Access.PUBLIC} <= names
