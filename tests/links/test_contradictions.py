"""A provider that says "works" but reports a problem is believed as long as data arrives."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import counts
from linkadmin.links.models import Link, LinkRead
from linkadmin.providers.types import Cause, HealthState
from linkadmin.simulator.clock import iso
from linkadmin.sync import clock
from tests.environment import Environment

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

DAY = timedelta(days=1)
LOGIN_REQUIRED = "[ITEM_LOGIN_REQUIRED] the login details of this item have changed"
NO_ACCOUNTS = "[NO_ACCOUNTS] no valid accounts were found for this item"


def ago(time: timedelta) -> datetime:
    return timezone.now() - time


def say(env: Environment, link: Link, status: str, message: str | None, synced: datetime | None) -> Link:
    """Have Heron report something about a link, and read it."""
    record = env.simulator.store.heron_links[link.remote_id]
    record.status, record.status_message, record.settles_at = status, message, None
    record.last_successful_sync = iso(synced.timestamp()) if synced else None
    env.prove(link)
    return link


def known_with_code(env: Environment, message: str = LOGIN_REQUIRED, *, since: timedelta = 2 * DAY) -> Link:
    """A link that has reported a problem for a while."""
    link = say(env, env.heron_link(), "erroring", message, ago(10 * DAY))
    Link.objects.filter(pk=link.pk).update(code_since=ago(since))
    return link


def is_listed(env: Environment, link: Link, group: str) -> bool:
    return str(link.pk) in env.open(f"/links/?state={group}").source


def test_problem_with_ancient_data_waits_on_the_customer(env: Environment) -> None:
    env.simulator.store.heron_links.clear()
    link = say(env, env.heron_link(), "active", LOGIN_REQUIRED, datetime.fromisoformat("2020-01-01T00:00:00Z"))

    assert (link.health, link.cause, link.conflict) == ("customer_login", Cause.LOGIN_REQUIRED.value, True)
    assert is_listed(env, link, "customer")
    assert not is_listed(env, link, "fine")
    assert counts.in_environment("production")["customer_login"] == 1
    page = env.open(link.get_absolute_url())
    assert "Sign-in needed" in page.words
    assert "Provider reports conflicting status" in page.words
    assert "Provider reports conflicting status" in env.open("/links/").words


@pytest.mark.parametrize(
    ("synced", "state", "cause"),
    [
        (DAY, HealthState.HEALTHY, Cause.WORKING_WITH_ERROR),
        (timedelta(minutes=1), HealthState.HEALTHY, Cause.WORKING_WITH_ERROR),
        (timedelta(days=2, hours=1), HealthState.CUSTOMER_LOGIN, Cause.LOGIN_REQUIRED),  # before the code
        (9 * DAY, HealthState.CUSTOMER_LOGIN, Cause.LOGIN_REQUIRED),
        (None, HealthState.CUSTOMER_LOGIN, Cause.LOGIN_REQUIRED),
    ],
    ids=str,
)
def test_sync_after_the_problem_decides(
    env: Environment, synced: timedelta | None, state: HealthState, cause: Cause
) -> None:
    link = known_with_code(env)

    say(env, link, "active", LOGIN_REQUIRED, ago(synced) if synced else None)

    assert (link.health, link.cause, link.conflict) == (state.value, cause.value, True)


def test_sync_over_three_days_ago_is_no_longer_believed(env: Environment) -> None:
    link = known_with_code(env, since=20 * DAY)

    say(env, link, "active", LOGIN_REQUIRED, ago(timedelta(days=3, minutes=1)))

    assert link.health == HealthState.CUSTOMER_LOGIN.value


def test_unrecognized_problem_waits_on_us(env: Environment) -> None:
    link = say(env, env.heron_link(), "active", "[SOME_FUTURE_CODE] something new", ago(DAY))

    assert (link.health, link.conflict) == (HealthState.UNKNOWN.value, True)


def test_disconnecting_problem_disconnects_the_link(env: Environment) -> None:
    link = say(env, env.heron_link(), "active", "[ITEM_NOT_FOUND] gone", ago(DAY))

    assert link.health == HealthState.DISCONNECTED.value


def test_another_problem_counts_from_its_first_report(env: Environment) -> None:
    link = known_with_code(env)

    say(env, link, "active", "[INSTITUTION_DOWN] the bank is down", ago(timedelta(hours=1)))

    assert link.health == HealthState.WAITING.value


def test_problem_that_is_no_longer_reported_is_gone(env: Environment) -> None:
    link = say(env, known_with_code(env), "active", None, ago(timedelta(hours=1)))

    assert (link.health, link.cause, link.conflict) == ("healthy", Cause.WORKING.value, False)
    assert (link.code_since, link.code_cause) == (None, "")


class TestTime:
    """Time alone changes the state."""

    def believed(self, env: Environment) -> Link:
        link = say(env, known_with_code(env), "active", LOGIN_REQUIRED, ago(timedelta(hours=1)))
        assert link.cause == Cause.WORKING_WITH_ERROR.value
        assert link.stale_at is not None
        assert timedelta(days=2, hours=22) < link.stale_at - timezone.now() < 3 * DAY
        return link

    def test_reports_without_an_expiry_are_checked_too(self, env: Environment) -> None:
        link = env.heron_link()
        env.simulator.store.heron_links[link.remote_id].type = "plaid_assets_report"
        say(env, link, "erroring", LOGIN_REQUIRED, ago(10 * DAY))
        Link.objects.filter(pk=link.pk).update(code_since=ago(2 * DAY))

        say(env, link, "active", LOGIN_REQUIRED, ago(timedelta(hours=1)))

        assert link.stale_at is not None
        assert link.stale_at < timezone.now() + 3 * DAY

    def test_read_after_three_days_turns_it(self, env: Environment) -> None:
        link = self.believed(env)
        record = env.simulator.store.heron_links[link.remote_id]
        record.last_successful_sync = iso(ago(timedelta(days=3, minutes=5)).timestamp())
        past = ago(timedelta(minutes=5))
        Link.objects.filter(pk=link.pk).update(stale_at=past, last_good_at=past - 3 * DAY, code_since=ago(9 * DAY))

        clock.mark_stale(now=timezone.now())
        assert LinkRead.objects.filter(link=link, due_at__isnull=False).exists()
        LinkRead.objects.all().delete()  # it's due only some time after the last one
        env.prove(link)

        assert (link.health, link.cause) == ("customer_login", Cause.LOGIN_REQUIRED.value)

    def test_link_that_cannot_be_checked_changes_too(self, env: Environment) -> None:
        link = self.believed(env)
        Integration.objects.update(is_active=False)
        now = timezone.now()
        Link.objects.filter(pk=link.pk).update(stale_at=now - timedelta(hours=2))
        clock.mark_stale(now=now)

        LinkRead.objects.update(wanted_since=now - timedelta(hours=2))
        clock.mark_stale(now=now)

        link.refresh_from_db()
        assert (link.health, link.cause) == ("customer_login", Cause.LOGIN_REQUIRED.value)
        assert link.changes.latest("id").source == "clock"


@pytest.mark.parametrize(
    ("age", "state"), [(89 * DAY, HealthState.HEALTHY), (91 * DAY, HealthState.STALE)], ids=["recent", "ancient"]
)
def test_ancient_report_waits_on_us(env: Environment, age: timedelta, state: HealthState) -> None:
    link = env.heron_link()
    env.simulator.store.heron_links[link.remote_id].type = "plaid_assets_report"

    say(env, link, "active", None, ago(age))

    assert link.health == state.value
    assert is_listed(env, link, "us") is (state is HealthState.STALE)


def test_customer_who_signed_in_and_shares_no_account_has_repaired_nothing(env: Environment) -> None:
    link = known_with_code(env, NO_ACCOUNTS)

    say(env, link, "active", None, ago(9 * DAY))
    assert (link.health, link.cause) == ("customer_consent", Cause.NO_ACCOUNTS.value)

    say(env, link, "active", None, ago(timedelta(minutes=1)))
    assert link.health == HealthState.HEALTHY.value


def test_page_of_the_providers_records_shows_the_contradiction(env: Environment) -> None:
    link = say(env, env.heron_link(), "active", LOGIN_REQUIRED, ago(9 * DAY))

    words = env.open(f"/customers/{link.end_user_id}/records/{env.heron.pk}/").words

    assert "Provider reports conflicting status" in words
