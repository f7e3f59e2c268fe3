"""Pages of integrations: API keys and links."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.providers.names import isolated
from linkadmin.providers.types import Cause, Secret
from tests.environment import Environment

pytestmark = pytest.mark.django_db


def test_list_shows_url_keys_and_how_many_links(env: Environment) -> None:
    env.belvo_link()
    Integration.objects.update(key_state=Integration.KeyState.UNTESTED, tested_at=None)

    page = env.open("/integrations/", "mia")

    assert f"Belvo test Belvo {env.simulator.url} API keys untested never 1" in page.words
    assert f"Heron test Heron {env.simulator.url} API keys untested never 0" in page.words


def test_page_shows_fingerprints_and_never_keys(env: Environment) -> None:
    page = env.open(env.belvo.get_absolute_url(), "adm")

    for secret in env.belvo.secrets.all():
        assert secret.fingerprint in page.words
    assert "sandbox-password" not in page.source
    assert "sandbox-id" not in page.source


def test_page_counts_links_by_state(env: Environment) -> None:
    env.belvo_link(cause=Cause.LOGIN_REFUSED)
    env.belvo_link(cause=Cause.WORKING, bank="gringotts_mx_retail")

    words = env.open(env.belvo.get_absolute_url(), "mia").words

    assert "Sign-in needed 1" in words
    assert "Working 1" in words


@pytest.mark.parametrize("provider", ["belvo", "heron"])
@pytest.mark.parametrize("name", ["mia", "adm"])
def test_connection_with_good_keys_is_good(env: Environment, provider: str, name: str) -> None:
    integration: Integration = getattr(env, provider)

    answer = env.post(f"{integration.get_absolute_url()}test/", name=name)

    integration.refresh_from_db()
    assert answer.location == integration.get_absolute_url()
    assert integration.key_state == Integration.KeyState.VALID
    assert "The provider accepted the API keys." in env.open(answer.location, name).words


@pytest.mark.parametrize(("provider", "key"), [("belvo", "secret_password"), ("heron", "api_key")])
def test_wrong_key_is_one_warning(env: Environment, provider: str, key: str) -> None:
    integration: Integration = getattr(env, provider)
    store_secret(integration, key, Secret("a wrong key"))

    answer = env.post(f"{integration.get_absolute_url()}test/", name="adm")

    integration.refresh_from_db()
    page = env.open(answer.location, "adm")
    assert integration.keys_rejected
    assert "The connection test failed: 401" in page.words
    assert f"{integration.provider_label} is rejecting our API keys for {isolated(integration.name)}." in page.source
    assert "a wrong key" not in page.source


def test_url_that_does_not_respond_says_nothing_about_the_keys(env: Environment) -> None:
    Integration.objects.filter(pk=env.heron.pk).update(base_url="http://127.0.0.1:9")

    env.post(f"{env.heron.get_absolute_url()}test/", name="adm")

    env.heron.refresh_from_db()
    assert env.heron.key_state == Integration.KeyState.UNREACHABLE
    assert "No usable response" in env.open(env.heron.get_absolute_url(), "adm").words


def test_rejected_keys_stay_rejected_while_the_test_gets_no_good_answer(env: Environment) -> None:
    since = timezone.now() - timedelta(hours=3)
    Integration.objects.filter(pk=env.heron.pk).update(
        base_url="http://127.0.0.1:9", key_state=Integration.KeyState.REJECTED, keys_rejected_at=since
    )

    answer = env.post(f"{env.heron.get_absolute_url()}test/", name="adm")

    page = env.open(answer.location, "adm")
    env.heron.refresh_from_db()
    assert (env.heron.keys_rejected, env.heron.keys_rejected_at) == (True, since)
    assert "The connection test failed" in page.words
    assert "is rejecting our API keys" in page.source


@pytest.mark.parametrize("kept", ["none", "not to be opened"])
def test_key_that_is_missing_or_does_not_open_fails_the_test(env: Environment, kept: str) -> None:
    if kept == "none":
        env.heron.secrets.all().delete()
    else:
        env.heron.secrets.update(version=99)

    answer = env.post(f"{env.heron.get_absolute_url()}test/", name="adm")

    env.heron.refresh_from_db()
    assert answer.status == 303
    assert env.heron.keys_rejected


def test_connection_test_is_an_event(env: Environment) -> None:
    env.post(f"{env.belvo.get_absolute_url()}test/", name="adm")

    event = AuditEvent.objects.get(action="integration.connection_tested")
    assert (event.actor, event.object_id, event.outcome) == ("adm", str(env.belvo.pk), "done")
    assert event.details == {"keys": "valid"}


def test_good_test_lets_changes_be_sent_again(env: Environment) -> None:
    Integration.objects.update(key_state=Integration.KeyState.REJECTED)

    env.post(f"{env.belvo.get_absolute_url()}test/", name="adm")

    page = env.open(env.new_link_url("erebor_mx_retail"))
    assert "is rejecting our API keys" not in page.source


def test_buttons_are_drawn_for_who_may_press_them(env: Environment) -> None:
    url = env.belvo.get_absolute_url()

    assert "Test connection" in env.open(url, "mia").words
    assert "Test connection" not in env.open(url, "aud").words
    assert f"/integrations/{env.belvo.pk}/edit/" in env.open(url, "adm").links()
    assert f"/integrations/{env.belvo.pk}/edit/" not in env.open(url, "mia").links()


def test_no_integration_says_who_adds_one(env: Environment) -> None:
    Integration.objects.update(is_active=False)

    assert "No active integration" in env.open("/links/new/").words


def test_page_says_when_all_links_were_last_read(env: Environment) -> None:
    before = env.open(env.belvo.get_absolute_url(), "mia").words
    Integration.objects.update(last_full_check_at=timezone.now() - timedelta(minutes=12))

    assert "Last full check never" in before
    assert "Last full check 12 min ago" in env.open(env.belvo.get_absolute_url(), "mia").words


def test_links_that_are_being_verified_are_counted_with_the_others(env: Environment) -> None:
    health.start_verifying(env.belvo_link(), at=timezone.now(), request_id="")
    env.belvo_link("Blue Fern", bank="gringotts_mx_retail", cause=Cause.WORKING)

    words = env.open(env.belvo.get_absolute_url(), "mia").words

    assert "Links 2 Working 1 Verifying repair 1" in words


def test_removed_links_are_disconnected_and_not_counted_with_the_keys(env: Environment) -> None:
    env.belvo_link(cause=Cause.REMOVED)
    env.belvo_link("Blue Fern", bank="gringotts_mx_retail", cause=Cause.WORKING)
    Integration.objects.filter(pk=env.belvo.pk).update(key_state="rejected")

    words = env.open(env.belvo.get_absolute_url(), "mia").words

    assert "One link uses these keys." in words
    assert "Disconnected 1" in words
