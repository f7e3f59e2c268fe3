"""Links that wait long: for their first data, or on a bank or provider."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links import health
from linkadmin.links.models import Link
from linkadmin.providers.types import Cause, HealthState, Observation, RemoteLink
from tests.environment import Environment

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def ask(link: Link, cause: Cause, *, hours: float) -> str:
    """Read a link this many hours after it was created. Returns its cause."""
    at = NOW + timedelta(hours=hours)
    remote = RemoteLink(link.remote_id, Observation(cause), created_at=NOW)
    health.observe_remote(link, remote, source=health.Source.LIST, at=at)
    return link.cause


@pytest.mark.parametrize("cause", [Cause.PENDING, Cause.FIRST_SYNC, Cause.DATA_PREPARING])
def test_link_without_data_after_a_day_is_unrecognized(env: Environment, cause: Cause) -> None:
    link = env.heron_link(cause=Cause.PENDING)

    assert ask(link, cause, hours=23.9) == cause.value
    assert ask(link, cause, hours=24.1) == Cause.NEVER_SYNCED.value
    assert link.health == HealthState.UNKNOWN.value


def test_registration_waiting_for_the_customer_is_not_without_data(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.UNCONFIRMED)

    assert ask(link, Cause.UNCONFIRMED, hours=48) == Cause.UNCONFIRMED.value


def test_link_that_had_data_may_be_set_up_again_for_long(env: Environment) -> None:
    link = env.heron_link()
    Link.objects.update(last_good_at=NOW - timedelta(days=9))

    assert ask(link, Cause.PENDING, hours=48) == Cause.PENDING.value


def test_wait_of_more_than_two_days_comes_before_other_waits(env: Environment) -> None:
    long, short = env.belvo_link(cause=Cause.BANK_DOWN), env.belvo_link("Beta", cause=Cause.BANK_DOWN)
    Link.objects.filter(pk=long.pk).update(health_since=timezone.now() - timedelta(hours=49))

    assert health.escalate(now=timezone.now()) == 1

    long.refresh_from_db()
    assert (long.health, long.waits_too_long) == (HealthState.WAITING.value, True)
    assert long.urgency < short.urgency
    assert health.escalate(now=timezone.now()) == 0


def test_long_wait_keeps_its_place_when_it_is_read_again(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.BANK_DOWN)
    Link.objects.update(health_since=timezone.now() - timedelta(hours=49))
    health.escalate(now=timezone.now())
    before = Link.objects.get().urgency

    health.observe(link, health.Report(Observation(Cause.BANK_TROUBLE), health.Source.LIST, timezone.now()))

    assert link.urgency == before
