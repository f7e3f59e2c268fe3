"""Every action, refusal and view of a customer is an audit event, without names or secrets."""

import json

import pytest
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, State
from tests.environment import Environment

pytestmark = pytest.mark.django_db(transaction=True)

SECRETS = {"password": "pass_mfa", "encryption_key": "Xencryption", "token": "111112"}


def events(env: Environment, *, beside: str = "session.") -> list[tuple[str, str, str]]:
    """Action, actor and outcome of the audit events, without those whose action starts with `beside`."""
    kept = AuditEvent.objects.exclude(action__startswith=beside).order_by("seq")
    return [(event.actor, event.action, event.outcome) for event in kept]


def test_repair_with_a_code_has_an_event_per_step(env: Environment) -> None:
    link = env.belvo_link()
    env.client().post(f"/links/{link.pk}/credentials/", _key() | {"password": "pass_mfa"})
    env.send(f"/links/{link.pk}/code/", code="111111")

    assert events(env) == [
        ("ana", "operation.update_credentials", "requested"),
        ("ana", "operation.update_credentials", "needs_code"),
        ("ana", "link.viewed", "done"),
        ("ana", "operation.submit_code", "requested"),
        ("ana", "operation.submit_code", "done"),
    ]


def test_event_names_link_operation_and_request(env: Environment) -> None:
    link = env.belvo_link()

    answer = env.client().post(f"/links/{link.pk}/credentials/", _key() | {"password": "pass_valid"})

    event = AuditEvent.objects.get(action="operation.update_credentials", outcome="requested")
    assert (event.object_type, event.object_id) == ("link", str(link.pk))
    assert event.operation_id == str(env.last_operation(link).pk)
    assert event.request_id == answer["X-Request-Id"]


@pytest.mark.parametrize(
    ("password", "outcome"),
    [("pass_invalid", "rejected"), ("lost_before", "unknown"), ("bank_down", "rejected"), ("pass_valid", "done")],
)
def test_outcome_is_an_event(env: Environment, password: str, outcome: str) -> None:
    link = env.belvo_link()

    env.client().post(f"/links/{link.pk}/credentials/", _key() | {"password": password})

    assert [end for _who, _what, end in events(env)] == ["requested", outcome]


def test_own_refusal_is_an_event(env: Environment) -> None:
    existing = env.heron_link()
    typed = {"end_user_id": existing.end_user.external_id, "item_id": "item-1", "access_token": "access-sandbox"}

    env.post(env.new_link_url(), _key() | typed)

    event = AuditEvent.objects.get(action="operation.create_link")
    assert (event.outcome, event.details["reason"]) == ("not_sent", "duplicate_link")


def test_views_of_a_customer_are_events(env: Environment) -> None:
    link = env.belvo_link()

    env.open(link.get_absolute_url(), "mia")
    env.open(link.end_user.get_absolute_url(), "aud")

    assert events(env) == [("mia", "link.viewed", "done"), ("aud", "end_user.viewed", "done")]
    assert AuditEvent.objects.get(action="end_user.viewed").object_id == str(link.end_user_id)


def test_status_check_and_cancellation_are_events(env: Environment) -> None:
    link = env.belvo_link()
    env.post(f"/links/{link.pk}/refresh/")
    env.client().post(f"/links/{link.pk}/credentials/", _key() | {"password": "pass_mfa"})
    env.post(f"/links/{link.pk}/code/withdraw/")

    assert ("ana", "link.checked", "requested") in events(env)
    assert events(env)[-1] == ("ana", "operation.update_credentials.canceled", "done")


def test_expiry_is_an_event_of_the_operation(env: Environment, settings: Settings) -> None:
    link = env.belvo_link()
    env.client().post(f"/links/{link.pk}/credentials/", _key() | {"password": "lost_after"})

    tasks.reconcile_one(str(env.last_operation(link).pk))

    assert [end for _who, _what, end in events(env)] == ["requested", "unknown", "done"]


def test_allowed_attempt_is_an_event(env: Environment) -> None:
    link = env.belvo_link()
    for _each in range(2):
        env.send(f"/links/{link.pk}/credentials/", password="pass_invalid")

    env.send(f"/links/{link.pk}/attempt/", "mia", reason="The customer, Wilhelmina, is sure.")

    event = AuditEvent.objects.get(action="link.attempt_allowed")
    assert (event.actor, event.object_id) == ("mia", str(link.pk))


def test_change_whose_request_cannot_be_recorded_is_not_sent(env: Environment, settings: Settings) -> None:
    link = env.belvo_link()
    form = env.open(f"/links/{link.pk}/credentials/").form_with("password").values
    settings.AUDIT_KEY = ""
    env.client().raise_request_exception = False

    answer = env.post(f"/links/{link.pk}/credentials/", form | {"password": "pass_valid"})

    assert answer.status >= 500
    assert env.calls("PUT") == []
    assert not Operation.objects.exists()


def test_no_event_contains_a_name_or_a_secret(env: Environment) -> None:
    link = env.belvo_link("Wilhelmina Quackenbush")
    env.open(link.get_absolute_url())
    env.post("/links/", {"q": "Wilhelmina"})
    env.client().post(f"/links/{link.pk}/credentials/", _key() | SECRETS)
    env.send(f"/links/{link.pk}/code/", code="475869")
    env.send(
        env.new_link_url(), end_user_id="c-1", end_user_name="Wilhelmina Q", item_id="i", access_token="tok-secret"
    )
    env.open(f"/admin/links/link/{link.pk}/change/", "aud")

    trail = json.dumps(list(AuditEvent.objects.values()), default=str)

    assert env.last_operation(link).state == State.NEEDS_CODE
    for word in ("Wilhelmina", "Quackenbush", "475869", "tok-secret", *SECRETS.values(), link.end_user.external_id):
        assert word not in trail


@pytest.mark.parametrize("path", ["", "credentials/"])
def test_viewing_any_page_of_a_link_is_an_event(env: Environment, path: str) -> None:
    link = env.belvo_link()

    env.open(f"/links/{link.pk}/{path}", name="ben")

    event = AuditEvent.objects.get(action="link.viewed")
    assert (event.actor, event.object_id) == ("ben", str(link.pk))


def test_viewing_an_operation_is_an_event_and_polling_is_not(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="lost_before")
    operation = env.last_operation(link)
    seen = AuditEvent.objects.filter(action="link.viewed", details__page="operation")

    env.client("ben").get(f"{operation.get_absolute_url()}live/")
    assert seen.count() == 0

    env.open(operation.get_absolute_url(), name="ben")
    assert seen.count() == 1


def _key() -> dict[str, str]:
    return {"operation_key": "6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a"}
