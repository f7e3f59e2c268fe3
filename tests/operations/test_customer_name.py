"""Changing a customer's name at Heron: who may, what is sent, and how a lost response is resolved."""

import pytest
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import EndUser, Link
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.operations.presentation.explanations import explain
from tests.environment import Environment
from tests.markup import Page

from .helpers import change_customer, reconciled, url_of

pytestmark = pytest.mark.django_db(transaction=True)

SLUG, NEW = "customer-name", "Acme Holdings"
NAMED = "/api/end_users"


def typed(env: Environment, link: Link, name: str) -> Page:
    values = env.open(url_of(link, SLUG)).form_with("name").values
    return env.post(url_of(link, SLUG), values | {"name": name})


def name_at_heron(env: Environment, customer: EndUser) -> str:
    return str(env.call_heron("GET", f"{NAMED}/{customer.external_id}")["end_user"]["name"])


@pytest.mark.parametrize(("name", "sees"), [("ana", True), ("mia", False), ("aud", False)])
def test_button_needs_the_right_and_a_provider_with_names(env: Environment, name: str, sees: bool) -> None:
    link, other = env.heron_link(), env.belvo_link("Blue Fern Bakery")

    assert (url_of(link, SLUG) in env.open(link.get_absolute_url(), name).links()) is sees
    assert url_of(other, SLUG) not in env.open(other.get_absolute_url(), name).links()
    assert env.client(name).get(url_of(link, SLUG)).status_code == (200 if sees else 403)


def test_new_name_is_changed_at_the_provider_only(env: Environment) -> None:
    link = env.heron_link()
    page = env.open(url_of(link, SLUG))

    shown = env.open(typed(env, link, f" {NEW} ").location)

    assert page.inputs()["name"]["value"] == link.end_user.name
    assert "Customer name changed" in shown.words
    assert [call.body for call in env.calls("PUT", NAMED)] == [
        {"end_user": {"end_user_id": link.end_user.external_id, "name": NEW}}
    ]
    assert name_at_heron(env, link.end_user) == NEW
    assert EndUser.objects.get(pk=link.end_user_id).name == link.end_user.name
    events = AuditEvent.objects.filter(action="operation.rename_end_user").order_by("seq")
    assert [event.outcome for event in events] == ["requested", "done"]
    assert {event.object_id for event in events} == {str(link.end_user_id)}
    assert not any(NEW in event.canonical for event in events)


def test_nothing_is_sent_without_a_name(env: Environment) -> None:
    link = env.heron_link()

    assert typed(env, link, " ").status == 422
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("fault", "state"), [("lost_after", State.CONFIRMED_DONE), ("lost_before", State.CONFIRMED_NOT_DONE)]
)
def test_lost_name_is_read_from_the_customers_record(
    env: Environment, settings: Settings, fault: str, state: State
) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    link = env.heron_link()
    env.simulator.fail("PUT", NAMED, fault)

    lost = change_customer(env, link, OperationKind.RENAME_END_USER, name=NEW)

    assert lost.state == State.UNKNOWN
    assert reconciled(lost).state == state
    assert len(env.calls("PUT", NAMED)) == 1


def test_customer_missing_at_the_provider_is_explained(env: Environment) -> None:
    link = env.heron_link()
    env.call_heron("POST", f"{NAMED}/{link.end_user.external_id}/delete")
    env.clock.forward(3600)

    refused = change_customer(env, link, OperationKind.RENAME_END_USER, name=NEW)

    assert (refused.state, explain(refused).title) == (
        State.REJECTED,
        "The provider no longer has a record of this",
    )
