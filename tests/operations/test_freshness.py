"""How old the information on a link's page is, and when new data is due."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.environment import Environment

pytestmark = pytest.mark.django_db


def words_of(env: Environment, **columns: object) -> str:
    """The words on a link's page, after setting these columns."""
    link = env.belvo_link(cause=Cause.WORKING)
    Link.objects.filter(pk=link.pk).update(**columns)
    return env.open(link.get_absolute_url()).words


def test_link_says_when_it_was_last_checked(env: Environment) -> None:
    checked_at = timezone.now() - timedelta(minutes=10)

    assert "Last checked 10 min ago Assignee" in words_of(env, checked_at=checked_at)


def test_full_check_counts_as_a_check(env: Environment) -> None:
    now = timezone.now()
    Integration.objects.update(last_full_check_at=now - timedelta(minutes=3))

    words = words_of(env, checked_at=now - timedelta(hours=5), created_at=now - timedelta(days=1))

    assert "Last checked 3 min ago in a full check" in words


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(minutes=5, seconds=-1), "in 5 min"),
        (timedelta(hours=5), "in 5 h"),
        (timedelta(days=1, hours=1), "in 1 day"),
        (timedelta(days=10, hours=1), "in 10 days"),
        (timedelta(hours=-2), "2 h ago"),
    ],
)
def test_link_says_when_the_next_sync_is_expected(env: Environment, ahead: timedelta, words: str) -> None:
    assert f"Next sync expected {words}" in words_of(env, stale_at=timezone.now() + ahead)


def test_link_without_a_schedule_has_no_next_sync(env: Environment) -> None:
    assert "Next sync not scheduled" in words_of(env, stale_at=None)


def test_disconnected_link_has_no_next_sync(env: Environment) -> None:
    assert "Next sync" not in words_of(env, disconnected_at=timezone.now())


def test_consent_notice_does_not_take_the_age_of_the_status(env: Environment) -> None:
    since = timezone.now() - timedelta(days=40)

    words = words_of(env, cause=Cause.RENEW_SOON.value, health_since=since)

    assert "Working Acme Corp · Erebor Bank for 40 days" in words
    assert "Consent expires soon" in words
    assert "It still works." in words
