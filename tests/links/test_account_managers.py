"""A customer's account manager, and its copy in the customer's links."""

import pytest
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.links import health
from linkadmin.links.account_managers import set_account_manager
from linkadmin.links.models import EndUser, Link
from linkadmin.providers.types import Cause, Observation, RemoteLink
from tests.environment import Environment

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def managers(customer: EndUser) -> list[str]:
    names = customer.links.order_by("remote_id").values_list("account_manager__username", flat=True)
    return [name or "" for name in names]


def start(env: Environment, customer: EndUser, remote_id: str, *, by_list: bool) -> Link:
    link = Link(integration=env.heron, end_user=customer, remote_id=remote_id)
    seen = Observation(cause=Cause.WORKING)
    if by_list:
        health.start_links([(link, RemoteLink(remote_id, seen))], at=timezone.now())
        return link
    report = health.Report(seen, health.Source.CALL, timezone.now())
    return health.start_link(RemoteLink(remote_id, seen), link, report)


def test_links_follow_their_customer(env: Environment) -> None:
    link = env.heron_link("Acme Corp")
    other = env.heron_link("Blue Fern Bakery", item_id="item-2")
    customer = link.end_user

    assert set_account_manager(customer, env.people["mia"], by=env.people["mia"])
    assert managers(customer) == ["mia"]
    assert managers(other.end_user) == [""]

    assert set_account_manager(customer, None, by=env.people["mia"])
    assert managers(customer) == [""]


@pytest.mark.parametrize("by_list", [True, False])
def test_new_link_has_its_customers_account_manager(env: Environment, *, by_list: bool) -> None:
    outdated = env.customer("Acme Corp")
    set_account_manager(EndUser.objects.get(), env.people["mia"], by=env.people["mia"])

    link = start(env, outdated, "item-2", by_list=by_list)

    assert link.account_manager_id == env.people["mia"].pk
    assert managers(outdated) == ["mia"]


def test_change_is_recorded_once(env: Environment) -> None:
    customer = env.customer("Acme Corp")

    assert set_account_manager(customer, env.people["mia"], by=env.people["ana"])
    assert not set_account_manager(customer, env.people["mia"], by=env.people["ana"])

    event = AuditEvent.objects.get(action="end_user.account_manager_set")
    assert (event.actor, event.object_id) == ("ana", str(customer.pk))
    assert event.details == {"account_manager": str(env.people["mia"].pk)}


def test_deleted_account_manager_leaves_nothing_behind(env: Environment) -> None:
    link = env.heron_link()
    set_account_manager(link.end_user, env.people["mia"], by=env.people["ana"])

    env.people["mia"].delete()

    link.refresh_from_db()
    assert link.account_manager is None
    assert link.end_user.account_manager is None
