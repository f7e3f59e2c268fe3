"""Administrators add and edit integrations. Keys are write-only."""

import pytest
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import Integration
from linkadmin.providers.names import isolated
from tests.environment import HERON_INTEGRATION, Environment
from tests.markup import Page

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def edit_url(integration: Integration) -> str:
    return f"/integrations/{integration.pk}/edit/"


def add(env: Environment, provider: str = "heron", **typed: str) -> Page:
    url = f"/integrations/new/?provider={provider}"
    values = {
        "name": "Heron two",
        "environment": "sandbox",
        "base_url": env.simulator.url,
        "is_active": "on",
        "heron_api_key": "key_sandbox",
        "heron_integration_id": HERON_INTEGRATION,
    }
    return env.post(url, env.open(url, "adm").form_with("base_url").values | values | typed, "adm")


def edited(env: Environment, integration: Integration, **typed: str) -> dict[str, str]:
    """What the form of an integration would submit."""
    return env.open(edit_url(integration), "adm").form_with("base_url").values | {"is_active": "on"} | typed


def edit(env: Environment, integration: Integration, **typed: str) -> Page:
    return env.post(edit_url(integration), edited(env, integration, **typed), "adm")


def test_administrator_adds_an_integration_that_works(env: Environment) -> None:
    answer = add(env)

    made = Integration.objects.get(name="Heron two")
    assert (answer.status, answer.location) == (303, made.get_absolute_url())
    assert made.options == {"integration_id": HERON_INTEGRATION}
    assert client_for(made).test_connection().detail == "hello world"


def test_keys_are_encrypted_and_never_shown_again(env: Environment) -> None:
    add(env, heron_api_key="key_to_be_kept_encrypted")

    made = Integration.objects.get(name="Heron two")
    secret = made.secrets.get()
    page = env.open(edit_url(made), "adm")
    assert b"key_to_be_kept_encrypted" not in bytes(secret.encrypted)
    assert "key_to_be_kept_encrypted" not in page.source
    assert "value" not in page.inputs()["heron_api_key"]
    assert f"fingerprint {secret.fingerprint}" in page.source


def test_key_left_empty_stays_as_stored(env: Environment) -> None:
    before = env.heron.secrets.get().fingerprint

    edit(env, env.heron, name="Heron renamed")

    env.heron.refresh_from_db()
    assert env.heron.name == "Heron renamed"
    assert env.heron.secrets.get().fingerprint == before
    assert client_for(env.heron).test_connection().detail == "hello world"


def test_key_that_is_typed_replaces_the_old_one_and_is_untried(env: Environment) -> None:
    env.post(f"{env.heron.get_absolute_url()}test/", name="adm")
    before = env.heron.secrets.get()

    edit(env, env.heron, heron_api_key="key_new")

    env.heron.refresh_from_db()
    after = env.heron.secrets.get()
    assert (after.pk, after.version) == (before.pk, before.version + 1)
    assert after.fingerprint != before.fingerprint
    assert env.heron.key_state == Integration.KeyState.UNTESTED


def test_new_key_forgets_until_when_the_old_one_was_rejected(env: Environment) -> None:
    Integration.objects.update(key_state=Integration.KeyState.REJECTED, keys_retry_at=timezone.now())

    edit(env, env.heron, heron_api_key="key_new")

    env.heron.refresh_from_db()
    assert env.heron.keys_retry_at is None


@pytest.mark.parametrize("missing", ["heron_api_key", "heron_integration_id", "name", "base_url"])
def test_field_the_provider_needs_is_required(env: Environment, missing: str) -> None:
    page = add(env, **{missing: ""})

    assert page.status == 422
    assert page.error_at(missing) == "This field is required."
    assert not Integration.objects.filter(provider="heron").exclude(pk=env.heron.pk).exists()


def test_value_of_another_form_than_the_providers_is_rejected(env: Environment) -> None:
    page = add(env, heron_integration_id="not an id")

    assert page.error_at("heron_integration_id") == "An integration ID starts with itg_"


def test_key_typed_is_gone_from_a_form_that_is_rejected(env: Environment) -> None:
    page = add(env, name="", heron_api_key="key_typed_once")

    assert page.status == 422
    assert "key_typed_once" not in page.source


@pytest.mark.parametrize(
    "address",
    [
        "http://app.herondata.io", "https://evil.example", "https://app.herondata.io:444", "https://10.0.0.1",
        "https://user@app.herondata.io", "https://app.herondata.io/?a=b", "https://app.herondata.io#x", "ftp://127.0.0.1",
    ],
)  # fmt: skip
def test_base_url_that_is_not_allowed_is_an_error_at_its_field(env: Environment, address: str) -> None:
    page = add(env, base_url=address)

    assert page.status == 422
    assert page.error_at("base_url")
    assert not Integration.objects.filter(name="Heron two").exists()


def test_loopback_is_an_address_only_where_it_is_allowed(env: Environment, settings: Settings) -> None:
    settings.ALLOW_LOOPBACK_PROVIDERS = False

    page = add(env)

    assert page.error_at("base_url")


def test_documented_url_is_accepted_without_a_request(env: Environment) -> None:
    answer = add(env, base_url="https://app.herondata.io")

    assert answer.status == 303


@pytest.mark.parametrize("environment", ["", "rehearsal"])
def test_environment_is_required(env: Environment, environment: str) -> None:
    page = add(env, environment=environment)

    assert page.status == 422
    assert page.error_at("environment")


@pytest.mark.parametrize(
    ("host", "environment", "error"),
    [
        ("api.belvo.com", "production", ""),
        ("api.belvo.com", "sandbox", "api.belvo.com is production. Environment and base URL must match."),
        ("sandbox.belvo.com", "sandbox", ""),
        ("sandbox.belvo.com", "production", "sandbox.belvo.com is a sandbox. Environment and base URL must match."),
        ("development.belvo.com", "production", "development.belvo.com is a sandbox."),
    ],
)
def test_environment_has_to_match_the_base_url(env: Environment, host: str, environment: str, error: str) -> None:
    keys = {"belvo_secret_id": "some-id", "belvo_secret_password": "some-password"}
    url = f"https://{host}"
    page = add(env, provider="belvo", name="Belvo two", environment=environment, base_url=url, **keys)

    assert error in page.error_at("environment")
    assert Integration.objects.filter(name="Belvo two", environment=environment).exists() is not bool(error)


@pytest.mark.parametrize("environment", ["sandbox", "production"])
@pytest.mark.parametrize("url", ["https://app.herondata.io", "http://127.0.0.1:9"])
def test_administrator_chooses_where_the_base_url_does_not_tell(env: Environment, url: str, environment: str) -> None:
    add(env, environment=environment, base_url=url)

    assert Integration.objects.get(name="Heron two").environment == environment


def test_environment_is_fixed_once_there_are_links(env: Environment) -> None:
    edit(env, env.heron, environment="sandbox")
    env.heron.refresh_from_db()
    assert env.heron.environment == "sandbox"

    env.heron_link()
    edit(env, env.heron, environment="production", name="Heron renamed")

    env.heron.refresh_from_db()
    assert (env.heron.name, env.heron.environment) == ("Heron renamed", "sandbox")
    assert "Can't be changed: this integration has links." in env.open(edit_url(env.heron), "adm").words


def test_base_url_has_to_match_an_environment_that_is_fixed(env: Environment) -> None:
    env.belvo_link()
    page = edit(env, env.belvo, base_url="https://sandbox.belvo.com")

    assert "sandbox.belvo.com is a sandbox. Environment and base URL must match." in page.error_at("base_url")
    env.belvo.refresh_from_db()
    assert env.belvo.base_url == env.simulator.url


@pytest.mark.parametrize("provider", ["", "nobody"])
def test_provider_is_chosen_first(env: Environment, provider: str) -> None:
    page = env.open(f"/integrations/new/?provider={provider}", "adm")

    assert {"?provider=heron", "?provider=belvo"} <= set(page.links())
    assert "base_url" not in page.inputs()


def test_edit_of_what_has_changed_meanwhile_shows_both_values(env: Environment) -> None:
    mine = edited(env, env.heron, name="My name")
    edit(env, env.heron, name="Their name")

    refused = env.post(edit_url(env.heron), mine, "adm")
    again = env.post(edit_url(env.heron), refused.form_with("base_url").values | {"is_active": "on"}, "adm")

    assert refused.status == 409
    assert refused.error_at("name") == f"Now stored: {isolated('Their name')}"
    assert refused.inputs()["name"]["value"] == "My name"
    env.heron.refresh_from_db()
    assert (again.status, env.heron.name) == (303, "My name")


def test_key_replaced_meanwhile_is_not_replaced_again(env: Environment) -> None:
    mine = edited(env, env.heron, heron_api_key="key_mine")
    edit(env, env.heron, heron_api_key="key_theirs")

    assert env.post(edit_url(env.heron), mine, "adm").status == 409
    assert env.heron.secrets.get().version == 2


def test_form_that_changes_nothing_is_no_event(env: Environment) -> None:
    edit(env, env.heron)

    assert not AuditEvent.objects.filter(action="integration.updated").exists()


def test_integration_is_deactivated_and_activated_again(env: Environment) -> None:
    form = edited(env, env.heron)
    env.post(edit_url(env.heron), {name: value for name, value in form.items() if name != "is_active"}, "adm")
    env.heron.refresh_from_db()
    was_active = env.heron.is_active

    edit(env, env.heron)

    env.heron.refresh_from_db()
    assert (was_active, env.heron.is_active) == (False, True)


def test_adding_and_changing_are_events_without_keys(env: Environment) -> None:
    add(env)
    edit(env, env.heron, heron_api_key="key_new", name="Heron renamed")

    made, changed = AuditEvent.objects.filter(action__startswith="integration.").order_by("seq")
    assert (made.action, changed.action) == ("integration.created", "integration.updated")
    assert changed.object_id == str(env.heron.pk)
    assert set(str(changed.details["fields"]).split(", ")) >= {"name", "heron_api_key"}
    assert "key_new" not in str(changed.details)


@pytest.mark.parametrize("name", ["aud", "adm"])
def test_django_admin_shows_an_integration_and_changes_nothing(env: Environment, name: str) -> None:
    url = f"/admin/integrations/integration/{env.heron.pk}/change/"

    page = env.open(url, name)

    assert HERON_INTEGRATION in page.source
    assert not {"name", "base_url", "heron_api_key"} & page.inputs().keys()
    assert env.post(url, {"name": "Taken over"}, name).status == 403
    assert env.client(name).get(url.replace("change", "delete")).status_code == 403
