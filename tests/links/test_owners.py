"""Who looks after a link: taken, handed to a colleague, given up; every hand-over stays in its history."""

import pytest

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link
from linkadmin.links.owners import assign
from tests.environment import Environment
from tests.markup import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(env: Environment) -> Link:
    return env.belvo_link()


def hand_over(env: Environment, link: Link, to: str, name: str = "ana") -> Page:
    """Choose somebody on the link's page, or nobody, and send it."""
    form = env.open(link.get_absolute_url(), name).form_with("owner")
    owner = str(env.people[to].pk) if to else ""
    return env.post(form.action, form.values | {"owner": owner}, name)


def owner_of(link: Link) -> str:
    link.refresh_from_db()
    return link.owner.username if link.owner else ""


@pytest.mark.parametrize(
    ("to", "words"), [("ana", "Ana looks after it now."), ("mia", "Mia looks after it now."), ("ben", "Ben looks")]
)
def test_link_is_taken_or_handed_to_a_colleague(env: Environment, link: Link, to: str, words: str) -> None:
    answer = hand_over(env, link, to)

    assert owner_of(link) == to
    assert words in env.open(answer.location).words


def test_link_is_given_up(env: Environment, link: Link) -> None:
    hand_over(env, link, "ana")

    answer = hand_over(env, link, "")

    page = env.open(answer.location)
    assert owner_of(link) == ""
    assert "Nobody looks after it now." in page.words
    assert "Nobody owns it by Ana · before: Ana" in page.words


def test_hand_over_is_in_the_timeline_and_on_the_record(env: Environment, link: Link) -> None:
    hand_over(env, link, "ben", "mia")

    assert "Ben looks after it by Mia" in env.open(link.get_absolute_url()).words
    event = AuditEvent.objects.get(action="link.assigned")
    assert (event.actor, event.details) == ("mia", {"owner": str(env.people["ben"].pk)})


def test_choice_names_the_reader_and_who_can_look_after_links(env: Environment, link: Link) -> None:
    page = env.open(link.get_absolute_url())

    assert "Nobody Me (Ana) Ben Mia Hand over" in page.words
    assert "Aud" not in page.words


def test_owner_who_left_is_shown_until_somebody_takes_over(env: Environment, link: Link) -> None:
    hand_over(env, link, "ben")
    type(env.people["ben"]).objects.filter(username="ben").update(is_active=False)

    form = env.open(link.get_absolute_url()).form_with("owner")

    assert form.values["owner"] == str(env.people["ben"].pk)


def test_same_owner_again_is_no_hand_over(env: Environment, link: Link) -> None:
    hand_over(env, link, "ben")
    hand_over(env, link, "ben")

    assert link.owner_changes.count() == 1


def test_colleague_who_was_faster_is_not_overwritten(env: Environment, link: Link) -> None:
    form = env.open(link.get_absolute_url()).form_with("owner")
    assign(link, by=env.people["mia"], owner=env.people["ben"])
    wanted = form.values | {"owner": str(env.people["ana"].pk)}

    answer = env.post(form.action, wanted)

    assert answer.status == 409
    assert "Ben looks after it by now." in answer.words
    assert owner_of(link) == "ben"
    again = answer.form_with("owner")
    assert again.values["owner"] == wanted["owner"]
    env.post(again.action, again.values)
    assert owner_of(link) == "ana"


@pytest.mark.parametrize("owner", ["aud", "nobody at all"])
def test_who_cannot_look_after_links_is_no_choice(env: Environment, link: Link, owner: str) -> None:
    chosen = str(env.people[owner].pk) if owner in env.people else owner

    answer = env.post(f"{link.get_absolute_url()}owner/", {"owner": chosen})

    assert answer.status == 422
    assert owner_of(link) == ""


def test_auditor_sees_the_owner_and_no_choice(env: Environment, link: Link) -> None:
    hand_over(env, link, "ben")

    page = env.open(link.get_absolute_url(), "aud")

    assert "Owner Ben" in page.words
    assert not any("owner" in form.names for form in page.forms)
    assert env.post(f"{link.get_absolute_url()}owner/", {"owner": ""}, "aud").status == 403
