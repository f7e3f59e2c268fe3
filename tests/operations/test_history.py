"""A link's full history: every kind of entry, stable pages, and each reader's time zone and rights."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import AssigneeChange, HealthChange, Link, Note
from linkadmin.operations import reading
from linkadmin.operations.models import AttemptAllowance, Operation
from linkadmin.operations.timeline import pages
from linkadmin.providers.types import Cause
from linkadmin.webhooks.models import DeliveryLink, WebhookDelivery
from tests.environment import HTMX, Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.deep, pytest.mark.django_db, pytest.mark.database]

KINDS = ("allowance", "change", "delivery", "note", "operation", "assignee")
START = datetime(2026, 1, 10, 15, tzinfo=UTC)


def happen(env: Environment, link: Link, kind: str, at: datetime, text: str = "") -> str:
    """Add an entry to the history; returns its anchor."""
    ana, integration = env.people["ana"], link.integration
    row: Any
    if kind == "change":
        row = HealthChange.objects.create(link=link, at=at, source="list", new="waiting", cause=Cause.BANK_DOWN.value)
    elif kind == "operation":
        row = Operation.objects.create(
            kind="update_credentials", state="rejected", integration=integration, link=link, end_user=link.end_user,
            actor=ana, operation_key=uuid.uuid4(), created_at=at,
        )  # fmt: skip
    elif kind == "delivery":
        row = WebhookDelivery.objects.create(integration=integration, key=uuid.uuid4().hex, received_at=at, topic=text)
        DeliveryLink.objects.create(delivery=row, link=link)
    elif kind == "note":
        row = Note.objects.create(link=link, author=ana, at=at, text=text or "A note.")
    elif kind == "assignee":
        row = AssigneeChange.objects.create(link=link, by=ana, at=at, old=None, new=env.people["ben"])
    else:
        row = AttemptAllowance.objects.create(link=link, allowed_by=env.people["mia"], allowed_at=at, reason="Phoned")
    return f"{kind}-{row.pk}"


def many(env: Environment, link: Link, count: int) -> list[str]:
    """Add entries of each kind in turn, an hour apart; returns their anchors, newest first."""
    made = [happen(env, link, KINDS[n % len(KINDS)], START + timedelta(hours=n)) for n in range(count)]
    return made[::-1]


@pytest.fixture
def link(env: Environment) -> Link:
    """A link with an empty history."""
    link = env.belvo_link("Wilhelmina Quackenbush")
    link.changes.all().delete()
    return link


def url_of(link: Link, query: str = "") -> str:
    return f"{link.get_absolute_url()}history/{query}"


def anchors(page: Page) -> list[str]:
    entries = [each.attrs for each in page.elements if each.attrs.get("class", "").startswith("timeline__item")]
    return [entry["id"] for entry in entries if "id" in entry]  # all but the template of a new note


def walk(env: Environment, url: str, rel: str) -> Iterator[Page]:
    """Open a page and all that follow it in one direction."""
    while True:
        page = env.open(url)
        yield page
        turn = [each.attrs["href"] for each in page.elements if each.tag == "a" and each.attrs.get("rel") == rel]
        if not turn:
            return
        url = url.partition("?")[0] + turn[0]


def test_every_kind_of_entry_is_listed_and_reads_are_not(env: Environment, link: Link) -> None:
    made = many(env, link, len(KINDS))
    reading.read(link)

    page = env.open(url_of(link))

    read_to_be, *before = anchors(page)
    assert read_to_be == f"change-{link.changes.latest('id').pk}"
    assert before == made
    for words in ("Assigned to Ben", "A note.", "Webhook received", "One more attempt allowed"):
        assert words in page.words


def test_status_that_is_also_the_code_is_shown_once(env: Environment, link: Link) -> None:
    HealthChange.objects.create(
        link=link, at=START, source="call", new="customer_code", cause=Cause.CODE_NEEDED.value,
        raw_status="token_required", raw_code="token_required",
    )  # fmt: skip

    assert env.open(url_of(link)).words.count("token_required") == 1


def test_pages_lead_through_the_whole_history_and_back(env: Environment, link: Link) -> None:
    made = many(env, link, 130)

    down = list(walk(env, url_of(link), "next"))
    up = list(walk(env, url_of(link, "?end=1"), "prev"))

    assert [anchor for page in down for anchor in anchors(page)] == made
    assert [anchor for page in up[::-1] for anchor in anchors(page)] == made
    assert [len(anchors(page)) for page in down] == [50, 50, 30]


def test_oldest_first_reverses_the_order(env: Environment, link: Link) -> None:
    made = many(env, link, 60)

    pages = list(walk(env, url_of(link, "?order=oldest"), "next"))

    assert [anchor for page in pages for anchor in anchors(page)] == made[::-1]
    assert "Go to newest" in pages[0].words


def test_new_entries_do_not_shift_a_page(env: Environment, link: Link) -> None:
    made = many(env, link, 80)
    pages = walk(env, url_of(link), "next")
    first = next(pages)

    for kind in KINDS:
        happen(env, link, kind, START + timedelta(days=30))

    assert [*anchors(first), *anchors(next(pages))] == made


@pytest.mark.parametrize("kinds", [("note",), KINDS])
def test_entries_of_the_same_moment_are_listed_once(env: Environment, link: Link, kinds: tuple[str, ...]) -> None:
    made = [happen(env, link, kinds[n % len(kinds)], START) for n in range(120)]

    pages = list(walk(env, url_of(link), "next"))

    assert sorted(anchor for page in pages for anchor in anchors(page)) == sorted(made)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_pages_are_complete_and_without_duplicates(env: Environment, link: Link, data: st.DataObject) -> None:
    events = data.draw(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 3)), max_size=80))
    kinds = data.draw(st.lists(st.sampled_from(KINDS), unique=True))
    query = QueryDict(mutable=True)
    query["order"] = data.draw(st.sampled_from(["newest", pages.OLDEST_FIRST]))
    with transaction.atomic():
        made = [(kind, happen(env, link, kind, START + timedelta(seconds=second))) for kind, second in events]

        shown = list(_all_entries(link, kinds, query))

        transaction.set_rollback(True)
    assert sorted(shown) == sorted(anchor for kind, anchor in made if not kinds or kind in kinds)


def _all_entries(link: Link, kinds: list[str], query: QueryDict) -> Iterator[str]:
    while True:
        page = pages.page_of(link, kinds, query, see_names=True)
        times = re.findall(r'datetime="([^"]+)"', page.entries)
        assert times == sorted(times, reverse=query["order"] != pages.OLDEST_FIRST)
        yield from re.findall(r'id="([^"]+)"', page.entries)
        if not page.next:
            return
        query = QueryDict(page.next[1:])


def test_entry_keeps_its_url(env: Environment, link: Link) -> None:
    made = many(env, link, 70)
    old = made[60]
    (address,) = [url for page in walk(env, url_of(link), "next") for url in page.links() if url.endswith(f"#{old}")]
    happen(env, link, "note", timezone.now())

    page = env.open(address)

    assert anchors(page)[0] == old
    assert [each for each in page.elements if each.attrs.get("rel") == "prev"]


def test_link_page_shows_the_newest_entries_and_a_link_to_all(env: Environment, link: Link) -> None:
    made = many(env, link, 60)

    page = env.open(link.get_absolute_url())

    assert anchors(page) == made[:50]
    assert url_of(link) in page.links()
    assert any(url.startswith(url_of(link, "?at=")) and url.endswith(f"#{made[0]}") for url in page.links())


def test_link_page_narrows_its_timeline_to_a_kind(env: Environment, link: Link) -> None:
    many(env, link, 12)
    url = f"{link.get_absolute_url()}?kind=note"

    page, part = env.open(url), read(env.client().get(url, headers=HTMX))

    assert {anchor.split("-")[0] for anchor in anchors(page)} == {"note"}
    assert [each.attrs["href"] for each in page.elements if each.attrs.get("aria-current") == "true"] == [url]
    assert (anchors(part), part.is_whole) == (anchors(page), False)
    assert env.open(f"{link.get_absolute_url()}?kind=nothing").status == 400


def test_kinds_are_chosen_by_pills(env: Environment, link: Link) -> None:
    many(env, link, 12)

    page = env.open(url_of(link, "?kind=note&kind=assignee"))

    assert {anchor.split("-")[0] for anchor in anchors(page)} == {"note", "assignee"}
    assert {"?kind=assignee", "?kind=note", "?kind=note&kind=assignee&kind=change"} <= set(page.links())
    assert [each.attrs["href"] for each in page.elements if each.attrs.get("aria-current") == "true"] == [
        "?kind=assignee",
        "?kind=note",
    ]


def test_empty_filter_says_so_and_leads_back(env: Environment, link: Link) -> None:
    page = env.open(url_of(link, "?kind=note"))

    assert "Nothing of this type has happened to this link." in page.words
    assert "?" in page.links()


@pytest.mark.parametrize("query", ["?kind=reads", "?kind=note&kind="])
def test_unknown_kind_is_a_bad_request(env: Environment, link: Link, query: str) -> None:
    assert env.client().get(url_of(link, query)).status_code == 400


@pytest.mark.parametrize(
    "place",
    ["x", "1.note.x", "1.reads.1", f"{10**30}.note.{uuid.UUID(int=0)}", f"1.change.{2**70}", "1.change.-1", "a.b.c.d"],
)
def test_invalid_position_shows_the_first_page(env: Environment, link: Link, place: str) -> None:
    made = many(env, link, 3)

    assert anchors(env.open(url_of(link, f"?at={place}"))) == made


def test_days_are_the_readers_or_those_of_utc(env: Environment, link: Link) -> None:
    happen(env, link, "note", START)
    env.client().cookies["tz"] = "Pacific/Kiritimati"

    here, there = env.open(url_of(link)), env.open(url_of(link, "?utc=1"))

    assert "Jan 11, 2026" in here.words
    assert "05:00:00" in here.words
    assert "Shown in Pacific/Kiritimati" in here.words
    assert "Jan 10, 2026" in there.words
    assert "15:00:00" in there.words
    assert "Shown in UTC" in there.words


def test_switching_to_utc_stays_on_the_page(env: Environment, link: Link) -> None:
    many(env, link, 60)
    env.client().cookies["tz"] = "Pacific/Kiritimati"
    second = list(walk(env, url_of(link), "next"))[1]
    (switch,) = [url for url in second.links() if "utc=1" in url and "after=" in url and "order" not in url][:1]

    assert anchors(env.open(url_of(link, switch))) == anchors(second)


def test_who_reads_times_in_utc_is_offered_no_switch(env: Environment, link: Link) -> None:
    assert "Times in UTC" not in env.open(url_of(link)).words


def test_auditor_reads_no_name_and_no_note(env: Environment, link: Link) -> None:
    happen(env, link, "note", START, "Spoke with Wilhelmina")

    page = env.open(url_of(link), "aud")

    assert "W••• Q•••" in page.words
    assert "Wilhelmina" not in page.source
    assert "Only people who can see customer names can read this note." in page.words


def test_viewing_the_history_is_audited(env: Environment, link: Link) -> None:
    env.open(url_of(link))

    event = AuditEvent.objects.get(action="link.viewed")
    assert (event.object_id, event.details) == (str(link.pk), {"page": "history"})


def test_note_and_message_are_text_and_never_markup(env: Environment, link: Link) -> None:
    happen(env, link, "note", START, "<b>bold</b>\nsecond line")
    happen(env, link, "delivery", START, "<img src=x>")

    page = env.open(url_of(link))

    assert "&lt;b&gt;bold&lt;/b&gt;<br>second line" in page.source
    assert "&lt;img src=x&gt;" in page.source


def test_note_from_a_bulk_job_says_so(env: Environment, link: Link) -> None:
    Note.objects.create(link=link, author=env.people["ana"], text="Bank moves", job_id=uuid.uuid4())

    assert "Ana · bulk action" in env.open(url_of(link)).words


def test_statements_do_not_grow_with_the_history(
    env: Environment, link: Link, django_assert_max_num_queries: Any
) -> None:
    many(env, link, 66)
    env.open(url_of(link))

    with django_assert_max_num_queries(17):
        env.client().get(url_of(link))
