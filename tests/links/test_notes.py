"""Notes about a link: added on its page, shown in its timeline. Invalid input stays in the form."""

import json

import pytest

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link
from linkadmin.links.staff_work import LONGEST_NOTE
from tests.environment import HTMX, Environment
from tests.markup import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(env: Environment) -> Link:
    return env.belvo_link()


def url_of(link: Link) -> str:
    return f"{link.get_absolute_url()}notes/"


@pytest.mark.parametrize("name", ["ana", "mia"])
def test_note_is_written_on_the_links_page(env: Environment, link: Link, name: str) -> None:
    form = env.open(link.get_absolute_url(), name).form_with("text")

    answer = env.post(form.action, form.values | {"text": "Phoned: new card in May."}, name)

    page = env.open(answer.location, name)
    assert answer.location == link.get_absolute_url()
    assert "Note added." in page.words
    assert f"Phoned: new card in May. {env.people[name].display_name}" in page.words


def test_links_page_shows_a_note_without_being_loaded_again(env: Environment, link: Link) -> None:
    shown = {**HTMX, "HX-Current-URL": f"http://testserver{link.get_absolute_url()}?kind=note"}

    answer = env.client().post(url_of(link), {"text": "Phoned"}, headers=shown)

    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"]) == {"saved": {"words": "Note added."}}
    assert "Note added." not in env.open(link.get_absolute_url()).words


def test_note_event_does_not_contain_the_text(env: Environment, link: Link) -> None:
    env.post(url_of(link), {"text": "Phoned"})

    event = AuditEvent.objects.get(action="link.note_added")
    assert (event.actor, event.object_id, event.details) == ("ana", str(link.pk), {"length": 6})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Enter a note."),
        ("  \n ", "Enter a note."),
        ("x" * (LONGEST_NOTE + 1), "At most 2000 characters."),
        ("with a NUL \0", "Null characters are not allowed."),
    ],
)
def test_invalid_note_keeps_what_was_typed(env: Environment, link: Link, text: str, words: str) -> None:
    answer = env.post(url_of(link), {"text": text})

    assert answer.status == 422
    assert answer.error_at("text") == words
    assert text.strip("\0") in answer.source.replace("\0", "")
    assert not link.notes.exists()


def test_line_ends_count_once(env: Environment, link: Link) -> None:
    lines = "\r\n".join(["x"] * (LONGEST_NOTE // 2))

    env.post(url_of(link), {"text": lines})

    assert link.notes.get().text == lines.replace("\r\n", "\n")


def test_form_works_without_javascript(env: Environment, link: Link) -> None:
    page = env.open(url_of(link))

    assert page.form_with("text").action == url_of(link)
    assert AuditEvent.objects.get(action="link.viewed").details == {"page": "notes"}


def test_script_swaps_the_form_and_redirects_when_valid(env: Environment, link: Link) -> None:
    refused = env.post(url_of(link), {"text": ""}, htmx=True)
    taken = env.post(url_of(link), {"text": "Phoned"}, htmx=True)

    assert (refused.status, refused.is_whole) == (422, False)
    assert refused.forms[0].attrs["id"] == "note-form"
    assert taken.location == link.get_absolute_url()


def test_auditor_has_no_form_and_may_not_submit_one(env: Environment, link: Link) -> None:
    page = env.open(link.get_absolute_url(), "aud")
    answer = env.post(url_of(link), {"text": "Phoned"}, "aud")

    assert not any("text" in form.names for form in page.forms)
    assert answer.status == 403
    assert not link.notes.exists()


def test_note_belongs_to_its_link(env: Environment, link: Link) -> None:
    other = env.belvo_link("Blue Fern", bank="gringotts_mx_retail")
    env.post(url_of(link), {"text": "Only here"})

    assert "Only here" not in read(env.client().get(other.get_absolute_url())).words
