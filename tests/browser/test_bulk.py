"""Bulk actions: select rows, review, start, and watch the job finish without a reload."""

import re

import pytest
from playwright.sync_api import Page, expect

from linkadmin.bulk.models import BulkJob
from linkadmin.links.models import Note
from linkadmin.providers.names import isolated
from tests.bulk.helpers import completed, many
from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def select_links(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_label(f"Select {isolated(name)}", exact=True).check()


def test_select_all_selects_the_page_and_the_bar_counts(env: Environment, windows: Windows) -> None:
    many(env.heron, 3)
    page = windows.window()
    page.goto("/links/")

    page.get_by_label("Select all on this page").check()
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.get_by_label(f"Select {isolated('Zebra 1')}", exact=True).uncheck()

    expect(page.get_by_text("2 selected")).to_be_visible()


def test_job_is_reviewed_started_and_followed(env: Environment, windows: Windows) -> None:
    many(env.heron, 3)
    page = windows.window()
    page.goto("/links/")
    select_links(page, "Zebra 0", "Zebra 2")

    page.get_by_role("button", name="Add note").click()
    page.get_by_label("Note").fill("The bank moved.")
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_text("The note will be added to 2 links.")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("0 of 2")).to_be_visible()
    completed(BulkJob.objects.get())

    expect(page.get_by_text("2 of 2")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert Note.objects.count() == 2


def test_all_results_are_assigned_without_javascript(env: Environment, windows: Windows) -> None:
    many(env.heron, 60)
    page = windows.window(java_script_enabled=False)
    page.goto("/links/?state=customer")

    page.get_by_label("Select all 60 results").check()
    page.get_by_role("button", name="Assign", exact=True).click()
    page.get_by_label("New assignee").select_option("Mia")
    page.get_by_role("button", name="Review").click()

    expect(page.get_by_text(f"60 links will be assigned to {isolated('Mia')}.")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("0 of 60")).to_be_visible()


def test_results_are_counted_when_all_are_selected(env: Environment, windows: Windows) -> None:
    many(env.heron, 60)
    page = windows.window()
    page.goto(f"/links/?assigned=nobody&integration={env.heron.pk}")

    page.get_by_label("Select all on this page").check()
    page.get_by_label("Select all results").check()

    expect(page.get_by_label("Select all 60 results")).to_be_checked()
    expect(page).to_have_url(re.compile(r"/links/\?assigned=nobody"))
