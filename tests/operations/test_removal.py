"""Deleting at the provider: affected links are listed, confirmed by typing, and disconnected afterward."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations.models import CallQuota
from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause
from tests.environment import Environment

from .helpers import act, delete, ended, reconciled, three_of_one_customer, url_of

pytestmark = pytest.mark.django_db(transaction=True)


def standing(link: Link) -> tuple[str, str, bool]:
    link.refresh_from_db()
    return link.health, link.cause, link.is_disconnected


def test_page_names_every_affected_link_and_what_is_lost(env: Environment) -> None:
    links = three_of_one_customer(env)
    other = env.heron_link("Blue Fern Bakery", item_id="item-9")

    page = env.open(url_of(links[0], "delete"))

    assert "This disconnects 3 links: all that Acme Corp has in Heron test" in page.words
    assert {each.get_absolute_url() for each in links} <= set(page.links())
    assert other.get_absolute_url() not in page.links()
    assert "Transactions already fetched are kept." in page.words
    assert "The link's page, history, and notes stay here, and so does the audit log." in page.words
    assert "Disconnect 3 links" in page.words


def test_page_of_a_single_removal_names_that_one(env: Environment) -> None:
    link = env.belvo_link()

    page = env.open(url_of(link, "delete"))

    assert "This deletes one of the links Acme Corp has in Belvo test" in page.words
    assert "deletes the link and all its accounts" in page.words
    assert "Delete link" in page.words


def test_links_page_says_how_many_links_are_affected(env: Environment) -> None:
    links = three_of_one_customer(env)

    page = env.open(links[0].get_absolute_url())

    assert "Delete link Disconnects this link and this customer's 2 other links." in page.words


def test_removed_link_is_disconnected_and_can_be_reconnected(env: Environment) -> None:
    link = env.belvo_link()

    answer = delete(env, link)

    assert answer.location == link.get_absolute_url()
    assert "Deleted at the provider. 1 link disconnected." in env.open(answer.location).words
    assert standing(link) == ("disconnected", Cause.REMOVED.value, True)
    assert not Link.objects.standing().exists()
    assert len(env.calls("DELETE", f"/api/links/{link.remote_id}/")) == 1


@pytest.mark.parametrize("typed", ["", "somebody else", "CUS"])
def test_removal_requires_the_id(env: Environment, typed: str) -> None:
    link = env.belvo_link()

    page = delete(env, link, confirmation=typed)

    assert page.status == 422
    assert page.error_at("confirmation")
    assert page.inputs()["reason"]["value"] == "The customer closed the account."
    assert not env.calls("DELETE")


def test_id_of_the_link_confirms_too(env: Environment) -> None:
    link = env.belvo_link()

    delete(env, link, confirmation=link.remote_id)

    assert env.last_operation(link).state == State.SUCCEEDED


def test_removal_requires_a_reason_and_stores_it(env: Environment) -> None:
    link = env.belvo_link()

    assert delete(env, link, reason=" ").error_at("reason") == "This field is required."
    delete(env, link, name="mia")

    operation = env.last_operation(link)
    assert operation.note == "The customer closed the account."
    assert "The customer closed the account." in env.open(operation.get_absolute_url()).words


def test_all_links_of_the_customer_end_together_under_one_event(env: Environment) -> None:
    links = three_of_one_customer(env)
    other = env.heron_link("Blue Fern Bakery", item_id="item-9")

    delete(env, links[1])

    operation = env.last_operation()
    assert "Disconnected at the provider" in env.open(operation.get_absolute_url()).words
    assert [standing(each) for each in links] == [("disconnected", Cause.SWITCHED_OFF.value, False)] * 3
    assert {each.changes.latest("id").operation_id for each in links} == {operation.pk}
    assert standing(other)[0] == "healthy"
    event = AuditEvent.objects.get(action="operation.remove_link", outcome="done")
    assert event.details["links"] == 3
    assert len(env.calls("DELETE")) == 1


def test_removal_waits_for_open_operations_of_the_customer(env: Environment) -> None:
    links = three_of_one_customer(env)
    Operation.objects.create(
        kind="refresh_data",
        state=State.UNKNOWN,
        integration=env.heron,
        end_user=links[0].end_user,
        link=links[2],
        actor=env.people["ben"],
        operation_key=uuid.uuid4(),
    )

    page = delete(env, links[0])

    assert page.status == 409
    assert "ben is already working on this: “Refresh data” is still in progress." in page.words
    assert not env.calls("DELETE")


def test_removal_in_the_background_waits_until_the_link_is_gone(env: Environment) -> None:
    link = env.belvo_link()

    answer = delete(env, link, how="in_background")
    page = env.open(answer.location)

    operation = env.last_operation(link)
    assert (operation.state, operation.outcome) == (State.UNKNOWN, "accepted")
    assert "Accepted, checking until it's gone" in page.words
    assert "Accepted, checking until it's gone" in env.open(link.get_absolute_url()).words
    env.clock.forward(60)
    assert reconciled(operation).state == State.CONFIRMED_DONE
    assert standing(link) == ("disconnected", Cause.REMOVED.value, True)


def test_slow_removal_in_the_background_is_not_shown_as_failed(env: Environment, settings: Settings) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    link = env.belvo_link()
    delete(env, link, how="in_background")

    operation = reconciled(env.last_operation(link))

    assert operation.state == State.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "state"), [("lost_after", State.CONFIRMED_DONE), ("lost_before", State.CONFIRMED_NOT_DONE)]
)
def test_lost_removal_is_resolved_by_reading(env: Environment, settings: Settings, fault: str, state: State) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    link = env.belvo_link()
    env.simulator.fail("DELETE", "/api/links/", fault)

    delete(env, link)
    operation = ended(env, env.last_operation(link))

    assert operation.state == State.UNKNOWN
    assert reconciled(operation).state == state
    assert standing(link)[2] is (state == State.CONFIRMED_DONE)
    assert len(env.calls("DELETE")) == 1


def test_lost_removal_of_all_ends_all_when_the_record_shows_it(env: Environment) -> None:
    links = three_of_one_customer(env)
    env.simulator.fail("DELETE", "/api/integrations/", "lost_after")
    delete(env, links[0])

    operation = reconciled(env.last_operation())

    assert operation.state == State.CONFIRMED_DONE
    assert [standing(each)[1] for each in links] == [Cause.SWITCHED_OFF.value] * 3


@pytest.mark.parametrize(("outcome", "causes"), [("done", {"switched_off"}), ("not_done", {"working"})])
def test_manager_resolves_an_unproven_removal(env: Environment, outcome: str, causes: set[str]) -> None:
    links = three_of_one_customer(env)
    env.simulator.fail("DELETE", "/api/integrations/", "lost_before")
    delete(env, links[0])
    Operation.objects.update(state=State.NEEDS_DECISION)
    url = env.last_operation().get_absolute_url()

    env.post(f"{url}decide/", {"outcome": outcome, "note": "Their support told me."}, "mia")

    operation = env.last_operation()
    assert {standing(each)[1] for each in links} == causes
    assert not operation.counts_as_attempt


def test_rejected_removal_changes_nothing(env: Environment) -> None:
    link = env.belvo_link()
    env.simulator.fail("DELETE", "/api/links/", "rate_429")

    page = delete(env, link)

    assert page.status == 422
    assert "Rate limited by the provider" in page.words
    assert standing(link) == ("customer_login", Cause.LOGIN_REFUSED.value, False)


def test_link_that_is_already_gone_says_so(env: Environment) -> None:
    link = env.belvo_link()
    env.simulator.fail("DELETE", "/api/links/", "not_found")

    page = delete(env, link)

    assert page.status == 422
    assert standing(link)[0] == "disconnected"


def test_double_click_removes_once(env: Environment) -> None:
    link = env.belvo_link()
    form = env.open(url_of(link, "delete")).form_with()
    typed = form.values | {"reason": "Closed.", "confirmation": link.remote_id}

    for _click in range(2):
        env.post(url_of(link, "delete"), typed)

    assert len(env.calls("DELETE")) == 1
    assert Operation.objects.count() == 1


def test_removal_in_the_background_has_its_own_quota(env: Environment) -> None:
    first, second = env.belvo_link(), env.belvo_link("Other Ltd")
    used_up = {"calls": 5, "used": 5, "window_ends_at": timezone.now() + timedelta(minutes=1)}
    CallQuota.objects.create(integration=env.belvo, scope="remove_link", **used_up)

    refused, taken = delete(env, first), delete(env, second, how="in_background")

    assert "the limit of 5 requests has been reached" in refused.words
    assert (taken.status, len(env.calls("DELETE"))) == (303, 1)


def test_one_link_that_was_gone_before_does_not_prove_the_removal_of_the_others(env: Environment) -> None:
    links = three_of_one_customer(env)
    env.simulator.store.heron_links.pop(links[0].remote_id)
    env.post(f"/links/{links[0].pk}/refresh/")
    env.simulator.fail("DELETE", "/api/integrations/", "lost_before")
    delete(env, links[0])

    operation = reconciled(env.last_operation())

    assert operation.state == State.UNKNOWN
    assert "disconnected" not in {standing(each)[0] for each in links[1:]}


def test_removal_with_a_remaining_link_did_not_happen(env: Environment, settings: Settings) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    links = three_of_one_customer(env)
    env.simulator.fail("DELETE", "/api/integrations/", "lost_after")
    delete(env, links[0])
    env.simulator.store.heron_links[links[2].remote_id].status = "active"

    assert reconciled(env.last_operation()).state == State.CONFIRMED_NOT_DONE


def test_only_the_confirmed_links_are_removed(env: Environment) -> None:
    links = three_of_one_customer(env)
    form = env.open(url_of(links[0], "delete")).form_with("confirmation")
    typed = {"reason": "The customer left.", "confirmation": links[0].end_user.external_id}
    env.let_know(env.heron, links[0].end_user, "item-4", None, Cause.WORKING)

    page = env.post(url_of(links[0], "delete"), form.values | typed)
    again = page.form_with("confirmation")

    assert (page.status, env.calls("DELETE")) == (422, [])
    assert "The affected links have changed since you opened this page." in page.words
    assert env.post(url_of(links[0], "delete"), again.values | typed).status == 303


def test_nothing_starts_for_a_customer_whose_links_are_being_removed(env: Environment) -> None:
    links = three_of_one_customer(env)
    env.simulator.fail("DELETE", "/api/integrations/", "lost_before")
    delete(env, links[0])
    typed = {"end_user_id": links[0].end_user.external_id, "item_id": "item-9", "access_token": "access-1"}
    created = len(env.calls("POST"))

    create, fetch = env.send(env.new_link_url(), **typed), act(env, links[1], "fetch")

    assert (create.status, fetch.status, len(env.calls("POST"))) == (409, 409, created)
    assert "Delete link" in create.words


def test_removal_waits_for_a_link_that_is_being_created(env: Environment) -> None:
    links = three_of_one_customer(env)
    typed = {"end_user_id": links[0].end_user.external_id, "item_id": "item-9", "access_token": "access-lost-before"}
    env.send(env.new_link_url(), **typed)

    assert (delete(env, links[0]).status, env.calls("DELETE")) == (409, [])


def test_reason_of_a_removal_outlives_the_decision_about_it(env: Environment) -> None:
    links = three_of_one_customer(env)
    env.simulator.fail("DELETE", "/api/integrations/", "lost_before")
    delete(env, links[0])
    Operation.objects.update(state=State.NEEDS_DECISION)
    url = env.last_operation().get_absolute_url()

    env.post(f"{url}decide/", {"outcome": "not_done", "note": "I asked their support."}, "mia")

    assert env.last_operation().note == "The customer closed the account. · I asked their support."
