"""Updating credentials: verified, or rejected with who has to act next and the provider's own words."""

import threading
from datetime import timedelta

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from linkadmin.integrations.circuit_breaker import GOOD, SEEN
from linkadmin.integrations.models import CircuitBreaker, Integration
from linkadmin.links.models import Link, LinkRead, Reason
from linkadmin.operations import tasks
from linkadmin.operations.models import State
from linkadmin.providers.types import Cause, HealthState
from tests.environment import Environment
from tests.markup import Page

pytestmark = pytest.mark.django_db(transaction=True)


def url_of(link: Link) -> str:
    return f"/links/{link.pk}/credentials/"


def update(env: Environment, link: Link, **typed: str) -> Page:
    return env.send(url_of(link), **typed)


def test_repair_is_being_verified_until_a_check_confirms_it(env: Environment) -> None:
    link = env.belvo_link()

    answer = update(env, link, password="pass_valid")

    assert (answer.status, answer.location) == (303, f"/links/{link.pk}/")
    assert "Verifying repair" in env.open(answer.location).words
    env.prove(link)
    assert (link.health, link.verifying_since) == (HealthState.HEALTHY.value, None)
    assert "Waiting for a status check to confirm it" not in env.open(answer.location).words


def test_unconfirmed_repair_returns_to_the_link_list(env: Environment) -> None:
    link = env.belvo_link()
    update(env, link, password="pass_valid")
    env.simulator.store.belvo_links[link.remote_id].status = "invalid"
    Link.objects.filter(pk=link.pk).update(verifying_since=timezone.now() - timedelta(minutes=2))

    env.prove(link)

    assert (link.health, link.verifying_since) == (HealthState.CUSTOMER_LOGIN.value, None)


def test_a_change_takes_three_commits(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The intent with its slot and claim, the admission of the call, and the outcome."""
    Integration.objects.update(key_state=Integration.KeyState.VALID)
    CircuitBreaker.objects.update_or_create(integration=env.belvo, defaults={"recent": GOOD * SEEN})
    link, commits = env.belvo_link(), list[str]()
    form = env.open(url_of(link)).form_with("password")
    commit = BaseDatabaseWrapper.commit

    def counted(connection: BaseDatabaseWrapper) -> None:
        commits.append(threading.current_thread().name)
        commit(connection)

    monkeypatch.setattr(BaseDatabaseWrapper, "commit", counted)
    env.post(url_of(link), form.values | {"password": "pass_valid"})
    env.settled()

    assert env.last_operation(link).state == State.SUCCEEDED
    assert [name.startswith("provider-call") for name in commits] == [False, True, True]


def test_wrong_password_is_shown_with_code_message_and_request_id(env: Environment) -> None:
    link = env.belvo_link()

    page = update(env, link, password="pass_invalid")

    operation = env.last_operation(link)
    assert page.status == 422
    assert "Wrong password" in page.words
    assert "Invalid credentials provided to login to the institution" in page.words
    assert "login_error" in page.words
    assert len(operation.request_id) == 32
    assert operation.request_id in page.words


def test_verdict_of_a_rejection_is_on_the_links_page(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)

    update(env, link, password="pass_invalid")

    page = env.open(link.get_absolute_url())
    assert "Sign-in needed" in page.words
    assert "Wrong password" in page.words
    assert "Ask the customer for the current password" in page.words


def test_rejected_form_keeps_all_but_secrets(env: Environment) -> None:
    link = env.belvo_link(bank="ironbank_br_retail")

    page = update(
        env, link, password="first secret", password2="invalid", encryption_key="third secret", username_type="003"
    )

    assert page.status == 422
    assert "secret" not in page.source.replace("<secret>", "")
    assert '<option value="003" selected>' in page.source


@pytest.mark.parametrize(
    ("password", "state", "says"),
    [
        ("account_locked", HealthState.CUSTOMER_BANK, "locked"),
        ("access_forbidden", HealthState.CUSTOMER_BANK, "blocked at the bank"),
        ("bank_down", HealthState.WAITING, "isn't responding"),
        ("unexpected", HealthState.WAITING, "unexpected error at the bank"),
        ("mfa_unsupported", HealthState.DISCONNECTED, "code"),
        ("too_many", HealthState.WAITING, "signed in elsewhere"),
        ("expired_creds", HealthState.DISCONNECTED, "stored"),
        ("activation", HealthState.CUSTOMER_BANK, "online banking"),
    ],
)
def test_rejection_says_who_has_to_act(env: Environment, password: str, state: HealthState, says: str) -> None:
    link = env.belvo_link()

    page = update(env, link, password=password)

    link.refresh_from_db()
    assert page.status == 422
    assert env.last_operation(link).state == State.REJECTED
    assert link.health == state.value
    assert says.casefold() in page.words.casefold()


def test_error_without_a_field_is_shown_above_the_form(env: Environment) -> None:
    link = env.belvo_link()

    page = update(env, link, password="validation_error")

    link.refresh_from_db()
    assert page.status == 422
    assert "The provider rejected the form" in page.words
    assert "Bad request" in page.words
    assert link.cause == Cause.LOGIN_REFUSED.value


@pytest.mark.usefixtures("still")
def test_other_session_at_the_bank_says_when_to_try_again(env: Environment) -> None:
    link = env.belvo_link()

    page = update(env, link, password="too_many")

    operation = env.last_operation(link)
    assert operation.retry_at == timezone.now() + timedelta(seconds=120)
    assert f"{operation.retry_at:%H:%M:%S}" in page.words


def test_empty_password_is_an_error_at_its_field(env: Environment) -> None:
    link = env.belvo_link()

    page = update(env, link, password="")

    assert page.status == 422
    assert page.error_at("password") == "This field is required."
    assert env.calls("PUT") == []


def test_certificate_without_its_key_is_an_error_at_the_key(env: Environment) -> None:
    link = env.belvo_link(bank="tatooine_mx_fiscal")

    page = update(env, link, certificate="Y2VydA==")

    assert page.status == 422
    assert "Certificate" in page.error_at("private_key")
    assert env.calls("PUT") == []


def test_document_not_offered_by_the_bank_is_refused(env: Environment) -> None:
    link = env.belvo_link(bank="ironbank_br_retail")

    page = update(env, link, password="pass_valid", password2="valid", username_type="103")

    assert page.status == 422
    assert "103" in page.error_at("username_type")


@pytest.mark.parametrize("bank", ["erebor_mx_retail", "ironbank_br_retail", "anchorhead_mx_fiscal"])
def test_username_is_never_offered(env: Environment, bank: str) -> None:
    link = env.belvo_link(bank=bank)

    page = env.open(url_of(link))

    assert not {name for name in page.inputs() if name.startswith("username")} - {"username_type"}
    assert "The username can't be changed" in page.words


def test_open_finance_link_has_no_form(env: Environment) -> None:
    link = env.belvo_link(bank="ofmockbank_br_retail")

    page = env.open(url_of(link))

    assert "A password won't repair this link" in page.words
    assert "Enter code" not in page.words
    assert "password" not in page.inputs()
    words = env.open(link.get_absolute_url()).words
    assert "Send repair request" in words
    assert "Update credentials" not in words


@pytest.mark.parametrize("provider", ["belvo", "heron"])
def test_form_that_was_never_offered_is_not_sent(env: Environment, provider: str) -> None:
    link = env.belvo_link(bank="ofmockbank_br_retail") if provider == "belvo" else env.heron_link()
    key = "6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a"

    page = env.post(url_of(link), {"operation_key": key, "password": "pass_valid"})

    assert page.status == 409
    assert env.calls("PUT") == []
    assert not link.operations.exists()


def test_form_without_its_key_must_be_reopened(env: Environment) -> None:
    link = env.belvo_link()

    page = env.post(url_of(link), {"password": "pass_valid"})

    assert page.status == 422
    assert "Reopen the form." in page.words


def test_lost_response_is_proven_by_a_later_sign_in(env: Environment) -> None:
    link = env.belvo_link()
    answer = update(env, link, password="lost_after")
    operation = env.last_operation(link)
    assert "Outcome unknown, checking" in env.open(answer.location).words

    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    link.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.CONFIRMED_DONE, "good_data_since")
    assert len(env.calls("PUT")) == 1


def test_link_gone_at_the_provider_is_disconnected(env: Environment) -> None:
    link = env.belvo_link()
    env.simulator.store.belvo_links.clear()

    page = update(env, link, password="pass_valid")

    link.refresh_from_db()
    assert page.status == 422
    assert link.health == HealthState.DISCONNECTED.value


def test_inactive_integration_is_sent_nothing(env: Environment) -> None:
    link = env.belvo_link()
    env.belvo.is_active = False
    env.belvo.save()

    page = update(env, link, password="pass_valid")

    assert page.status == 409
    assert "inactive" in page.words
    assert env.calls("PUT") == []


@pytest.mark.parametrize("password", ["account_locked", "access_forbidden"])
def test_action_needed_at_the_bank_offers_no_retry(env: Environment, password: str) -> None:
    link = env.belvo_link()

    refused = update(env, link, password=password)

    for page in (refused, env.open(url_of(link))):
        (form,) = [each for each in page.elements if each.attrs.get("id") == "done-at-bank"]
        assert "open" not in form.attrs
        assert "attempts left today" not in page.words
        assert page.source.count('role="alert"') <= 1
    operation = env.open(env.last_operation(link).get_absolute_url())
    assert "Start over" not in operation.words
    assert url_of(link) not in operation.links()


def test_customer_who_acted_at_the_bank_can_retry(env: Environment) -> None:
    link = env.belvo_link()
    update(env, link, password="account_locked")

    assert update(env, link, password="pass_valid").location == f"/links/{link.pk}/"


def test_account_locked_by_a_code_is_not_started_over(env: Environment) -> None:
    link = env.belvo_link()
    update(env, link, password="pass_mfa")

    answer = env.send(f"/links/{link.pk}/code/", code="100400")

    page = env.open(answer.location)
    assert "Account locked by the bank" in page.words
    assert "Start over" not in page.words


@pytest.mark.parametrize("status", ["token_required", "invalid"])
def test_locked_account_stays_locked_whatever_sign_in_a_record_asks_for(env: Environment, status: str) -> None:
    link = env.belvo_link(cause=Cause.CODE_NEEDED)
    env.send(url_of(link), password="account_locked")
    env.simulator.store.belvo_links[link.remote_id].status = status

    env.prove(link)

    page = env.open(link.get_absolute_url())
    assert "Action needed at the bank" in page.words
    assert "button--primary" not in page.source


def test_verifying_check_is_stored_as_a_row(env: Environment) -> None:
    link = env.belvo_link()

    env.send(url_of(link), password="pass_valid")

    row = LinkRead.objects.get(link=link)
    assert (row.reason, row.due_at is None) == (Reason.REPAIR, False)
