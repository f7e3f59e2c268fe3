"""An integration's endpoint: URL and secrets, changed by administrators without a gap, and never shown again."""

import re

import pytest

from linkadmin.audit.models import AuditEvent
from linkadmin.encryption.box import DecryptionError, decrypt
from linkadmin.integrations.models import Integration
from linkadmin.webhooks import endpoints
from linkadmin.webhooks.models import WebhookEndpoint, WebhookSecret
from tests.environment import Environment
from tests.markup import Page

from .webhook_sender import AUTHORIZATION, SECRET, belvo_webhook, deliver, heron_webhook, open_endpoint, signed

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OTHER = "Basic YW5vdGhlcjpoZWFkZXItZm9yLWJlbHZv"


def endpoint_of(integration: Integration) -> str:
    return f"/integrations/{integration.pk}/endpoint/"


def add(env: Environment, integration: Integration, text: str) -> Page:
    form = env.open(endpoint_of(integration), "adm").form_with("secret")
    answer = env.post(form.action, form.values | {"secret": text}, "adm")
    endpoints.forget()
    return answer


def revoke(env: Environment, integration: Integration, row: WebhookSecret, typed: str = "") -> Page:
    url = f"{endpoint_of(integration)}secrets/{row.pk}/revoke/"
    answer = env.post(url, {"typed": typed or row.fingerprint}, "adm")
    endpoints.forget()
    return answer


def test_new_integration_gets_a_url_and_a_secret(env: Environment) -> None:
    assert "No endpoint URL yet, so no webhooks can arrive." in env.open(endpoint_of(env.belvo), "adm").words

    env.post(f"{endpoint_of(env.belvo)}url/", name="adm")
    assert "Rejecting all Webhooks" in env.open(endpoint_of(env.belvo), "adm").words
    add(env, env.belvo, AUTHORIZATION)
    assert "Ready Webhooks" in env.open(endpoint_of(env.belvo), "adm").words

    page = env.open(endpoint_of(env.belvo), "adm")
    assert f"http://testserver{env.belvo.webhook_endpoint.address}" in page.words
    assert deliver(env.belvo.webhook_endpoint.address, belvo_webhook()).status_code == 202
    assert "Receiving Webhooks" in env.open(endpoint_of(env.belvo), "adm").words


def test_integration_s_page_links_to_its_endpoint(env: Environment) -> None:
    assert endpoint_of(env.heron) in env.open(env.heron.get_absolute_url(), "mia").source


@pytest.mark.parametrize("name", ["mia", "aud"])
def test_read_only_roles_see_no_url_and_no_forms(env: Environment, name: str) -> None:
    open_endpoint(env.belvo)

    page = env.open(endpoint_of(env.belvo), name)

    assert env.belvo.webhook_endpoint.path not in page.source
    assert env.belvo.webhook_secrets.get().fingerprint in page.words
    assert "Revoke" not in page.words
    assert "Add secret" not in page.words


def test_secret_is_encrypted_for_its_row_and_never_shown(env: Environment) -> None:
    open_endpoint(env.belvo)
    add(env, env.belvo, OTHER)

    one, other = WebhookSecret.objects.order_by("version")
    encrypted_for = {"table": "inbox_webhooksecret", "field": "sealed"}
    assert decrypt(other.encrypted, row=other.pk, version=2, **encrypted_for).reveal() == OTHER
    with pytest.raises(DecryptionError):
        decrypt(other.encrypted, row=one.pk, version=1, **encrypted_for)
    for name in ("adm", "aud"):
        source = env.open(endpoint_of(env.belvo), name).source
        assert other.fingerprint in source
        assert OTHER.split()[1] not in source


@pytest.mark.parametrize(
    ("provider", "text"),
    [("belvo", "no header"), ("belvo", "Bearer short"), ("heron", "key_sandbox_not_a_secret"), ("heron", "")],
)
def test_invalid_secret_shows_an_error_at_its_field(env: Environment, provider: str, text: str) -> None:
    integration: Integration = getattr(env, provider)
    open_endpoint(integration)

    answer = add(env, integration, text)

    assert answer.status == 422
    assert answer.error_at("secret")
    assert not text or text not in answer.source
    assert integration.webhook_secrets.count() == 1


def test_generated_secret_is_shown_once_and_verifies_deliveries(env: Environment) -> None:
    address = open_endpoint(env.belvo)
    form = env.open(endpoint_of(env.belvo), "adm").forms
    make = next(each for each in form if each.action.endswith("/secrets/new/"))

    page = env.post(make.action, make.values, "adm")

    made = re.search(r"Bearer [\w-]{43}", page.words)
    assert made
    endpoints.forget()
    assert deliver(address, belvo_webhook(), {"authorization": made[0]}).status_code == 202
    assert made[0] not in env.open(endpoint_of(env.belvo), "adm").source


def test_form_sent_twice_adds_one_secret(env: Environment) -> None:
    open_endpoint(env.belvo)
    form = env.open(endpoint_of(env.belvo), "adm").form_with("secret")

    for _ in range(2):
        answer = env.post(form.action, form.values | {"secret": OTHER}, "adm")

    assert "A signing secret was added since you opened this page." in env.open(answer.location, "adm").words
    assert env.belvo.webhook_secrets.count() == 2


def test_at_most_two_secrets_are_live(env: Environment) -> None:
    address = open_endpoint(env.belvo, AUTHORIZATION, OTHER)

    for text in (AUTHORIZATION, OTHER):
        assert deliver(address, belvo_webhook(), {"authorization": text}).status_code == 202
    assert "Add secret" not in env.open(endpoint_of(env.belvo), "adm").words
    env.post(f"{endpoint_of(env.belvo)}secrets/", {"after": "2", "secret": "Bearer one-too-many-for-it"}, "adm")
    assert env.belvo.webhook_secrets.count() == 2


def test_page_shows_which_secret_signs_deliveries(env: Environment) -> None:
    new_one = f"{SECRET}-new"
    address = open_endpoint(env.heron, SECRET, new_one)
    for number, text in enumerate((SECRET, SECRET, new_one)):
        body = heron_webhook(item_id=f"item-{number}")
        deliver(address, body, signed(body, text))

    words = env.open(endpoint_of(env.heron), "adm").words

    one, other = env.heron.webhook_secrets.order_by("version")
    assert re.search(
        rf"{other.fingerprint} .{{0,20}} 1 of the last 3 .*{one.fingerprint} .{{0,20}} 2 of the last 3", words
    )


def test_revoked_secret_verifies_nothing_and_its_value_is_deleted(env: Environment) -> None:
    address = open_endpoint(env.belvo, AUTHORIZATION, OTHER)
    old = env.belvo.webhook_secrets.get(version=1)

    revoke(env, env.belvo, old)

    old.refresh_from_db()
    assert bytes(old.encrypted) == b""
    assert deliver(address, belvo_webhook(), {"authorization": AUTHORIZATION}).status_code == 401
    assert deliver(address, belvo_webhook(), {"authorization": OTHER}).status_code == 202


def test_revoking_explains_itself_and_asks_for_the_fingerprint(env: Environment) -> None:
    open_endpoint(env.belvo)
    row = env.belvo.webhook_secrets.get()

    page = env.open(f"{endpoint_of(env.belvo)}secrets/{row.pk}/revoke/", "adm")
    answer = revoke(env, env.belvo, row, typed="something else")

    assert "Once the only signing secret is revoked, we'll reject every webhook" in page.words
    assert answer.status == 422
    assert env.belvo.webhook_secrets.get().revoked_at is None


def test_url_is_rotated_once_the_name_is_typed(env: Environment) -> None:
    old = open_endpoint(env.belvo)
    url = f"{endpoint_of(env.belvo)}url/"

    assert env.post(url, {"typed": "another"}, "adm").status == 422
    assert WebhookEndpoint.objects.get().address == old
    env.send(url, "adm", typed="Belvo test")
    endpoints.forget()

    assert deliver(old, belvo_webhook()).status_code == 401
    assert deliver(WebhookEndpoint.objects.get().address, belvo_webhook()).status_code == 202


def test_every_change_is_audited_without_secrets(env: Environment) -> None:
    env.post(f"{endpoint_of(env.belvo)}url/", name="adm")
    add(env, env.belvo, AUTHORIZATION)
    revoke(env, env.belvo, env.belvo.webhook_secrets.get())
    env.send(f"{endpoint_of(env.belvo)}url/", "adm", typed="Belvo test")

    events = AuditEvent.objects.filter(action__startswith="integration.").order_by("seq")
    assert [event.action.removeprefix("integration.") for event in events] == [
        "endpoint_created",
        "webhook_secret_added",
        "webhook_secret_revoked",
        "endpoint_url_renewed",
    ]
    assert {(event.actor, event.object_id) for event in events} == {("adm", str(env.belvo.pk))}
    assert AUTHORIZATION.split()[1] not in "".join(event.canonical for event in events)


def test_undecryptable_secret_makes_the_provider_retry(env: Environment) -> None:
    address = open_endpoint(env.belvo)
    WebhookSecret.objects.update(version=7)

    assert deliver(address, belvo_webhook()).status_code == 503
