"""Reads that become due with time: repairs, new links, old data, ending consents."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from linkadmin.integrations.models import CallQuota, Integration
from linkadmin.links import health
from linkadmin.links.causes import ESCALATED_RANK
from linkadmin.links.models import Link, LinkRead, Reason
from linkadmin.providers.types import Cause, HealthState
from linkadmin.sync import reads, tasks
from tests.environment import Environment

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNASKABLE: list[dict[str, Any]] = [{"is_active": False}, {"key_state": Integration.KeyState.REJECTED}]


def pass_time(env: Environment, link: Link, **columns: object) -> Link:
    """Set columns of a link, then do what time makes due: first wanted reads, then the reads."""
    Link.objects.filter(pk=link.pk).update(**columns)
    tasks.tick_seconds()
    tasks.tick_minutes()
    reads.work(link.integration_id)
    link.refresh_from_db()
    return link


def wanted(link: Link) -> str:
    """Return why a link is due for a read; empty if it isn't."""
    row = LinkRead.objects.filter(link=link, due_at__isnull=False).first()
    return row.reason if row else ""


def status_at_belvo(env: Environment, link: Link, status: str) -> None:
    env.simulator.store.belvo_links[link.remote_id].status = status


class TestProof:
    def test_repair_is_proven_by_the_next_read(self, env: Environment) -> None:
        link = env.belvo_link()
        health.start_verifying(link, at=timezone.now(), request_id="")

        pass_time(env, link)

        assert (link.health, link.is_verifying) == (HealthState.HEALTHY.value, False)

    def test_records_that_lag_behind_leave_it_proving_until_they_follow(self, env: Environment) -> None:
        link = env.belvo_link()
        status_at_belvo(env, link, "invalid")
        health.start_verifying(link, at=timezone.now(), request_id="")
        assert pass_time(env, link).is_verifying

        status_at_belvo(env, link, "valid")
        LinkRead.objects.update(read_at=None)
        pass_time(env, link, checked_at=timezone.now() - timedelta(seconds=11))

        assert (link.health, link.is_verifying) == (HealthState.HEALTHY.value, False)

    def test_read_that_still_shows_the_trouble_after_a_minute_puts_it_back(self, env: Environment) -> None:
        link = env.belvo_link()
        status_at_belvo(env, link, "invalid")
        health.start_verifying(link, at=timezone.now() - timedelta(minutes=2), request_id="")

        pass_time(env, link)

        assert (link.health, link.is_verifying) == (HealthState.CUSTOMER_LOGIN.value, False)

    def test_repair_without_proof_goes_back_to_the_queue_after_the_set_time(
        self, env: Environment, settings: Settings
    ) -> None:
        settings.PROOF_SECONDS = 90
        link = env.belvo_link()
        env.simulator.fail("GET", "/api/links/", "unsupported_operation", 9)
        health.start_verifying(link, at=timezone.now() - timedelta(seconds=80), request_id="")
        assert pass_time(env, link).is_verifying

        pass_time(env, link, verifying_since=timezone.now() - timedelta(seconds=91))

        assert (link.health, link.is_verifying) == (HealthState.CUSTOMER_LOGIN.value, False)

    @pytest.mark.parametrize("state", UNASKABLE)
    def test_repair_that_cannot_be_asked_about_is_given_up_all_the_same(
        self, env: Environment, state: dict[str, Any]
    ) -> None:
        link = env.belvo_link()
        Integration.objects.update(**state)

        pass_time(env, link, verifying_since=timezone.now() - timedelta(minutes=31))

        assert not link.is_verifying

    def test_link_being_set_up_is_asked_about(self, env: Environment) -> None:
        link = env.heron_link(cause=Cause.PENDING)

        pass_time(env, link, checked_at=timezone.now() - timedelta(seconds=11))

        assert len(env.calls("GET")) == 1


class TestAge:
    def test_link_with_newer_data_at_the_provider_is_not_stale(self, env: Environment) -> None:
        link = env.belvo_link(cause=Cause.WORKING)

        pass_time(env, link, stale_at=timezone.now() - timedelta(seconds=1))

        assert link.health == HealthState.HEALTHY.value
        assert link.stale_at
        assert link.stale_at > timezone.now()

    def test_link_whose_data_a_read_finds_old_is_stale(self, env: Environment) -> None:
        link = env.belvo_link(cause=Cause.WORKING)
        env.simulator.store.belvo_links[link.remote_id].last_accessed_at = "2026-01-02T08:00:00Z"

        pass_time(env, link, stale_at=timezone.now() - timedelta(seconds=1))

        assert (link.health, link.cause) == (HealthState.STALE.value, Cause.STALE.value)

    def test_read_that_a_quota_holds_back_makes_nothing_stale(self, env: Environment) -> None:
        link, ends = env.heron_link(), timezone.now() + timedelta(seconds=40)
        CallQuota.objects.create(integration=env.heron, scope="list_links", calls=100, used=90, window_ends_at=ends)

        pass_time(env, link, stale_at=timezone.now() - 2 * HOUR)

        assert not env.calls("GET", "/api/integrations/")
        assert (link.health, wanted(link)) == (HealthState.HEALTHY.value, Reason.AGE)

    def test_link_that_could_not_be_asked_about_for_an_hour_is_stale(self, env: Environment) -> None:
        link = env.belvo_link(cause=Cause.WORKING)
        Integration.objects.update(key_state=Integration.KeyState.REJECTED)
        pass_time(env, link, stale_at=timezone.now() - 2 * HOUR)
        assert link.health == HealthState.HEALTHY.value

        LinkRead.objects.update(wanted_since=timezone.now() - HOUR)
        pass_time(env, link)

        assert (link.health, link.changes.latest("id").source) == (HealthState.STALE.value, health.Source.CLOCK)

    @pytest.mark.parametrize("columns", [{}, {"health": HealthState.CUSTOMER_LOGIN.value, "stale_at": timezone.now()}])
    def test_link_without_a_limit_or_in_other_trouble_is_not_asked_about(
        self, env: Environment, columns: dict[str, Any]
    ) -> None:
        link = env.belvo_link(cause=Cause.WORKING)

        pass_time(env, link, **columns)

        assert not env.calls("GET", "/api/links/")

    def test_bank_that_is_waited_for_longer_than_two_days_is_escalated(self, env: Environment) -> None:
        link = env.belvo_link(cause=Cause.BANK_DOWN)

        pass_time(env, link, health_since=timezone.now() - 2 * DAY)

        assert link.urgency == ESCALATED_RANK


class TestPermission:
    def test_it_is_asked_for_within_two_weeks_of_its_end(self, env: Environment) -> None:
        link = env.belvo_link(cause=Cause.WORKING)

        pass_time(env, link, renew_by=(timezone.now() + 14 * DAY).date())

        assert (link.cause, link.changes.latest("id").source) == (Cause.RENEW_SOON.value, health.Source.CLOCK)

    def test_link_whose_permission_ended_is_read_once_a_day(self, env: Environment) -> None:
        link = env.belvo_link(cause=Cause.WORKING)
        pass_time(env, link, renew_by=(timezone.now() - DAY).date())
        pass_time(env, link)
        assert len(env.calls("GET", "/api/links/")) == 1

        LinkRead.objects.update(read_at=None)
        pass_time(env, link, checked_at=timezone.now() - DAY)

        assert len(env.calls("GET", "/api/links/")) == 2
