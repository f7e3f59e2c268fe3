"""Several links in one request: unchanged ones are not written, and older data never replaces newer."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from linkadmin.links import health
from linkadmin.links.models import HealthChange, Link
from linkadmin.operations.reading import read_many
from linkadmin.providers.types import Cause, Observation
from tests.environment import Environment

pytestmark = pytest.mark.django_db(transaction=True)

OF_READING = {"checked_at", "observed_at"}  # all other columns come from the record


def read_again(link: Link) -> dict[str, Any]:
    """Check a link, and return its row."""
    read_many([Link.objects.select_related("integration", "end_user", "institution").get(pk=link.pk)])
    return Link.objects.filter(pk=link.pk).values().get()


def test_unchanged_record_updates_only_its_time(env: Environment) -> None:
    link = env.belvo_link()
    before, changes = read_again(link), HealthChange.objects.count()

    after = read_again(link)

    assert {name for name in after if after[name] != before[name]} == OF_READING
    assert after["checked_at"] == after["observed_at"] > before["checked_at"]
    assert HealthChange.objects.count() == changes


def test_older_report_does_not_replace_a_later_unchanged_one(env: Environment) -> None:
    link = env.belvo_link()
    read_again(link)
    began_at = timezone.now()
    read_again(link)

    older = health.Report(Observation(cause=Cause.LOGIN_REFUSED), health.Source.LIST, began_at)
    link.refresh_from_db()

    assert health.observe(link, older) is None
    assert link.shown_state == "healthy"


def test_unchanged_record_is_stored_again_once_its_data_is_old(env: Environment) -> None:
    link = env.belvo_link()
    good = read_again(link)["stale_at"]
    Link.objects.filter(pk=link.pk).update(stale_at=timezone.now() - timedelta(seconds=1))

    assert read_again(link)["stale_at"] == good


def test_link_missed_by_a_list_is_back(env: Environment) -> None:
    link = env.belvo_link()
    read_again(link)
    health.note_missing([link.pk], at=timezone.now())

    assert read_again(link)["missing_since"] is None


def test_unchanged_record_verifies_a_repair(env: Environment) -> None:
    link = env.belvo_link()
    read_again(link)
    link.refresh_from_db()
    health.start_verifying(link, at=timezone.now(), request_id="")

    assert read_again(link)["verifying_since"] is None
