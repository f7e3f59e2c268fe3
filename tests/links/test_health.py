"""How observations become one state: newer wins, a rejection outlives an old "works", repairs must be verified."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.causes import STATES
from linkadmin.links.models import EndUser, Link
from linkadmin.providers.types import Cause, HealthState, Observation, RemoteLink
from tests.environment import Environment

pytestmark = pytest.mark.django_db

CALL, WEBHOOK, LIST = health.Source.CALL, health.Source.WEBHOOK, health.Source.LIST
FAR = datetime(9999, 12, 31, tzinfo=UTC)
NOW = timezone.now() - timedelta(minutes=10)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def link() -> Link:
    """A link that a list reported as working ten minutes ago."""
    integration = Integration.objects.create(provider="belvo", name="Belvo", base_url="https://sandbox.belvo.com")
    customer = EndUser.objects.create(external_id="cus-1", name="Acme Corp")
    unsaved = Link(integration=integration, end_user=customer, remote_id="link-1")
    report = health.Report(Observation(Cause.WORKING, last_good_at=after(-60)), LIST, NOW)
    return health.start_link(RemoteLink("link-1", report.observation), unsaved, report)


def tell(link: Link, cause: Cause, source: health.Source, at: datetime, good: datetime | None = None) -> HealthState:
    """Report something about a link. Returns its state after that."""
    health.observe(link, health.Report(Observation(cause, last_good_at=good), source, at))
    link.refresh_from_db()
    return HealthState(link.health)


def unverified(checked_before: datetime, now: datetime) -> list[UUID]:
    eager_since = now - health.SETTING_UP_EAGERLY
    return list(health.unverified(checked_before=checked_before, eager_since=eager_since, now=now))


def test_first_report_is_the_first_entry_of_its_history(link: Link) -> None:
    change = link.changes.get()

    assert (change.old, change.new, change.source) == ("", HealthState.HEALTHY.value, LIST)


def test_newer_report_wins(link: Link) -> None:
    assert tell(link, Cause.BANK_DOWN, WEBHOOK, after(1)) is HealthState.WAITING
    assert tell(link, Cause.LOGIN_REQUIRED, LIST, after(2)) is HealthState.CUSTOMER_LOGIN
    assert [change.new for change in link.changes.order_by("id")] == ["healthy", "waiting", "customer_login"]


def test_older_report_changes_nothing(link: Link) -> None:
    tell(link, Cause.BANK_DOWN, WEBHOOK, after(2))

    assert tell(link, Cause.LOGIN_REQUIRED, WEBHOOK, after(1)) is HealthState.WAITING
    assert link.changes.count() == 2


def test_older_record_changes_no_fact_of_a_newer_one(link: Link) -> None:
    def tell(refresh_rate: str, at: datetime) -> None:
        remote = RemoteLink(link.remote_id, Observation(Cause.WORKING), refresh_rate=refresh_rate)
        health.observe_remote(link, remote, source=health.Source.LIST, at=at)

    now = timezone.now()
    tell("24h", now)
    health.note_missing([link.pk], at=now)
    tell("6h", now - timedelta(seconds=1))

    link.refresh_from_db()
    assert (link.refresh_rate, link.missing_since) == ("24h", now)


def test_state_that_stays_keeps_its_since(link: Link) -> None:
    tell(link, Cause.WORKING, LIST, after(5))

    assert link.health_since == NOW
    assert link.changes.count() == 1


def test_new_cause_of_the_same_state_is_noted_and_keeps_its_since(link: Link) -> None:
    tell(link, Cause.LOGIN_REQUIRED, LIST, after(1))

    tell(link, Cause.LOGIN_REFUSED, LIST, after(2))

    assert link.health_since == after(1)
    assert link.changes.count() == 3


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ((CALL, Cause.PASSWORD_WRONG), (LIST, Cause.WORKING), HealthState.CUSTOMER_LOGIN),
        ((CALL, Cause.PASSWORD_WRONG), (WEBHOOK, Cause.BANK_DOWN), HealthState.CUSTOMER_LOGIN),
        ((WEBHOOK, Cause.BANK_DOWN), (LIST, Cause.LOGIN_REFUSED), HealthState.WAITING),
        ((LIST, Cause.LOGIN_REFUSED), (WEBHOOK, Cause.BANK_DOWN), HealthState.WAITING),
        ((WEBHOOK, Cause.BANK_DOWN), (CALL, Cause.PASSWORD_WRONG), HealthState.CUSTOMER_LOGIN),
    ],
)
def test_at_the_same_time_the_closer_source_wins(
    link: Link, first: tuple[health.Source, Cause], second: tuple[health.Source, Cause], state: HealthState
) -> None:
    tell(link, first[1], first[0], after(1))

    assert tell(link, second[1], second[0], after(1)) is state


def test_record_that_says_works_does_not_cancel_a_rejection(link: Link) -> None:
    tell(link, Cause.PASSWORD_WRONG, CALL, after(1))

    assert tell(link, Cause.WORKING, LIST, after(2), good=after(-60)) is HealthState.CUSTOMER_LOGIN
    assert tell(link, Cause.WORKING, LIST, after(3)) is HealthState.CUSTOMER_LOGIN


def test_message_of_a_rejection_outlives_a_record_that_proves_nothing(link: Link) -> None:
    refused = Observation(Cause.PASSWORD_WRONG, raw_code="login_error", raw_words="Invalid credentials")
    health.observe(link, health.Report(refused, CALL, after(1)))

    tell(link, Cause.WORKING, LIST, after(2))

    assert (link.raw_code, link.raw_words) == ("login_error", "Invalid credentials")


def test_good_data_newer_than_the_rejection_cancels_it(link: Link) -> None:
    tell(link, Cause.PASSWORD_WRONG, CALL, after(1))

    assert tell(link, Cause.WORKING, LIST, after(3), good=after(2)) is HealthState.HEALTHY
    assert tell(link, Cause.WORKING, LIST, after(4), good=after(2)) is HealthState.HEALTHY


def test_record_with_a_problem_is_believed_after_a_rejection(link: Link) -> None:
    tell(link, Cause.PASSWORD_WRONG, CALL, after(1))

    assert tell(link, Cause.CODE_NEEDED, LIST, after(2)) is HealthState.CUSTOMER_CODE


def test_repair_is_verified_by_a_later_read(link: Link) -> None:
    tell(link, Cause.PASSWORD_WRONG, CALL, after(1))
    health.start_verifying(link, at=after(2), request_id="")

    tell(link, Cause.WORKING, LIST, after(3))

    assert (link.health, link.verifying_since) == (HealthState.HEALTHY.value, None)


def test_repair_is_not_verified_by_an_earlier_read(link: Link) -> None:
    health.start_verifying(link, at=after(2), request_id="")

    tell(link, Cause.WORKING, LIST, after(1))

    assert link.verifying_since == after(2)


def test_repair_is_not_disproven_by_a_record_that_lags_behind(link: Link) -> None:
    health.start_verifying(link, at=after(2), request_id="")

    tell(link, Cause.LOGIN_REFUSED, LIST, after(3))

    assert link.verifying_since == after(2)


@pytest.mark.parametrize("cause", [Cause.LOGIN_REFUSED, Cause.GONE, Cause.BANK_DOWN])
def test_repair_is_disproven_by_a_record_that_still_rejects_after_a_minute(link: Link, cause: Cause) -> None:
    tell(link, Cause.PASSWORD_WRONG, CALL, after(1))
    health.start_verifying(link, at=after(2), request_id="")

    state = tell(link, cause, LIST, after(3.1))

    assert link.verifying_since is None
    assert link.urgency == STATES[state].rank


def test_repair_is_not_disproven_by_a_record_of_old_data_or_of_a_link_being_set_up(link: Link) -> None:
    health.start_verifying(link, at=after(2), request_id="")
    old = RemoteLink("link-1", Observation(Cause.WORKING, last_good_at=after(-60)), fresh_for=timedelta(minutes=2))

    health.observe_remote(link, old, source=LIST, at=after(4))
    tell(link, Cause.PENDING, LIST, after(5))

    assert link.verifying_since == after(2)


def test_timeout_leaves_a_newer_repair_alone(link: Link) -> None:
    health.start_verifying(link, at=after(2), request_id="")
    seen_before = Link.objects.get(pk=link.pk)
    health.start_verifying(link, at=after(3), request_id="")

    health.stop_verifying(seen_before, now=timezone.now())

    link.refresh_from_db()
    assert link.verifying_since == after(3)


UNASKABLE = [
    {"is_active": False},
    {"key_state": Integration.KeyState.REJECTED},
    {"key_state": Integration.KeyState.REJECTED, "keys_retry_at": after(60)},
]


@pytest.mark.parametrize("state", UNASKABLE)
def test_repair_is_not_checked_without_access(link: Link, state: dict[str, Any]) -> None:
    health.start_verifying(link, at=after(2), request_id="")
    Integration.objects.update(**state)

    assert not unverified(after(5), after(5))


def test_repair_is_checked_once_rejected_keys_may_be_retried(link: Link) -> None:
    health.start_verifying(link, at=after(2), request_id="")
    Integration.objects.update(key_state=Integration.KeyState.REJECTED, keys_retry_at=after(5))

    assert unverified(after(5), after(5)) == [link.pk]


def test_missing_or_disconnected_link_does_not_block_a_new_one(link: Link) -> None:
    assert list(Link.objects.standing()) == [link]

    tell(link, Cause.GONE, LIST, after(1))
    assert not Link.objects.standing()

    tell(link, Cause.LOGIN_REFUSED, LIST, after(2))
    Link.objects.update(disconnected_at=after(3))
    assert not Link.objects.standing()


def test_repair_is_disproven_by_a_newer_rejection(link: Link) -> None:
    health.start_verifying(link, at=after(2), request_id="")

    tell(link, Cause.PASSWORD_WRONG, CALL, after(3))

    assert link.verifying_since is None


def test_link_being_verified_ranks_with_those_that_need_nobody(link: Link) -> None:
    tell(link, Cause.PASSWORD_WRONG, CALL, after(1))
    assert link.urgency == 30

    health.start_verifying(link, at=after(2), request_id="")
    assert link.urgency == 80

    health.stop_verifying(link, now=timezone.now())
    assert link.urgency == 30


def test_record_with_old_data_is_stale_at_once(link: Link) -> None:
    remote = RemoteLink("link-1", Observation(Cause.WORKING, last_good_at=after(-60)), fresh_for=timedelta(minutes=2))

    health.observe_remote(link, remote, source=LIST, at=after(2))

    assert link.health == HealthState.STALE.value


def test_consent_expiring_within_two_weeks_is_flagged_while_the_link_works(link: Link) -> None:
    ends = (NOW + timedelta(days=9)).date()

    health.observe(link, health.Report(Observation(Cause.WORKING, renew_by=ends), LIST, after(1)))

    assert (link.health, link.cause, link.urgency) == (HealthState.HEALTHY.value, Cause.RENEW_SOON.value, 40)


def test_renewed_consent_is_no_longer_flagged(link: Link) -> None:
    soon, later = (NOW + timedelta(days=9)).date(), (NOW + timedelta(days=365)).date()
    health.observe(link, health.Report(Observation(Cause.WORKING, renew_by=soon), LIST, after(1)))

    health.observe(link, health.Report(Observation(Cause.WORKING, renew_by=later), LIST, after(2)))

    assert (link.cause, link.urgency) == (Cause.WORKING.value, 90)


def test_problem_comes_before_an_expiring_consent(link: Link) -> None:
    soon = (NOW + timedelta(days=9)).date()

    health.observe(link, health.Report(Observation(Cause.BANK_DOWN, renew_by=soon), LIST, after(1)))

    assert link.cause == Cause.BANK_DOWN.value


def test_data_from_the_future_counts_as_of_its_report(link: Link) -> None:
    remote = RemoteLink("link-1", Observation(Cause.WORKING, last_good_at=FAR), fresh_for=timedelta(days=3))

    health.observe_remote(link, remote, source=LIST, at=after(2))

    assert (link.health, link.last_good_at) == (HealthState.HEALTHY.value, after(3))
    assert link.stale_at == after(3) + timedelta(days=3)


def test_data_that_stays_fresh_beyond_the_last_date_is_never_stale(link: Link) -> None:
    remote = RemoteLink(
        "link-1", Observation(Cause.WORKING, last_good_at=after(1)), fresh_for=timedelta(days=4_000_000)
    )

    health.observe_remote(link, remote, source=LIST, at=after(2))

    assert (link.health, link.stale_at) == (HealthState.HEALTHY.value, None)


def test_older_record_does_not_set_when_data_gets_old(link: Link) -> None:
    fresh = RemoteLink("link-1", Observation(Cause.WORKING, last_good_at=after(2)), fresh_for=timedelta(days=3))
    older = RemoteLink("link-1", Observation(Cause.WORKING, last_good_at=after(-9)), fresh_for=timedelta(minutes=1))
    health.observe_remote(link, fresh, source=LIST, at=after(3))

    health.observe_remote(link, older, source=LIST, at=after(1))

    assert link.stale_at == after(2) + timedelta(days=3)


def test_code_request_does_not_keep_data_fresh_forever(link: Link) -> None:
    fresh = RemoteLink("link-1", Observation(Cause.WORKING, last_good_at=after(2)), fresh_for=timedelta(days=3))
    health.observe_remote(link, fresh, source=LIST, at=after(3))

    health.observe_remote(link, RemoteLink("link-1", Observation(Cause.CODE_WAITING)), source=CALL, at=after(4))

    assert link.stale_at == after(2) + timedelta(days=3)


def test_record_with_data_and_no_limit_removes_the_limit(link: Link) -> None:
    Link.objects.update(stale_at=after(60))
    remote = RemoteLink("link-1", Observation(Cause.WORKING, last_good_at=after(2)))

    health.observe_remote(link, remote, source=LIST, at=after(3))

    assert link.stale_at is None


def test_failed_check_changes_no_state_and_is_shown(link: Link) -> None:
    health.note_failed_check(link, why="timeout", at=after(5))

    link.refresh_from_db()
    assert (link.health, link.check_failed, link.checked_at) == (HealthState.HEALTHY.value, "timeout", after(5))
    assert link.changes.count() == 1


def test_next_good_read_clears_the_failed_check(link: Link) -> None:
    health.note_failed_check(link, why="timeout", at=after(5))

    tell(link, Cause.WORKING, LIST, after(6))

    assert (link.check_failed, link.checked_at) == ("", after(6))


def test_new_link_is_checked_until_it_is_set_up(env: Environment) -> None:
    now = timezone.now()
    link = env.heron_link(cause=Cause.PENDING)
    Link.objects.filter(pk=link.pk).update(checked_at=now - timedelta(seconds=20), health_since=now)

    eagerly = unverified(now - timedelta(seconds=10), now)
    assert eagerly == [link.pk]

    Link.objects.filter(pk=link.pk).update(health_since=now - timedelta(hours=1))
    assert not unverified(now - timedelta(seconds=10), now)

    Link.objects.filter(pk=link.pk).update(checked_at=now - timedelta(minutes=11))
    assert unverified(now - timedelta(seconds=10), now) == [link.pk]
