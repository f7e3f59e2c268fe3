"""Changes beside links, and how lost ones are resolved: by reading records, never by resending."""

import uuid

import pytest
from django.utils import timezone
from pytest_django import Settings

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations import refusals, services, tasks
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.operations.presentation.explanations import explain
from linkadmin.providers.types import Cause, Secret
from tests.environment import HERON_INTEGRATION, Environment
from tests.providers.conftest import Script, reply

from .helpers import act, change, change_customer, change_heron, reconciled

pytestmark = pytest.mark.django_db(transaction=True)

HOOK = {"topic": "end_user.processed", "url": "https://staff.example.com/webhooks/heron/1/"}


@pytest.fixture
def at_once(settings: Settings) -> None:
    """Whatever the provider started has finished at once, so that "didn't happen" counts."""
    settings.RECONCILE_SETTLED_SECONDS = 0


@pytest.fixture
def link(env: Environment) -> Link:
    """A Heron link with its first data."""
    link = env.heron_link()
    env.clock.forward(5)
    return link


def source_of(env: Environment, link: Link) -> str:
    return str(env.call_heron("GET", f"/api/end_users/{link.end_user.external_id}/data_sources")[0]["heron_id"])


def test_customer_is_added_to_the_provider(env: Environment) -> None:
    customer = env.customer("Blue Fern Bakery")
    link = Link(integration=env.heron, end_user=customer)

    operation = change_customer(env, link, OperationKind.CREATE_END_USER)

    assert operation.state == State.SUCCEEDED
    assert operation.natural_key.startswith("eus_")
    told = env.calls("POST", "/api/end_users")[-1].body
    assert told["end_user"] == {"end_user_id": customer.external_id, "name": "Blue Fern Bakery"}
    assert "Blue Fern Bakery" not in str(operation.result)


def test_data_source_is_excluded_and_included_again(env: Environment, link: Link) -> None:
    source = source_of(env, link)

    left_out = change_customer(env, link, OperationKind.SWITCH_DATA_SOURCE, source, enabled="no")
    counted = change_customer(env, link, OperationKind.SWITCH_DATA_SOURCE, source, enabled="yes")

    assert (left_out.result, counted.result) == ({"enabled": False}, {"enabled": True})
    assert (explain(left_out).title, explain(counted).title) == (
        "Data source excluded",
        "Data source included",
    )


def test_subscription_starts_pauses_and_ends(env: Environment) -> None:
    added = change_heron(env, OperationKind.ADD_WEBHOOK, **HOOK)
    paused = change_heron(env, OperationKind.SWITCH_WEBHOOK, added.natural_key, enabled="no", **HOOK)
    ended_one = change_heron(env, OperationKind.REMOVE_WEBHOOK, added.natural_key)

    assert [each.state for each in (added, paused, ended_one)] == [State.SUCCEEDED] * 3
    assert paused.result == {"enabled": False}
    assert [explain(each).title for each in (added, paused, ended_one)] == [
        "Subscribed",
        "Subscription paused",
        "Unsubscribed",
    ]


def test_operations_without_a_customer_are_for_integration_managers(env: Environment) -> None:
    operation = change_heron(env, OperationKind.ADD_WEBHOOK, **HOOK)
    url = operation.get_absolute_url()

    page = env.open(url, "adm")

    assert url == f"/integrations/operations/{operation.pk}/"
    assert "Subscribed" in page.words
    assert env.heron.get_absolute_url() in page.links()
    assert env.client("ana").get(url).status_code == 403


def test_auditor_finds_it_in_the_admin_with_no_customer(env: Environment) -> None:
    operation = change_heron(env, OperationKind.ADD_WEBHOOK, **HOOK)

    listed = env.open("/admin/operations/operation/", "aud")
    page = env.open(f"/admin/operations/operation/{operation.pk}/change/", "aud")

    assert str(operation.pk) in listed.source
    assert "N•••" not in listed.source
    assert page.status == 200


def test_same_change_of_the_same_thing_waits_for_the_first(env: Environment) -> None:
    operation = change_heron(env, OperationKind.REMOVE_WEBHOOK, "wbh_none")
    Operation.objects.filter(pk=operation.pk).update(state=State.UNKNOWN)

    with pytest.raises(refusals.AlreadyOpen):
        change_heron(env, OperationKind.REMOVE_WEBHOOK, "wbh_none")

    assert len(env.calls("DELETE")) == 1


def test_unsupported_change_is_not_sent(env: Environment) -> None:
    with pytest.raises(refusals.ProviderCannot):
        services.change_account(
            actor=env.people["adm"],
            integration=env.belvo,
            kind=OperationKind.ADD_WEBHOOK,
            values=HOOK,
            operation_key=uuid.uuid4(),
        )

    assert not env.calls("POST")


LOST = [("lost_after", State.CONFIRMED_DONE), ("lost_before", State.CONFIRMED_NOT_DONE)]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("fault", "state"), LOST)
def test_lost_settings_are_read_from_the_links_record(env: Environment, fault: str, state: State) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.simulator.fail("PATCH", "/api/links/", fault)
    operation = change(env, link, OperationKind.CHANGE_SETTINGS, stale_in="90d", access_mode="single")

    assert operation.state == State.UNKNOWN
    assert reconciled(operation).state == state
    link.refresh_from_db()
    assert (link.stale_in == "90d") is (state == State.CONFIRMED_DONE)


def test_setting_missing_from_the_record_is_not_proven_by_others(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.simulator.fail("PATCH", "/api/links/", "lost_before")
    operation = change(env, link, OperationKind.CHANGE_SETTINGS, access_mode="recurrent", stale_in="90d")
    env.simulator.store.belvo_links[link.remote_id].stale_in = None

    assert reconciled(operation).state == State.UNKNOWN


def test_older_subscription_that_pauses_does_not_prove_a_new_one(env: Environment) -> None:
    made = change_heron(env, OperationKind.ADD_WEBHOOK, **HOOK)
    change_heron(env, OperationKind.SWITCH_WEBHOOK, made.natural_key, **HOOK, enabled="no")
    env.simulator.fail("POST", "/api/webhooks", "lost_before")

    operation = change_heron(env, OperationKind.ADD_WEBHOOK, **HOOK)

    assert reconciled(operation).state == State.UNKNOWN


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("fault", "state"), LOST)
def test_lost_new_customer_is_looked_for(env: Environment, fault: str, state: State) -> None:
    link = Link(integration=env.heron, end_user=env.customer())
    env.simulator.fail("POST", "/api/end_users", fault)

    operation = reconciled(change_customer(env, link, OperationKind.CREATE_END_USER))

    assert operation.state == state
    assert bool(operation.natural_key) is (state == State.CONFIRMED_DONE)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("fault", "state"), LOST)
def test_lost_switch_of_a_data_source_is_read_from_the_list(
    env: Environment, link: Link, fault: str, state: State
) -> None:
    env.simulator.fail("PUT", "/api/data_sources/", fault)
    source = source_of(env, link)

    operation = change_customer(env, link, OperationKind.SWITCH_DATA_SOURCE, source, enabled="no")

    assert reconciled(operation).state == state


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("fault", "state"), LOST)
def test_lost_subscription_is_read_from_the_list(env: Environment, fault: str, state: State) -> None:
    env.simulator.fail("POST", "/api/webhooks", fault)

    operation = reconciled(change_heron(env, OperationKind.ADD_WEBHOOK, **HOOK))

    assert operation.state == state
    assert operation.natural_key.startswith("wbh_") is (state == State.CONFIRMED_DONE)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("fault", "state"), LOST)
def test_lost_pause_and_end_of_a_subscription_are_read_from_the_list(
    env: Environment, fault: str, state: State
) -> None:
    made = change_heron(env, OperationKind.ADD_WEBHOOK, **HOOK).natural_key
    env.simulator.fail("PUT", "/api/webhooks/", fault)
    env.simulator.fail("DELETE", "/api/webhooks/", fault)

    paused = reconciled(change_heron(env, OperationKind.SWITCH_WEBHOOK, made, enabled="no", **HOOK))
    over = reconciled(change_heron(env, OperationKind.REMOVE_WEBHOOK, made))

    assert (paused.state, over.state) == (state, state)


def test_lost_refresh_is_proven_by_newer_data(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.clock.forward(120)
    env.simulator.fail("POST", "/api/links/", "lost_after")

    operation = reconciled(change(env, link, OperationKind.REFRESH_DATA))

    assert (operation.state, operation.outcome) == (State.CONFIRMED_DONE, "good_data_since")


def test_lost_token_is_proven_by_a_link_that_works_again(env: Environment) -> None:
    link = env.heron_link(cause=Cause.TOKEN_OUTDATED)
    operation = change(env, link, OperationKind.REPLACE_TOKEN, access_token=Secret("access-lost"))
    env.clock.forward(120)

    assert operation.state == State.UNKNOWN
    assert reconciled(operation).state == State.CONFIRMED_DONE
    assert "access-lost" not in str(operation.parameters)


def test_new_data_of_a_link_that_worked_before_proves_no_new_token(env: Environment, link: Link) -> None:
    operation = change(env, link, OperationKind.REPLACE_TOKEN, access_token=Secret("access-lost-before"))
    env.clock.forward(120)

    assert reconciled(operation).state == State.UNKNOWN


def test_lost_refresh_without_new_data_needs_a_person(env: Environment, settings: Settings) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.simulator.fail("POST", "/api/links/", "lost_before")
    operation = change(env, link, OperationKind.REFRESH_DATA)

    assert reconciled(operation).state == State.UNKNOWN
    settings.OPERATION_UNDECIDED_SECONDS = 0

    assert reconciled(operation).state == State.NEEDS_DECISION


def test_lost_reports_are_proven_by_newer_data_of_a_link(env: Environment) -> None:
    env.heron.options = {"integration_id": "itg_sandbox_assets"}
    env.heron.save()
    customer = env.customer()
    body = {"access_token": "x", "end_user_id": customer.external_id, "item_id": "item-1"}
    env.call_heron("POST", "/api/integrations/itg_sandbox_assets/links", body)
    link = env.let_know(env.heron, customer, "item-1", None, Cause.WORKING)
    Link.objects.update(remote_kind="plaid_assets_report")
    env.clock.forward(60)
    env.simulator.fail("PUT", "/api/integrations/", "lost_after")

    operation = change_customer(env, link, OperationKind.REGENERATE_REPORTS)
    env.clock.forward(60)

    assert reconciled(operation).state == State.CONFIRMED_DONE


def test_manual_resolution_of_a_refresh_counts_no_attempt(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.simulator.fail("POST", "/api/links/", "lost_before")
    operation = change(env, link, OperationKind.REFRESH_DATA)
    Operation.objects.update(state=State.NEEDS_DECISION)

    said = {"outcome": "not_done", "note": "No new data at the provider."}
    env.post(f"{operation.get_absolute_url()}decide/", said, "mia")

    operation.refresh_from_db()
    assert (operation.state, operation.counts_as_attempt) == (State.CONFIRMED_NOT_DONE, False)


def test_response_that_shows_the_old_value_is_no_success(env: Environment) -> None:
    old = {"heron_id": "wbh_1", "is_enabled": True, **HOOK}
    deaf = Script([reply(200, {"webhook": old})])
    Integration.objects.filter(pk=env.heron.pk).update(base_url=deaf.url)
    env.heron.refresh_from_db()

    operation = change_heron(env, OperationKind.SWITCH_WEBHOOK, "wbh_1", enabled="no", **HOOK)
    deaf.stop()

    assert (operation.state, operation.outcome) == (State.REJECTED, "NotTaken")
    assert explain(operation).title == "The provider didn't apply the change"


def test_row_that_cannot_be_closed_does_not_block_others(env: Environment) -> None:
    for number in range(2):
        act(env, env.belvo_link(f"Customer {number}", cause=Cause.WORKING), "fetch")
    broken, good = Operation.objects.order_by("created_at")
    Operation.objects.update(state=State.SENDING, lease_until=timezone.now())
    Operation.objects.filter(pk=broken.pk).update(kind="un\nprintable")

    tasks.close_overdue()

    good.refresh_from_db()
    broken.refresh_from_db()
    assert (good.state, broken.state) == (State.UNKNOWN, State.SENDING)


def test_refresh_stores_the_links_record(env: Environment, link: Link) -> None:
    operation = change(env, link, OperationKind.REFRESH_DATA)

    link.refresh_from_db()
    assert link.raw_status == "syncing"
    assert env.calls("POST", f"/api/integrations/{HERON_INTEGRATION}/links/{link.remote_id}/refresh")
    assert operation.state == State.SUCCEEDED
