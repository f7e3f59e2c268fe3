"""A link's page: status, next step, timeline, and a status check on demand."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations.models import Operation
from linkadmin.operations.timeline import pages
from linkadmin.providers.types import Cause, HealthState
from tests.environment import Environment

pytestmark = pytest.mark.django_db(transaction=True)


def test_page_shows_customer_bank_and_next_step(env: Environment) -> None:
    link = env.belvo_link("Acme Corp")

    page = env.open(link.get_absolute_url())

    assert "Acme Corp · Erebor Bank" in page.words
    assert "Sign-in needed Acme Corp · Erebor Bank for" in page.words
    assert "The bank rejected the stored credentials" in page.words
    assert "Get the current password" in page.words
    assert f"/links/{link.pk}/credentials/" in page.links()


def test_ids_can_be_copied(env: Environment) -> None:
    link = env.belvo_link()

    copied = {
        each.attrs["data-copy"] for each in env.open(link.get_absolute_url()).elements if "data-copy" in each.attrs
    }

    assert {link.remote_id, str(link.pk), link.end_user.external_id} <= copied


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause.BANK_DOWN, "Bank or provider issue"),
        (Cause.WORKING, "Working"),
        (Cause.ACCOUNT_LOCKED, "Action needed at the bank"),
        (Cause.SOURCE_UNKNOWN, "Unrecognized status"),
        (Cause.GONE, "Disconnected"),
    ],
)
def test_page_shows_the_status_in_the_shared_words(env: Environment, cause: Cause, words: str) -> None:
    assert words in env.open(env.belvo_link(cause=cause).get_absolute_url()).words


def test_disconnected_link_offers_to_reconnect(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.GONE)

    page = env.open(link.get_absolute_url())

    assert f"/links/new/?integration={env.belvo.pk}&end_user={link.end_user_id}" in page.links()


def test_heron_link_offers_no_password_form(env: Environment) -> None:
    link = env.heron_link(cause=Cause.LOGIN_REQUIRED)

    page = env.open(link.get_absolute_url())

    assert "Update credentials" not in page.words
    assert "sign in again in our app" in page.words


@pytest.mark.parametrize(("name", "sends"), [("mia", True), ("aud", False)])
def test_managers_may_ask_the_customer_but_not_update_credentials(env: Environment, name: str, sends: bool) -> None:
    link = env.belvo_link()

    page = env.open(link.get_absolute_url(), name)

    assert (f"/links/{link.pk}/repair-request/" in page.links()) is sends
    assert f"/links/{link.pk}/credentials/" not in page.links()


def test_timeline_lists_operations_and_changes_newest_first(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_invalid")

    page = env.open(link.get_absolute_url())

    entries = [each.attrs for each in page.elements if each.attrs.get("class", "").startswith("timeline__item")]
    marks = [entry["id"] for entry in entries if "id" in entry]  # all but the template of a new note
    assert {mark.split("-")[0] for mark in marks} == {"change", "operation"}
    assert marks[-1] == f"change-{link.changes.earliest('id').pk}"
    assert "HTTP 400 login_error" in page.words


def test_timeline_says_that_a_change_got_lost(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only time passes: nothing is written."""
    link, until = env.belvo_link(), timezone.now() + timedelta(minutes=1)
    Operation.objects.create(
        kind="update_credentials", state="sending", lease_until=until, integration=link.integration, link=link,
        end_user=link.end_user, actor=env.people["ana"], operation_key=uuid.uuid4(),
    )  # fmt: skip

    assert "Contacting the bank" in pages.latest(link, see_names=True)
    monkeypatch.setattr(timezone, "now", lambda: until + timedelta(seconds=1))
    assert "Outcome unknown" in pages.latest(link, see_names=True)


def test_timeline_uses_the_readers_days(env: Environment) -> None:
    link = env.belvo_link()
    env.client().cookies["tz"] = "Pacific/Kiritimati"

    page = env.open(link.get_absolute_url())

    assert "Today" in page.words


def test_status_check_stores_the_providers_record(env: Environment) -> None:
    link = env.belvo_link()
    env.simulator.store.belvo_links[link.remote_id].status = "token_required"

    answer = env.post(f"/links/{link.pk}/refresh/")

    link.refresh_from_db()
    assert answer.location == link.get_absolute_url()
    assert link.health == HealthState.CUSTOMER_CODE.value
    assert "Status checked just now" in env.open(answer.location).words


def test_status_check_never_contacts_the_bank(env: Environment) -> None:
    link = env.belvo_link()

    env.post(f"/links/{link.pk}/refresh/")

    assert [(call.method, call.path) for call in env.calls("GET", "/api/links/")] == [
        ("GET", f"/api/links/{link.remote_id}/")
    ]
    assert env.calls("PUT") == env.calls("PATCH") == env.calls("POST") == []


def test_failed_check_keeps_the_status_and_says_so(env: Environment) -> None:
    link = env.belvo_link()
    Integration.objects.update(base_url="http://127.0.0.1:9")

    answer = env.post(f"/links/{link.pk}/refresh/")

    link.refresh_from_db()
    page = env.open(answer.location)
    assert "The status check failed" in page.words
    assert "We couldn't connect to the provider. What you see is from before then." in page.words
    assert link.health == HealthState.CUSTOMER_LOGIN.value


def test_heron_link_is_read_in_its_customers_list(env: Environment) -> None:
    link = env.heron_link(item_id="login-required-1")
    env.clock.forward(4)

    env.post(f"/links/{link.pk}/refresh/")

    link.refresh_from_db()
    assert (link.health, link.raw_code) == (HealthState.CUSTOMER_LOGIN.value, "ITEM_LOGIN_REQUIRED")
    assert [call.path for call in env.calls("GET", "/api/end_users/")] == [
        f"/api/end_users/{link.end_user.external_id}/integration_links"
    ]


def test_conflicting_status_is_shown(env: Environment) -> None:
    link = env.heron_link(item_id="conflict-1")
    env.clock.forward(4)

    env.post(f"/links/{link.pk}/refresh/")

    assert "Provider reports conflicting status" in env.open(link.get_absolute_url()).words


def test_rejected_keys_do_not_change_the_link(env: Environment) -> None:
    link = env.belvo_link()
    env.belvo.secrets.filter(name="secret_id").delete()
    before = Link.objects.get(pk=link.pk).health

    env.prove(link)

    env.belvo.refresh_from_db()
    assert (link.health, env.belvo.keys_rejected) == (before, True)


def test_key_that_cannot_be_decrypted_is_shown_as_rejected(env: Environment) -> None:
    link = env.belvo_link()
    env.belvo.secrets.update(version=99)

    answer = env.post(f"/links/{link.pk}/refresh/")

    env.belvo.refresh_from_db()
    assert "The status check failed" in env.open(answer.location).words
    assert env.belvo.keys_rejected


def test_provider_messages_are_escaped(env: Environment) -> None:
    link = env.belvo_link()
    Link.objects.filter(pk=link.pk).update(raw_words="<img src=x onerror=alert(1)> hx-get=/x")

    page = env.open(link.get_absolute_url())

    assert "&lt;img src=x" in page.source
    (words,) = [each for each in page.elements if each.attrs.get("class") == "words"]
    assert "hx-disable" in words.attrs


def test_unknown_link_is_not_found(env: Environment) -> None:
    assert env.open("/links/6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a/").status == 404


def test_inactive_integration_is_not_checked_manually_either(env: Environment) -> None:
    link = env.belvo_link()
    Integration.objects.update(is_active=False)

    env.post(f"/links/{link.pk}/refresh/")

    assert "inactive" in env.open(link.get_absolute_url()).words
    assert not env.calls("GET", "/api/links/")
