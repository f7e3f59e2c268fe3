"""How old what the link page says is, and when there should be more."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.models import Integration, Link
from linkadmin.providers.types import Cause
from tests.house import House

pytestmark = pytest.mark.django_db


def words_of(house: House, **columns: object) -> str:
    """Return the words of the page of a link whose columns are so."""
    link = house.belvo_link(cause=Cause.WORKING)
    Link.objects.filter(pk=link.pk).update(**columns)
    return house.open(link.get_absolute_url()).words


def test_link_says_when_it_was_last_asked_about(house: House) -> None:
    asked_at = timezone.now() - timedelta(minutes=10)

    assert "Last asked 10 min ago Next expected" in words_of(house, asked_at=asked_at)


def test_reading_the_whole_list_counts_as_asking(house: House) -> None:
    now = timezone.now()
    Integration.objects.update(swept_at=now - timedelta(minutes=3))

    words = words_of(house, asked_at=now - timedelta(hours=5), created_at=now - timedelta(days=1))

    assert "Last asked 3 min ago with the whole list" in words


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(minutes=5, seconds=-1), "in 5 min at the latest"),
        (timedelta(hours=5), "in 5 h at the latest"),
        (timedelta(days=1, hours=1), "in 1 day at the latest"),
        (timedelta(days=10, hours=1), "in 10 days at the latest"),
        (timedelta(hours=-2), "2 h ago"),
    ],
)
def test_link_says_when_new_data_should_be_there(house: House, ahead: timedelta, words: str) -> None:
    assert f"Next expected {words}" in words_of(house, stale_at=timezone.now() + ahead)


def test_link_that_is_not_kept_fresh_has_no_set_time(house: House) -> None:
    assert "Next expected at no set time" in words_of(house, stale_at=None)


def test_ended_link_expects_nothing(house: House) -> None:
    assert "Next expected" not in words_of(house, ended_at=timezone.now())


def test_notice_of_a_permission_is_not_as_old_as_the_state(house: House) -> None:
    since = timezone.now() - timedelta(days=40)

    words = words_of(house, cause=Cause.RENEW_SOON.value, health_since=since)

    assert "Permission ends soon it began to work 40 days ago" in words
    assert "soon began" not in words
