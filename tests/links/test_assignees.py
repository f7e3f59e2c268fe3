"""Assignees: assign, reassign, unassign; every change is in the link's history."""

import pytest

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link
from linkadmin.links.staff_work import assign
from tests.environment import Environment
from tests.markup import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(env: Environment) -> Link:
    return env.belvo_link()


def choose_assignee(env: Environment, link: Link, to: str, name: str = "ana") -> Page:
    """Choose somebody on the page for it (or nobody, with an empty `to`) and submit."""
    form = env.open(f"{link.get_absolute_url()}assignee/", name).form_with("assignee")
    assignee = str(env.people[to].pk) if to else ""
    return env.post(form.action, form.values | {"assignee": assignee}, name)


def assignee_of(link: Link) -> str:
    link.refresh_from_db()
    return link.assignee.username if link.assignee else ""


@pytest.mark.parametrize(
    ("to", "words"), [("ana", "Assigned to Ana."), ("mia", "Assigned to Mia."), ("ben", "Assigned to Ben.")]
)
def test_link_is_assigned(env: Environment, link: Link, to: str, words: str) -> None:
    answer = choose_assignee(env, link, to)

    assert assignee_of(link) == to
    assert words in env.open(answer.location).words


def test_link_is_unassigned(env: Environment, link: Link) -> None:
    choose_assignee(env, link, "ana")

    answer = choose_assignee(env, link, "")

    page = env.open(answer.location)
    assert assignee_of(link) == ""
    assert "Unassigned." in page.words
    assert "Unassigned by Ana · previously Ana" in page.words


def test_assignment_is_in_the_timeline_and_recorded(env: Environment, link: Link) -> None:
    choose_assignee(env, link, "ben", "mia")

    assert "Assigned to Ben by Mia" in env.open(link.get_absolute_url()).words
    event = AuditEvent.objects.get(action="link.assigned")
    assert (event.actor, event.details) == ("mia", {"assignee": str(env.people["ben"].pk)})


def test_choice_lists_the_reader_and_possible_assignees(env: Environment, link: Link) -> None:
    page = env.open(f"{link.get_absolute_url()}assignee/")

    assert f"{link.get_absolute_url()}assignee/" in env.open(link.get_absolute_url()).links()
    assert "Unassigned Me (Ana) Ben Mia Assign" in page.words
    assert "Aud" not in page.words


def test_inactive_assignee_is_shown_until_somebody_takes_over(env: Environment, link: Link) -> None:
    choose_assignee(env, link, "ben")
    type(env.people["ben"]).objects.filter(username="ben").update(is_active=False)

    form = env.open(f"{link.get_absolute_url()}assignee/").form_with("assignee")

    assert form.values["assignee"] == str(env.people["ben"].pk)


def test_same_assignee_again_changes_nothing(env: Environment, link: Link) -> None:
    choose_assignee(env, link, "ben")
    choose_assignee(env, link, "ben")

    assert link.assignee_changes.count() == 1


def test_colleague_who_was_faster_is_not_overwritten(env: Environment, link: Link) -> None:
    form = env.open(f"{link.get_absolute_url()}assignee/").form_with("assignee")
    assign(link, by=env.people["mia"], assignee=env.people["ben"])
    wanted = form.values | {"assignee": str(env.people["ana"].pk)}

    answer = env.post(form.action, wanted)

    assert answer.status == 409
    assert "Ben is now the assignee." in answer.words
    assert assignee_of(link) == "ben"
    again = answer.form_with("assignee")
    assert again.values["assignee"] == wanted["assignee"]
    env.post(again.action, again.values)
    assert assignee_of(link) == "ana"


@pytest.mark.parametrize("assignee", ["aud", "nobody at all"])
def test_only_possible_assignees_are_accepted(env: Environment, link: Link, assignee: str) -> None:
    chosen = str(env.people[assignee].pk) if assignee in env.people else assignee

    answer = env.post(f"{link.get_absolute_url()}assignee/", {"assignee": chosen})

    assert answer.status == 422
    assert assignee_of(link) == ""


def test_auditor_sees_the_assignee_and_no_choice(env: Environment, link: Link) -> None:
    choose_assignee(env, link, "ben")

    page = env.open(link.get_absolute_url(), "aud")

    assert "Assignee Ben" in page.words
    assert f"{link.get_absolute_url()}assignee/" not in page.links()
    assert env.post(f"{link.get_absolute_url()}assignee/", {"assignee": ""}, "aud").status == 403
