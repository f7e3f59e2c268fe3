"""Drafts of bulk jobs: what was reviewed is what runs, and nothing runs before somebody starts it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from time_machine import TimeMachineFixture

from linkadmin.audit.models import AuditEvent
from linkadmin.bulk import plan, tasks
from linkadmin.bulk.models import BulkJob, BulkPart
from linkadmin.integrations.models import CallQuota, Integration
from linkadmin.integrations.recent_calls import RecentCalls
from linkadmin.links.count_upkeep import recount
from linkadmin.links.models import Link, Note
from linkadmin.links.staff_work import assign
from linkadmin.providers.types import Cause, HealthState
from tests.environment import Environment

from .helpers import PLACES, draft_job, ended, many, move, results, select, started_job

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def selected(job: BulkJob) -> set[Link]:
    return {item.link for item in job.items.select_related("link")}


def test_selected_rows_are_drafted_and_nothing_runs(env: Environment) -> None:
    first, second, _third = many(env.heron, 3)

    job = draft_job(env, "note", [first, second], text="Called them.")

    assert selected(job) == {first, second}
    assert "The note will be added to 2 links." in env.open(job.get_absolute_url()).words
    assert not Note.objects.exists()


def test_all_results_are_selected_by_filters_and_search_terms_in_the_body(env: Environment) -> None:
    many(env.heron, 12)
    at_belvo, acme = env.belvo_link("Blue Fern"), env.heron_link("Acme Corp")

    by_filter = draft_job(env, "refresh", all="1", integration=str(env.belvo.pk))
    by_words = draft_job(env, "refresh", all="1", q="acme CORP")
    by_both = select(env, "refresh", all="1", q="acme", integration=str(env.belvo.pk))

    assert selected(by_filter) == {at_belvo}
    assert selected(by_words) == {acme}
    assert by_both.location == f"/links/?integration={env.belvo.pk}"


def test_form_of_the_list_selects_what_the_list_shows(env: Environment) -> None:
    many(env.heron, 60)
    env.belvo_link("Acme Corp", cause=Cause.WORKING)
    recount()
    page = env.open("/links/?state=customer")

    form = page.form_with("link", "all")

    assert "Select all 60 results" in page.words
    assert form.values["state"] == "customer"
    assert draft_job(env, "refresh", state=form.values["state"], all="1").total == 60


def test_person_has_three_drafts_at_most(env: Environment) -> None:
    links = many(env.heron, 5)
    running = started_job(env, "note", links[:1], text="Called them.")
    others = draft_job(env, "note", links, "ben", text="Called them.")

    plans = [draft_job(env, "note", [link], text="Called them.") for link in links[1:]]

    assert set(BulkJob.objects.all()) == {running, others, *plans[1:]}
    assert env.open(plans[0].get_absolute_url()).status == 404


def test_search_terms_are_in_no_url(env: Environment) -> None:
    many(env.heron, 2)
    listed = env.post("/links/", {"q": "zebra"})

    form = listed.form_with("link", "all")
    asked = select(env, "assign", all="1", q=form.values["q"])

    assert form.values["q"] == asked.form_with("assignee").values["q"] == "zebra"
    assert not [address for address in (*asked.links(), form.action) if "zebra" in address.lower()]


def test_results_of_a_person_have_a_number(env: Environment) -> None:
    for link in many(env.heron, 60):
        assign(link, by=env.people["ana"], assignee=env.people["ana"])

    assert "Select all 60 results" in env.open("/links/?assigned=mine").words


def test_other_results_are_counted_when_all_are_selected(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    for link in many(env.heron, 60):
        assign(link, by=env.people["ana"], assignee=env.people["ana"])
    url = f"/links/?assigned=mine&integration={env.heron.pk}"
    with CaptureQueriesContext(connection) as captured:
        page = env.open(url)
    assert "Select all results" in page.words
    assert not [each for each in captured if "LIMIT 1001" in each["sql"]]

    posted = page.form_with("link", "all").values
    assert env.post("/bulk/count/", posted).source == "Select all 60 results"
    monkeypatch.setattr("linkadmin.bulk.views.MOST_COUNTED", 59)
    with CaptureQueriesContext(connection) as captured:
        assert env.post("/bulk/count/", posted).source == "Select all 1,000+ results"
    assert "LIMIT 60" in next(each["sql"] for each in captured if "COUNT(*)" in each["sql"])


def test_results_of_a_search_are_counted_when_all_are_selected(env: Environment) -> None:
    many(env.heron, 60)
    page = env.post("/links/", {"q": "zebra"})
    asked = next(each.attrs["hx-post"] for each in page.elements if "hx-post" in each.attrs)

    assert "Select all results" in page.words
    assert asked == "/bulk/count/"
    assert env.post(asked, page.form_with("link", "all").values).source == "Select all 60 results"
    assert env.post(asked, {"q": "quagga"}).source == "Select all 0 results"
    assert env.post(asked, {"q": "zebra"}, "aud").source == "Select all 0 results"


@pytest.mark.parametrize(
    ("moment", "until"),
    [("12:00:10", "12:02 UTC"), ("23:59:30", "Jan 31, 2027, 00:01 UTC")],
    ids=["at noon", "before midnight"],
)
def test_draft_says_how_many_links_wait_for_the_quota_and_until_when(
    env: Environment, time_machine: TimeMachineFixture, moment: str, until: str
) -> None:
    time_machine.move_to(f"2027-01-30T{moment}+00:00", tick=False)
    now = timezone.now()
    CallQuota.objects.create(
        integration=env.heron,
        scope=env.heron.provider_class.quota_scope("read_links"),
        calls=100,
        used=80,
        window_ends_at=now + timedelta(seconds=60),
    )
    job = draft_job(env, "refresh", many(env.heron, 190))

    words = env.open(job.get_absolute_url()).words

    assert "10 links will be checked now." in words
    assert f"180 links will follow as rate limits allow, the last at about {until}" in words
    assert "This will use 190 API requests." in words


def test_draft_counts_requests_that_only_wait_to_be_spread(env: Environment) -> None:
    now, recent = timezone.now(), RecentCalls(30.0, {})
    for _each in range(9):
        recent.add(now)
    window = {"calls": 80, "used": 9, "recent": recent.write(), "window_ends_at": now + timedelta(seconds=30)}
    env.belvo.quotas.update_or_create(scope="", defaults=window)
    job = draft_job(env, "refresh", many(env.belvo, 150))

    assert "150 links will be checked now. This will use 2 API requests." in env.open(job.get_absolute_url()).words


def test_links_of_one_request_are_one_part(env: Environment) -> None:
    job = draft_job(env, "refresh", many(env.belvo, 150))

    assert [part.links for part in job.parts.order_by("pk")] == [100, 50]
    assert "150 links will be checked now. This will use 2 API requests." in env.open(job.get_absolute_url()).words


def test_parts_alternate_between_integrations(env: Environment) -> None:
    job = draft_job(env, "refresh", [*many(env.belvo, 150), *many(env.heron, 30)])

    integrations = [part.integration for part in job.parts.select_related("integration").order_by("pk")]

    assert {integrations[0], integrations[1]} == {integrations[2], integrations[3]} == {env.belvo, env.heron}
    assert integrations[4:] == [env.heron] * 28


def test_draft_skips_links_that_cannot_be_checked_and_says_why(env: Environment) -> None:
    open_one, gone, off, refused = env.heron_link(), ended(env.heron_link(item_id="2")), *many(env.belvo, 2)
    other = Integration.objects.create(provider="belvo", name="Off", base_url=env.belvo.base_url, is_active=False)
    Link.objects.filter(pk=off.pk).update(integration=other)
    Integration.objects.filter(pk=env.belvo.pk).update(key_state=Integration.KeyState.REJECTED)

    job = draft_job(env, "refresh", [open_one, gone, off, refused])

    words = env.open(job.get_absolute_url()).words
    assert "1 link will be checked now." in words
    for why in (
        "The link was removed.",
        "Its integration is inactive.",
        "The provider is rejecting this integration's API keys.",
    ):
        assert why in words
    assert words.count("1 link skipped.") == 3


def test_draft_skips_links_already_assigned_to_the_person(env: Environment) -> None:
    links = many(env.heron, 3)
    Link.objects.filter(pk=links[0].pk).update(assignee=env.people["ben"])

    job = draft_job(env, "assign", links, assignee=str(env.people["ben"].pk))

    words = env.open(job.get_absolute_url()).words
    assert "2 links will be assigned to Ben." in words
    assert "1 link skipped. Already assigned to this person." in words


def test_empty_draft_cannot_start(env: Environment) -> None:
    job = draft_job(env, "note", [ended(env.heron_link())], text="Called them.")

    page = env.open(job.get_absolute_url())

    assert "There's nothing to do." in page.words
    assert "begin" not in [each.attrs.get("value") for each in page.elements]


@pytest.mark.parametrize("kind", PLACES)
def test_empty_selection_redirects_to_the_list(env: Environment, kind: str) -> None:
    page = select(env, kind, assignee=str(env.people["ben"].pk), text="Called them.")

    assert page.location == "/links/"
    assert "No links selected." in env.open("/links/").words
    assert not BulkJob.objects.exists()


def test_too_many_links_are_refused(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_LINKS", 3)
    many(env.heron, 4)

    page = select(env, "refresh", all="1", state="customer")

    assert page.location == "/links/?state=customer"
    assert "A job can include up to 3 links, but more match." in env.open(page.location).words
    assert not BulkJob.objects.exists()


@pytest.mark.parametrize("values", [{"all": "1", "state": "no such state"}, {"link": "no id"}])
def test_invalid_form_is_a_bad_request(env: Environment, values: dict[str, str]) -> None:
    assert env.post("/bulk/refresh/", values).status == 400


def test_assignee_is_one_of_the_active_staff_who_work_on_links(env: Environment) -> None:
    env.people["ben"].is_active = False
    env.people["ben"].save()
    links = many(env.heron, 1)

    form = select(env, "assign", links=links)
    refused = select(env, "assign", links=links, assignee=str(env.people["ben"].pk))

    assert [name in form.words for name in ("Ana", "Mia", "Ben", "Aud", "Adm")] == [True, True, False, False, False]
    assert (refused.status, BulkJob.objects.count()) == (422, 0)


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_invalid_note_keeps_the_selection(env: Environment, text: str) -> None:
    link = env.heron_link()

    page = select(env, "note", links=[link], text=text)

    assert page.status == 422
    assert page.error_at("text")
    assert page.form_with("text").values["link"] == str(link.pk)


def test_starting_twice_starts_one_job(env: Environment) -> None:
    job = draft_job(env, "note", many(env.heron, 2), text="Called them.")

    answers = [move(env, job, "begin").status for _each in range(2)]

    assert answers == [303, 303]
    started_events = AuditEvent.objects.filter(action="bulk_job.started", object_id=str(job.pk))
    assert [(event.actor, event.details) for event in started_events] == [("ana", {"kind": "note", "links": 2})]


def test_job_runs_on_the_reviewed_links(env: Environment) -> None:
    first, late = many(env.heron, 2)
    Link.objects.filter(pk=late.pk).update(health=HealthState.HEALTHY.value)
    job = draft_job(env, "note", all="1", state="customer", text="Called them.")

    Link.objects.filter(pk=late.pk).update(health=HealthState.CUSTOMER_LOGIN.value)
    move(env, job, "begin")

    assert selected(job) == {first}


def test_draft_is_private(env: Environment) -> None:
    job = draft_job(env, "note", many(env.heron, 1), text="Called them.")

    assert env.open(job.get_absolute_url(), "mia").status == 404
    assert move(env, job, "begin", "ben").status == 404
    assert "Draft" not in env.open("/bulk/", "mia").words
    assert "Draft" in env.open("/bulk/").words


def test_draft_expires_after_an_hour(env: Environment) -> None:
    old, running = (draft_job(env, "note", [link], text="Called them.") for link in many(env.heron, 2))
    move(env, running, "begin")
    BulkJob.objects.update(created_at=timezone.now() - timedelta(minutes=61))

    refused = move(env, old, "begin")
    tasks.wake_running()

    assert refused.location == "/links/"
    assert "This draft has expired." in env.open("/links/").words
    assert [job.pk for job in BulkJob.objects.all()] == [running.pk]
    assert BulkPart.objects.count() == 1


def test_draft_for_an_assignee_who_left_does_not_start(env: Environment) -> None:
    job = draft_job(env, "assign", many(env.heron, 1), assignee=str(env.people["ben"].pk))
    env.people["ben"].is_active = False
    env.people["ben"].save()

    assert move(env, job, "begin").location == "/links/"
    assert results(job) == {"waiting": 1}


@pytest.mark.parametrize("name", ["aud", "adm"])
def test_people_without_the_right_see_no_bulk_actions_and_are_denied(env: Environment, name: str) -> None:
    link = env.heron_link()

    statuses = [select(env, kind, name, [link]).status for kind in PLACES]

    assert statuses == [403, 403, 403]
    assert "Assign an assignee" not in env.open("/links/", name).words


def test_auditor_sees_a_job_without_names_and_cannot_pause_it(env: Environment) -> None:
    job = started_job(env, "note", [env.heron_link("Wilhelmina Quackenbush")], text="Wilhelmina called.")

    page = env.open(job.get_absolute_url(), "aud")

    assert "Wilhelmina" not in page.words
    assert "W••• Q•••" in page.words
    assert move(env, job, "stop", "aud").status == 403
