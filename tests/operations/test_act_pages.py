"""Pages of changes: who sees which button, what is sent, and the result."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations.models import CircuitBreaker, Integration
from linkadmin.links.models import Link
from linkadmin.operations.changes import PAGES
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause
from linkadmin.simulator.settings import SimulatorSettings
from tests.environment import Environment
from tests.providers.conftest import Script, reply

from .helpers import act, url_of

pytestmark = pytest.mark.django_db(transaction=True)

ASSETS = "itg_sandbox_assets"


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        ("ana", {"fetch", "settings", "delete"}),
        ("mia", {"fetch", "delete"}),
        ("aud", set()),
    ],
)
def test_links_page_has_the_buttons_that_the_provider_and_the_role_allow(
    env: Environment, name: str, slugs: set[str]
) -> None:
    link = env.belvo_link(cause=Cause.WORKING)

    found = env.open(link.get_absolute_url(), name).links()

    every = {"fetch", "settings", "delete", "access-token", "reports"}
    assert {slug for slug in every if url_of(link, slug) in found} == slugs


@pytest.mark.parametrize("cause", [Cause.PASSWORD_WRONG, Cause.CODE_NEEDED, Cause.ACCOUNT_LOCKED])
def test_refresh_does_not_repeat_a_rejected_sign_in(env: Environment, cause: Cause) -> None:
    link = env.belvo_link(cause=cause)

    page = env.open(link.get_absolute_url())
    sent = act(env, link, "fetch")

    assert url_of(link, "fetch") not in page.links()
    assert "Another sign-in attempt could lock the customer's account." in page.words
    assert (sent.status, env.calls("POST", f"/api/links/{link.remote_id}")) == (409, [])


def test_provider_without_sign_ins_can_refresh_at_any_time(env: Environment) -> None:
    link = env.heron_link(cause=Cause.LOGIN_REQUIRED)

    assert url_of(link, "fetch") in env.open(link.get_absolute_url()).links()


def test_another_provider_has_other_buttons(env: Environment) -> None:
    link = env.heron_link()

    found = env.open(link.get_absolute_url()).links()

    assert {url_of(link, slug) for slug in ("fetch", "access-token", "reports", "delete")} <= set(found)
    assert not {url_of(link, slug) for slug in ("settings",)} & set(found)


def test_disconnected_link_has_to_be_reconnected_first(env: Environment) -> None:
    link = env.heron_link(cause=Cause.SWITCHED_OFF)

    page = env.open(link.get_absolute_url())

    offered = [change for change in PAGES.values() if env.heron.can(change.capability)]
    assert page.words.count("Disconnected. Reconnect it first.") == len(offered) >= 4
    assert not {url_of(link, slug) for slug in ("fetch", "access-token", "reports", "delete")} & set(page.links())


def test_unsupported_change_is_refused(env: Environment) -> None:
    link = env.heron_link()

    page = env.post(url_of(link, "settings"), {"operation_key": str(uuid.uuid4())})

    assert page.status == 409
    assert "This provider can't do that" in page.words
    assert not Operation.objects.exists()
    assert AuditEvent.objects.filter(outcome="not_sent", details__reason="provider_cannot").exists()


def test_button_says_why_while_an_operation_is_open(env: Environment) -> None:
    link = env.belvo_link()
    env.send(url_of(link, "credentials"), password="pass_mfa")

    page = env.open(link.get_absolute_url())

    assert url_of(link, "delete") not in page.links()
    assert "“Update credentials” is still in progress." in page.words


def test_button_says_why_while_api_keys_are_rejected(env: Environment) -> None:
    link = env.belvo_link()
    Integration.objects.filter(pk=env.belvo.pk).update(key_state="rejected")

    page = env.open(link.get_absolute_url())

    assert url_of(link, "fetch") not in page.links()
    assert "its API keys are rejected" in page.words


def test_change_of_a_busy_link_leads_to_the_open_operation(env: Environment) -> None:
    link = env.belvo_link()
    env.send(url_of(link, "credentials"), password="pass_mfa")

    answer = env.client().get(url_of(link, "settings"))

    assert answer["Location"] == url_of(link, "code")


def test_accepted_refresh_is_confirmed(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)

    answer = act(env, link, "fetch")
    page = env.open(answer.location)

    assert answer.location == link.get_absolute_url()
    assert "Data refresh requested" in page.words
    assert env.last_operation(link).state == State.SUCCEEDED


def test_early_refresh_is_rejected_in_the_providers_words(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    act(env, link, "fetch")

    page = act(env, link, "fetch")

    assert page.status == 422
    assert "Can't do this right now" in page.words
    assert "already been refreshed" in page.words
    assert "link_refreshed" in page.words


def test_refresh_names_its_resources(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    values = {"operation_key": str(uuid.uuid4()), "resources": ["ACCOUNTS", "OWNERS"]}

    env.client().post(url_of(link, "fetch"), values)

    assert env.calls("POST", f"/api/links/{link.remote_id}/refresh/")[-1].body == {
        "fetch_resources": ["ACCOUNTS", "OWNERS"]
    }


def test_settings_start_with_current_values_and_send_only_changes(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.post(url_of(link, "refresh"))
    env.settled()

    page = env.open(url_of(link, "settings"))
    answer = act(env, link, "settings", stale_in="90d")

    assert page.form_with("stale_in").values["access_mode"] == "recurrent"
    assert "Select none to fetch everything the bank offers." in page.words
    assert env.calls("PATCH", f"/api/links/{link.remote_id}/")[-1].body == {"stale_in": "90d"}
    assert "Settings changed" in env.open(answer.location).words
    link.refresh_from_db()
    assert (link.stale_in, link.access_mode) == ("90d", "recurrent")


def test_unchanged_settings_are_not_sent(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.post(url_of(link, "refresh"))
    env.settled()

    page = act(env, link, "settings")

    assert page.status == 409
    assert "The link already has these settings" in page.words
    assert not env.calls("PATCH")


def test_rejected_settings_keep_typed_values(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.simulator.fail("PATCH", "/api/links/", "invalid_access_mode_switch")

    page = act(env, link, "settings", access_mode="recurrent", stale_in="90d")

    assert page.status == 422
    assert "The provider rejected the form" in page.words
    assert page.inputs()["stale_in"]["value"] == "90d"


def test_settings_may_need_a_code_and_continue_with_it(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    challenge = {"code": "token_required", "session": "the-session", "expiry": 600, "link": link.remote_id}
    record = {"id": link.remote_id, "institution": link.bank, "status": "valid", "access_mode": "single"}
    bank = Script([reply(428, challenge), reply(200, record)])
    Integration.objects.filter(pk=env.belvo.pk).update(base_url=bank.url)

    asked = act(env, link, "settings", access_mode="single")
    given = env.send(asked.location, code="111111")
    bank.stop()

    assert asked.location == url_of(link, "code")
    assert given.location == link.get_absolute_url()
    assert [each.method for each in bank.received[:2]] == ["PATCH", "PATCH"]


def test_canceled_code_step_of_settings_leads_back_to_them(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    challenge = {"code": "token_required", "session": "the-session", "expiry": 600, "link": link.remote_id}
    bank = Script([reply(428, challenge)])
    Integration.objects.filter(pk=env.belvo.pk).update(base_url=bank.url)
    asked = act(env, link, "settings", access_mode="single")

    answer = env.post(f"{asked.location}withdraw/")
    bank.stop()

    assert answer.location == url_of(link, "settings")


def test_details_show_the_settings_at_the_provider(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    Link.objects.filter(pk=link.pk).update(
        access_mode="recurrent", refresh_rate="7d", storage="90d", stale_in="180d", resources=["ACCOUNTS", "OWNERS"]
    )

    words = env.open(link.get_absolute_url()).words

    assert "Stored credentials yes, for 90 days" in words
    assert "Sync recurring · every 7 days" in words
    assert "Data retention 180 days" in words
    assert "Fetched data Accounts, Owners" in words


def test_replaced_access_token_is_never_shown(env: Environment) -> None:
    link = env.heron_link()

    answer = act(env, link, "access-token", access_token="access-new-1")

    assert "Access token replaced" in env.open(answer.location).words
    assert env.calls("PUT", "/api/integration_links/")[-1].body == {"end_user": {"access_token": "access-new-1"}}
    assert env.last_operation(link).parameters == {}


def test_rejected_access_token_is_blank_again(env: Environment) -> None:
    link = env.heron_link()

    page = act(env, link, "access-token", access_token="access-invalid")

    assert page.status == 422
    assert "access-invalid" not in page.source
    assert "Invalid access token." in page.words


def test_failed_reports_lead_to_their_links(env: Environment) -> None:
    env.heron.options = {"integration_id": ASSETS}
    env.heron.save()
    link = env.let_know(env.heron, env.customer(), "locked-1", None, Cause.WORKING)
    for item_id in ("item-1", "locked-1"):
        body = {"access_token": "x", "end_user_id": link.end_user.external_id, "item_id": item_id}
        env.call_heron("POST", f"/api/integrations/{ASSETS}/links", body)
    env.clock.forward(60)

    page = env.open(act(env, link, "reports").location)

    assert "Some reports couldn't be regenerated" in page.words
    assert "The report for 1 link is being regenerated. 1 failed." in page.words
    assert link.get_absolute_url() in page.links()


def test_customer_without_reports_is_explained(env: Environment) -> None:
    link = env.heron_link()

    page = act(env, link, "reports")

    assert "No reports to regenerate" in page.words
    assert "The provider has no reports for this customer in this integration." in page.words


def test_same_form_sent_twice_is_one_request(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    form = env.open(url_of(link, "fetch")).form_with()

    first, second = (env.post(url_of(link, "fetch"), form.values) for _click in range(2))

    assert first.location == second.location == link.get_absolute_url()
    assert len(env.calls("POST", f"/api/links/{link.remote_id}/refresh/")) == 1
    assert Operation.objects.count() == 1


@pytest.mark.parametrize("slug", ["settings", "fetch", "delete", "access-token", "reports"])
def test_denied_change_is_audited(env: Environment, slug: str) -> None:
    link = env.belvo_link()

    page = env.post(url_of(link, slug), {"operation_key": str(uuid.uuid4())}, "aud")

    assert page.status == 403
    assert AuditEvent.objects.get(action="access.denied").actor == "aud"
    assert not Operation.objects.exists()


@pytest.mark.usefixtures("slow")
def test_slow_change_shows_its_progress(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.simulator.configure(SimulatorSettings(latency=1))

    answer = act(env, link, "fetch")

    assert answer.location == env.last_operation(link).get_absolute_url()


def test_success_of_another_kind_does_not_reset_the_attempts(env: Environment) -> None:
    link = env.belvo_link()
    for _attempt in range(2):
        act(env, link, "credentials", password="pass_invalid")

    act(env, link, "settings", access_mode="recurrent")

    page = env.post(url_of(link, "credentials"), {"operation_key": str(uuid.uuid4()), "password": "pass_valid"})
    assert page.status == 409


def test_removed_link_offers_no_changes(env: Environment) -> None:
    link = env.belvo_link()
    Link.objects.filter(pk=link.pk).update(disconnected_at=timezone.now())

    page = env.post(url_of(link, "fetch"), {"operation_key": str(uuid.uuid4())})

    assert page.status == 409
    assert "This link was removed" in page.words
    assert url_of(link, "delete") not in env.open(link.get_absolute_url()).links()


def test_page_says_beforehand_that_requests_are_paused(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    until = timezone.now() + timedelta(minutes=5)
    CircuitBreaker.objects.update_or_create(integration=env.belvo, defaults={"open_until": until, "failures": 5})

    page = env.open(url_of(link, "fetch"))

    assert "Can't do this right now" in page.words
    assert any("disabled" in each.attrs for each in page.elements if each.attrs.get("type") == "submit")
