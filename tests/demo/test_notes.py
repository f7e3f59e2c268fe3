"""Notes and assignments of the demo's staff, and the link counts."""

import pytest
from django.db.models import Count, F

from linkadmin.links import counts
from linkadmin.links.models import AssigneeChange, Link, Note
from linkadmin.providers.types import HealthState

from .conftest import NOW

pytestmark = pytest.mark.usefixtures("state", "db")


def test_most_links_in_trouble_have_a_note() -> None:
    troubled = Link.objects.exclude(health=HealthState.HEALTHY.value)

    assert 0.5 < troubled.exclude(notes=None).count() / troubled.count() < 0.9


def test_notes_were_written_while_the_link_was_known() -> None:
    assert Note.objects.exists()
    assert not Note.objects.filter(at__lt=F("link__created_at")).exists()
    assert not Note.objects.filter(at__gt=NOW).exists()


def test_last_hand_over_of_a_link_led_to_its_assignee() -> None:
    changed = Link.objects.annotate(times=Count("assignee_changes")).filter(times__gt=0)

    assert changed.filter(times=2).exists()
    for link in changed:
        assert link.assignee_changes.latest("at").new_id == link.assignee_id


def test_hand_overs_follow_on_each_other() -> None:
    for change in AssigneeChange.objects.exclude(old=None):
        assert change.link.assignee_changes.filter(at__lt=change.at).latest("at").new_id == change.old_id


def test_links_are_counted_from_the_start() -> None:
    stored = {row["health"]: row["n"] for row in Link.objects.values("health").annotate(n=Count("pk"))}

    assert dict(counts.in_environment("sandbox")) == stored
