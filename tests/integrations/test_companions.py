"""A companion helps to repair the links of another provider's integration: added on its page, with keys of its own."""

import pytest

from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import Integration
from linkadmin.simulator.plaid.api import CLIENT_ID, SECRET
from tests.environment import Environment
from tests.markup import Page

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def new_url(env: Environment) -> str:
    return f"/integrations/new/?provider=plaid&of={env.heron.pk}"


def add(env: Environment, **typed: str) -> Page:
    values = {
        "base_url": env.simulator.url,
        "is_active": "on",
        "plaid_client_id": CLIENT_ID,
        "plaid_secret": SECRET,
        "plaid_countries": "US, CA",
    }
    return env.post(new_url(env), env.open(new_url(env), "adm").form_with("base_url").values | values | typed, "adm")


def test_an_administrator_adds_it_on_the_page_of_the_integration(env: Environment) -> None:
    assert "Add Plaid" in env.open(env.heron.get_absolute_url(), "adm").source
    assert "Add Plaid" not in env.open(env.heron.get_absolute_url(), "mia").source
    assert "Customer repairs" not in env.open(env.belvo.get_absolute_url(), "adm").source

    answer = add(env)

    made = Integration.objects.get(provider="plaid")
    assert (answer.status, answer.location) == (303, made.get_absolute_url())
    assert (made.companion_of, made.environment, made.name) == (env.heron, env.heron.environment, "Heron test · Plaid")
    assert client_for(made).test_connection().detail == "OK"
    page = env.open(env.heron.get_absolute_url(), "mia")
    assert "Heron test · Plaid" in page.source
    assert "Heron test" in env.open(made.get_absolute_url(), "mia").source


def test_its_keys_are_tested_like_those_of_every_integration(env: Environment) -> None:
    add(env, plaid_secret="another")
    made = Integration.objects.get(provider="plaid")

    env.post(f"{made.get_absolute_url()}test/", name="adm")

    made.refresh_from_db()
    assert made.key_state == Integration.KeyState.REJECTED


def test_its_keys_are_encrypted_and_never_shown(env: Environment) -> None:
    add(env)
    made = Integration.objects.get(provider="plaid")

    assert {each.name for each in made.secrets.all()} == {"client_id", "secret"}
    assert not any(SECRET.encode() in bytes(each.encrypted) for each in made.secrets.all())
    page = env.open(f"{made.get_absolute_url()}edit/", "adm").source
    assert SECRET not in page
    assert CLIENT_ID not in page


def test_an_integration_has_one(env: Environment) -> None:
    add(env)

    assert env.client("adm").get(new_url(env)).status_code == 404


@pytest.mark.parametrize("of", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_it_needs_an_integration_to_help(env: Environment, of: str) -> None:
    assert env.client("adm").get(f"/integrations/new/?provider=plaid&of={of}").status_code == 404
    assert env.client("adm").get(f"/integrations/new/?provider=plaid&of={env.belvo.pk}").status_code == 404
    assert "Plaid" not in env.open("/integrations/new/", "adm").source


def test_an_endpoint_needs_a_signing_secret(env: Environment) -> None:
    answer = add(env, plaid_endpoint="https://company.example/repair-page")
    assert (answer.status, "This field is required." in answer.source) == (422, True)
    assert add(env, plaid_endpoint="ftp://company.example/", plaid_endpoint_secret="s" * 32).status == 422

    for url in ("http://company.example/", "https://company.example:8443/", "https://me@company.example/"):
        assert add(env, plaid_endpoint=url, plaid_endpoint_secret="s" * 32).status == 422

    assert add(env, plaid_endpoint="https://company.example/repair-page", plaid_endpoint_secret="s" * 32).status == 303


def test_it_has_no_links_and_is_never_checked_for_any(env: Environment) -> None:
    plaid = env.plaid()

    page = env.open(plaid.get_absolute_url(), "mia")
    assert "Full checks" not in page.source
    assert "Plaid test" not in env.open("/links/new/").source
    assert "Plaid test" not in env.open("/links/").source
