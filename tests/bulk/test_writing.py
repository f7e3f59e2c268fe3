"""Assignees and notes for many links: applied once to each, even if workers die or requests repeat."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.bulk import parts, tasks, work
from linkadmin.bulk.models import BulkJob, BulkPart
from linkadmin.database import release_connections
from linkadmin.links.models import AssigneeChange, Link, Note, NoteText
from linkadmin.links.staff_work import assign
from tests.environment import Environment
from tests.follow import follow

from .helpers import completed, ended, many, move, results, started_job

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_note_is_added_to_every_link_under_the_actors_name(env: Environment) -> None:
    links = many(env.heron, 240)

    job = completed(started_job(env, "note", all="1", text="The bank moved."))

    assert (job.state, results(job)) == ("done", {"done": 240})
    notes = Note.objects.filter(author=env.people["ana"], job_id=job.pk, shared__text="The bank moved.")
    assert (notes.count(), notes.exclude(text="").count(), NoteText.objects.count()) == (240, 0, 1)
    assert "The bank moved." in env.open(f"/links/{notes[0].link_id}/").words
    assert set(Note.objects.values_list("link", flat=True)) == {link.pk for link in links}


def test_links_are_assigned_unless_they_were_meanwhile(env: Environment) -> None:
    links, ben = many(env.heron, 3), env.people["ben"]
    job = started_job(env, "assign", links, assignee=str(ben.pk))
    assign(links[0], by=env.people["mia"], assignee=ben)

    completed(job)

    assert results(job) == {"done": 2, "skipped": 1}
    assert set(Link.objects.values_list("assignee", flat=True)) == {ben.pk}
    assert AssigneeChange.objects.filter(by=env.people["ana"], new=ben, job_id=job.pk).count() == 2
    assert "Already assigned to this person." in env.open(f"{job.get_absolute_url()}?state=skipped").words


def test_link_removed_after_the_review_is_skipped(env: Environment) -> None:
    stays, goes = many(env.heron, 2)
    job = started_job(env, "note", [stays, goes], text="Called them.")
    ended(goes)

    completed(job)

    assert results(job) == {"done": 1, "skipped": 1}
    assert Note.objects.get().link == stays


def test_audit_log_has_the_job_and_not_each_link(env: Environment) -> None:
    env.client()
    before = AuditEvent.objects.count()

    job = completed(started_job(env, "note", many(env.heron, 120), text="Called them."))

    events = AuditEvent.objects.filter(seq__gt=before).order_by("seq")
    assert [(event.action, event.actor, event.details) for event in events] == [
        ("bulk_job.started", "ana", {"kind": "note", "links": 120}),
        ("bulk_job.finished", "", {"waiting": 0, "done": 120, "failed": 0, "skipped": 0}),
    ]
    assert {(event.object_type, event.object_id) for event in events} == {("bulk_job", str(job.pk))}


def test_audit_event_links_to_the_rows_of_the_job(env: Environment) -> None:
    job = completed(started_job(env, "note", many(env.heron, 1), text="Called them."))
    event = AuditEvent.objects.get(action="bulk_job.started")

    page = env.open(f"/admin/audit/auditevent/{event.seq}/change/", "aud")

    assert job.get_absolute_url() in page.links()


def test_duplicate_message_does_nothing(env: Environment) -> None:
    job = completed(started_job(env, "note", many(env.heron, 5), text="Called them."))

    tasks.work_at(str(job.pk))

    assert Note.objects.count() == 5
    assert AuditEvent.objects.filter(action="bulk_job.finished").count() == 1


def test_part_of_a_killed_worker_is_done_after_its_lease(env: Environment) -> None:
    job = started_job(env, "note", many(env.heron, 150), text="Called them.")
    [abandoned] = parts.claim(job, limit=1)

    completed(job)
    before = results(job)
    BulkPart.objects.filter(pk=abandoned.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    completed(job)

    assert before == {"waiting": 100, "done": 50}
    assert (job.state, results(job), Note.objects.count()) == ("done", {"done": 150}, 150)


def test_worker_without_its_lease_does_nothing(env: Environment) -> None:
    job = started_job(env, "note", many(env.heron, 5), text="Called them.")
    [slow] = parts.claim(job, limit=1)
    BulkPart.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    completed(job)

    acted = parts.write(job, slow)

    assert acted is None
    assert Note.objects.count() == 5


def test_schedule_recovers_a_lost_message(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    job = started_job(env, "note", many(env.heron, 2), text="Called them.")
    sent: list[tuple[str, object]] = []
    monkeypatch.setattr(work, "wake_worker", lambda task, row: sent.append((task, row)))

    tasks.wake_running()

    assert sent == [("bulk.work_job", job.pk)]


def test_schedule_finishes_a_job_whose_worker_died_after_the_last_part(env: Environment) -> None:
    job = started_job(env, "note", many(env.heron, 2), text="Called them.")
    [part] = parts.claim(job, limit=1)
    parts.write(job, part)

    tasks.wake_running()

    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 2)


def test_paused_job_starts_nothing_and_resumes_where_it_was(env: Environment) -> None:
    job = started_job(env, "note", many(env.heron, 150), text="Called them.")
    [part] = parts.claim(job, limit=1)

    move(env, job, "stop", "mia")
    parts.write(job, part)  # was in progress
    completed(job)

    assert results(job) == {"done": 100, "waiting": 50}
    page = env.open(f"{job.get_absolute_url()}?state=waiting")
    assert "Paused by Mia" in page.words
    assert page.words.count("Paused") >= 50
    move(env, job, "resume")
    completed(job)
    assert (job.state, results(job), Note.objects.count()) == ("done", {"done": 150}, 150)
    actions = AuditEvent.objects.filter(object_id=str(job.pk)).order_by("seq").values_list("action", "actor")
    assert list(actions) == [
        ("bulk_job.started", "ana"),
        ("bulk_job.paused", "mia"),
        ("bulk_job.resumed", "ana"),
        ("bulk_job.finished", ""),
    ]


@pytest.mark.django_db(transaction=True)
def test_workers_share_a_job_and_do_everything_once(env: Environment) -> None:
    many(env.heron, 240)
    job = started_job(env, "note", all="1", text="Called them.")
    together = threading.Barrier(3)

    def turn(_number: int) -> None:
        together.wait()
        work.work(job.pk)
        release_connections()

    with ThreadPoolExecutor(3) as workers:
        list(workers.map(turn, range(3)))
    completed(job)

    assert (job.state, results(job)) == ("done", {"done": 240})
    assert Note.objects.count() == 240
    assert AuditEvent.objects.filter(action="bulk_job.finished").count() == 1


def test_page_of_a_running_job_updates_until_it_is_finished(env: Environment) -> None:
    job = started_job(env, "note", many(env.heron, 3), text="Called them.")
    url = job.get_absolute_url()

    running = follow(env.open(url))
    unchanged = running.poll(env.client())
    completed(job)
    changed = running.poll(env.client())
    over = env.open(url)

    assert (running.seconds, unchanged.status_code, changed.status_code) == ("2", 204, 200)
    assert "3 of 3" in over.words
    assert follow(over).seconds == "0"


def test_rows_are_filtered_by_result_and_paged(env: Environment) -> None:
    links = many(env.heron, 60)
    ended(links[0])
    job = completed(started_job(env, "note", links, text="Called them."))

    first = env.open(f"{job.get_absolute_url()}?state=done")
    onward = next(address for address in first.links() if "after=" in address)
    second = env.open(f"{job.get_absolute_url()}{onward}")

    assert [page.source.count('class="table__main"') for page in (first, second)] == [50, 9]
    assert "Skipped 1" in second.words
    assert env.open(f"{job.get_absolute_url()}?state=foo").status == 400


def test_queries_of_a_page_do_not_grow_with_its_rows(env: Environment, django_assert_max_num_queries: object) -> None:
    job = completed(started_job(env, "note", many(env.heron, 60), text="Called them."))
    env.open(job.get_absolute_url())  # new names are counted once

    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert env.client().get(job.get_absolute_url()).status_code == 200


def test_own_jobs_are_listed_before_those_of_the_others(env: Environment) -> None:
    links = many(env.heron, 2)
    completed(started_job(env, "note", links[:1], "mia", text="Called them."))
    completed(started_job(env, "assign", links, assignee=str(env.people["ben"].pk)))

    words = env.open("/bulk/").words

    assert words.index("Assign 2 links Ana Done 2 of 2") < words.index("Add note to 1 link Mia Done 1 of 1")


def test_list_of_jobs_is_paged_by_key(env: Environment) -> None:
    BulkJob.objects.bulk_create(
        BulkJob(kind="note", state="done", actor=env.people["ana"], created_at=timezone.now() - timedelta(hours=age))
        for age in range(60)
    )

    first = env.open("/bulk/")
    second = env.open(f"/bulk/{next(address for address in first.links() if 'after=' in address)}")

    assert [page.source.count('class="table__main"') for page in (first, second)] == [50, 10]
    assert "Started by others" not in second.words


@pytest.mark.parametrize(
    ("query", "totals"), [("", [5, 9, 7]), ("sort=-created", [7, 9, 5]), ("sort=links", [9, 7, 5])]
)
def test_jobs_are_sorted_by_time_or_size(env: Environment, query: str, totals: list[int]) -> None:
    BulkJob.objects.bulk_create(
        BulkJob(
            kind="note",
            state="done",
            actor=env.people["ana"],
            total=total,
            created_at=timezone.now() - timedelta(hours=age),
        )
        for age, total in enumerate((5, 9, 7))
    )

    page = env.open(f"/bulk/?{query}")

    assert [int(total) for total in re.findall(r"Add note to (\d) links", page.words)] == totals
    assert "/bulk/?sort=links" in page.links() or "/bulk/?sort=-links" in page.links()
