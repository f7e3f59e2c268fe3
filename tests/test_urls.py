"""Every URL: who may open it, who is denied, and that denials are recorded."""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
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

pytestmark = [pytest.mark.deep, pytest.mark.django_db, pytest.mark.database]

# Method and URL, and each role's response. Opening a page answers 200 or redirects. A form submitted empty is
# rejected at its fields, or by our own rules.
TABLE = """
                                         ana  mia  aud  adm
GET  /                                   200  200  200  200
GET  /live/                              200  200  200  200
GET  /links/                             200  200  200  403
POST /links/                             200  200  200  403
GET  /links/live/                        200  200  200  403
GET  /links/institutions/?bank=x         200  200  200  403
GET  /links/new/                         200  403  403  403
GET  /links/new/?integration={heron}     200  403  403  403
POST /links/new/?integration={heron}     422  403  403  403
GET  /links/new/?integration={belvo}     200  403  403  403
GET  /links/new/institutions/?integration={belvo}  200  403  403  403
GET  /links/{link}/                      200  200  200  403
POST /links/{link}/                      405  405  405  403
GET  /links/{link}/credentials/          200  403  403  403
POST /links/{link}/credentials/          422  403  403  403
GET  /links/{link}/code/                303  303  303  403
POST /links/{link}/code/                303  403  403  403
POST /links/{link}/code/withdraw/       303  403  403  403
GET  /links/{link}/code/withdraw/       405  403  403  403
GET  /links/{link}/code/cancel/         403  303  403  403
POST /links/{link}/code/cancel/         403  303  403  403
GET  /accounts/sessions/                 200  200  200  200
POST /accounts/sessions/end/             302  302  302  302
GET  /links/{link}/live/                 200  200  200  403
GET  /links/{link}/history/              200  200  200  403
POST /links/{link}/history/              405  405  405  403
GET  /links/{link}/notes/                200  200  403  403
POST /links/{link}/notes/                422  422  403  403
GET  /links/{link}/assignee/                405  405  403  403
POST /links/{link}/assignee/                303  303  403  403
GET  /links/{link}/refresh/              405  405  403  403
GET  /links/{link}/attempt/              403  303  403  403
POST /links/{link}/attempt/              403  303  403  403
GET  /links/{link}/settings/             200  403  403  403
POST /links/{link}/settings/             422  403  403  403
GET  /links/{link}/fetch/                200  200  403  403
POST /links/{link}/fetch/                422  422  403  403
GET  /links/{link}/delete/               200  200  403  403
POST /links/{link}/delete/               422  422  403  403
GET  /links/{link}/access-token/         200  403  403  403
POST /links/{link}/access-token/         422  403  403  403
GET  /links/{link}/repair-url/           200  403  403  403
POST /links/{link}/repair-url/           422  403  403  403
GET  /links/{link}/reports/              200  403  403  403
POST /links/{link}/reports/              422  403  403  403
GET  /links/{link}/customer-name/        200  403  403  403
POST /links/{link}/customer-name/        422  403  403  403
GET  /operations/{operation}/            200  200  200  403
GET  /integrations/operations/{webhook}/live/  403  286  286  286
GET  /operations/{operation}/live/       286  286  286  403
GET  /integrations/operations/{webhook}/  403  200  200  200
GET  /operations/{webhook}/              404  404  404  403
GET  /integrations/operations/{operation}/  403  404  404  404
GET  /operations/{operation}/attempt/    403  404  403  403
GET  /operations/{operation}/check/      405  405  403  403
GET  /operations/{operation}/decide/     403  405  403  403
POST /operations/{operation}/decide/     403  422  403  403
GET  /bulk/                              200  200  200  403
GET  /bulk/refresh/                      405  405  403  403
POST /bulk/refresh/                      303  303  403  403
GET  /bulk/assignee/                        405  405  403  403
POST /bulk/assignee/                        200  200  403  403
GET  /bulk/note/                         405  405  403  403
POST /bulk/note/                         200  200  403  403
GET  /bulk/{job}/live/                   200  200  200  403
GET  /bulk/{job}/                        200  200  200  403
POST /bulk/{job}/                        400  400  400  403
GET  /customers/                         200  200  200  403
POST /customers/                         200  200  200  403
GET  /customers/{customer}/              200  200  200  403
GET  /integrations/                      403  200  200  200
GET  /integrations/{belvo}/              403  200  200  200
GET  /integrations/{belvo}/test/         403  405  403  405
POST /integrations/{belvo}/test/         403  303  403  303
GET  /links/{link}/records/              200  200  403  403
GET  /customers/{customer}/account-manager/  405  405  403  403
POST /customers/{customer}/account-manager/  303  303  403  403
GET  /customers/{customer}/records/{heron}/  200  200  403  403
GET  /customers/{customer}/records/{heron}/tell/  405  403  403  403
POST /customers/{customer}/records/{heron}/tell/  400  403  403  403
POST /customers/{customer}/records/{heron}/sources/{source}/  400  403  403  403
GET  /integrations/{heron}/records/{what}/  200  200  403  403
POST /integrations/{heron}/records/{what}/  200  200  403  403
GET  /integrations/{belvo}/records/customers/  404  404  403  403
GET  /integrations/{heron}/records/connectors/  403  200  403  200
GET  /integrations/{heron}/records/webhooks/  403  200  403  200
GET  /integrations/{belvo}/records/webhooks/  403  404  403  404
GET  /integrations/{heron}/webhooks/add/  403  403  403  200
POST /integrations/{heron}/webhooks/{source}/switch/  403  403  403  400
GET  /integrations/{heron}/webhooks/{source}/end/  403  403  403  200
GET  /integrations/{heron}/reports/      403  403  403  200
POST /integrations/{heron}/reports/      403  403  403  422
GET  /integrations/{belvo}/reports/      403  403  403  404
GET  /integrations/{belvo}/full-checks/       403  200  200  200
POST /integrations/{belvo}/full-checks/       403  403  403  303
GET  /full-checks/{full_check}/live/               403  200  200  200
GET  /full-checks/{full_check}/                    403  200  200  200
POST /full-checks/{full_check}/                    403  403  403  303
GET  /institutions/                      200  200  200  200
GET  /institutions/{bank}/               200  200  200  200
GET  /institutions/{bank}/read/          405  405  403  403
GET  /integrations/{belvo}/institutions/  200  200  403  403
GET  /integrations/{heron}/institutions/  404  404  403  403
GET  /integrations/{belvo}/institutions/read/  403  405  403  405
GET  /unrecognized-values/               200  200  200  200
GET  /deliveries/               200  200  200  200
POST /deliveries/               200  200  200  200
GET  /deliveries/{delivery}/    200  200  200  200
GET  /deliveries/{delivery}/reprocess/  405  405  403  403
GET  /deliveries/reprocess/        405  405  403  403
GET  /integrations/{belvo}/endpoint/        403  200  200  200
GET  /integrations/{belvo}/endpoint/url/  403  403  403  200
GET  /integrations/{belvo}/endpoint/secrets/  403  403  403  405
POST /integrations/{belvo}/endpoint/secrets/  403  403  403  422
GET  /integrations/{belvo}/endpoint/secrets/new/  403  403  403  405
POST /integrations/{heron}/endpoint/secrets/new/  403  403  403  404
GET  /integrations/{belvo}/endpoint/secrets/{secret}/revoke/  403  403  403  200
GET  /admin/                             403  403  200  200
GET  /admin/audit/auditevent/            403  403  200  403
GET  /admin/links/link/                  403  403  200  403
GET  /admin/links/enduser/               403  403  200  403
GET  /admin/links/institution/           403  403  200  200
GET  /admin/links/healthchange/          403  403  200  403
GET  /admin/bulk/bulkjob/                403  403  200  403
GET  /admin/bulk/bulkitem/               403  403  200  403
GET  /admin/operations/operation/        403  403  200  403
GET  /admin/webhooks/webhookdelivery/       403  403  200  200
GET  /admin/webhooks/webhooksecret/         403  403  200  200
GET  /admin/integrations/integration/           403  403  200  200
GET  /admin/integrations/integration/add/       403  403  403  200
GET  /admin/integrations/integration/{belvo}/change/  403  403  200  200
GET  /admin/accounts/user/               403  403  200  200
GET  /admin/accounts/user/add/           403  403  403  200
GET  /healthz/                           200  200  200  200
POST /csp-reports/                       400  400  400  400
GET  /livez/                             200  200  200  200
GET  /readyz/                            200  200  200  200
GET  /status/                            403  403  403  200
GET  /statusz/                           503  503  503  503
"""
NAMES, *LINES = [line.split() for line in TABLE.strip().splitlines()]
ROWS = [(line[0], line[1], dict(zip(NAMES, map(int, line[2:]), strict=True))) for line in LINES]
PUBLIC = {
    "/healthz/": 200,
    "/livez/": 200,
    "/readyz/": 200,
    "/statusz/": 503,  # no worker runs here
    "/csp-reports/": 400,
}
# Pages about one customer or link, provider records, and the audit log: opening one is recorded. Lists and the
# overview record no view.
RECORDED = {
    "/links/{link}/",
    "/links/{link}/credentials/",
    "/links/{link}/history/",
    "/links/{link}/notes/",
    "/links/{link}/settings/",
    "/links/{link}/fetch/",
    "/links/{link}/delete/",
    "/links/{link}/access-token/",
    "/links/{link}/repair-url/",
    "/links/{link}/reports/",
    "/links/{link}/customer-name/",
    "/links/{link}/records/",
    "/operations/{operation}/",
    "/customers/{customer}/",
    "/customers/{customer}/records/{heron}/",
    "/integrations/{heron}/records/{what}/",
    "/integrations/{heron}/records/connectors/",
    "/integrations/{heron}/records/webhooks/",
    "/integrations/{heron}/webhooks/add/",
    "/integrations/{heron}/webhooks/{source}/end/",
    "/admin/audit/auditevent/",
}
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
        "source": "dso_1",
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


@pytest.mark.django_db(transaction=True)  # some pages read from a provider besides the request
@pytest.mark.parametrize("name", NAMES)
def test_urls_respond_to_each_role_as_listed(env: Environment, places: dict[str, str], name: str) -> None:
    client = env.client(name)

    got = {
        (method, address): client.generic(method, address.format(**places)).status_code
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
            (method, address): client.generic(method, address.format(**places)).status_code
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
    opened = [address for method, address, answers in ROWS if method == "GET" and answers[name] == 200]

    with read_only():
        got = {address: client.get(address.format(**places)).status_code for address in opened}

    assert {address for address, status in got.items() if status == 503} == RECORDED & set(opened)


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
        answer = env.client("aud").generic(method, address.format(**places))
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


def declared() -> Iterator[tuple[str, str]]:
    """Yield every view name and pattern."""
    for name, path, _view in _walk(get_resolver().url_patterns, "", ""):
        yield name, path


def views() -> Iterator[tuple[str, Callable[..., HttpResponse]]]:
    for name, _path, view in _walk(get_resolver().url_patterns, "", ""):
        yield name, view


def _walk(patterns: list[URLPattern | URLResolver], prefix: str, space: str) -> Iterator[tuple[str, str, Any]]:
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield f"{space}{each.name}", path, each.callback
        else:
            yield from _walk(each.url_patterns, path, f"{each.namespace}:" if each.namespace else space)
