"""Twenty everyday tasks, five per role: how many clicks each takes, and how long, from the first page of the day."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db.models import QuerySet
from playwright.sync_api import Locator, Page, expect

from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause
from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@dataclass
class Hands:
    """A person who clicks, counted, and types, which isn't. Enter counts as a click."""

    page: Page
    env: Environment
    clicks: int = field(default=0, init=False)

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def link(self, name: str, within: str = "main") -> None:
        self.click(self.page.locator(within).get_by_role("link", name=re.compile(name)).first)

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def navigate(self, name: str) -> None:
        self.click(self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True))

    def choose(self, label: str, option: str) -> None:
        self.clicks += 1
        select = self.page.get_by_label(label)
        select.select_option(select.locator("option", has_text=option).first.get_attribute("value"))

    def submit(self) -> None:
        self.clicks += 1
        self.page.keyboard.press("Enter")

    def find(self, words: str, result: str) -> None:
        self.page.keyboard.press("/")
        self.page.get_by_role("combobox", name="Find anything").fill(words)
        expect(self.page.locator("[data-found]")).to_have_attribute("aria-busy", "false")
        expect(self.page.get_by_role("option", selected=True)).to_contain_text(result)
        self.submit()

    def find_link(self, link: Link) -> None:
        self.find(link.remote_id, link.bank)

    def sees(self, words: str, within: str = "main") -> None:
        expect(self.page.locator(within).first).to_contain_text(re.compile(words))


def links() -> QuerySet[Link]:
    return Link.objects.filter(disconnected_at=None).select_related("integration", "institution", "end_user")


def acme() -> Link:
    return links().get(end_user__external_id="acme-001")


# --- Support ---


def repair_with_a_code(hands: Hands) -> None:
    hands.find_link(acme())
    hands.link("Update credentials")
    expect(hands.page.locator("#id_password")).to_be_focused()
    hands.page.keyboard.type("mfa_default")
    hands.submit()
    expect(hands.page.locator("#id_code")).to_be_focused()
    hands.page.keyboard.type("111111")
    hands.submit()
    hands.sees("Verifying repair", ".verdict")


def see_who_waits_longest(hands: Hands) -> None:
    hands.link("^Customer ")
    hands.link("^Since", "#rows thead")
    longest = links().filter(health__startswith="customer_").earliest("health_since")
    hands.sees(longest.end_user.name, "#rows tbody tr")


def tell_the_bank_from_us(hands: Hands) -> None:
    hands.find_link(links().filter(cause=Cause.BANK_DOWN)[0])
    hands.sees("Bank or provider issue", ".verdict")
    hands.sees("links at this bank", ".verdict")


def see_what_to_renew_this_week(hands: Hands) -> None:
    hands.click(hands.page.locator("section", has_text="Consents ending soon").locator("dd a").first)
    hands.sees("Consent ends: within 7 days", "#results")


def take_a_link(hands: Hands) -> None:
    hands.find_link(links().filter(assignee=None, cause=Cause.LOGIN_REFUSED)[0])
    hands.link("^Assign$")
    hands.choose("Assignee", "Nadia Okell")
    hands.button("Assign")
    hands.sees("Nadia Okell", "#assignee")


# --- Account manager ---


def see_own_customers_in_trouble(hands: Hands) -> None:
    hands.link("Mine|My ")
    hands.sees("Customers in trouble")
    expect(hands.page).to_have_url(re.compile("assigned=mine"))


def allow_one_more_attempt(hands: Hands) -> None:
    hands.find_link(acme())
    hands.link("Allow one more attempt")
    hands.page.get_by_label("Reason").fill("The customer found the right password.")
    hands.button("Allow one more attempt")
    hands.sees("One more attempt allowed")


def export_what_waits_on_customers(hands: Hands) -> None:
    hands.link("^Customer ")
    with hands.page.expect_download():
        hands.link("Export CSV")


def assign_what_waits_on_us(hands: Hands) -> None:
    hands.navigate("Links")
    hands.link("^Us ", "#tabs")
    expect(hands.page.locator("#tab-us")).to_have_attribute("aria-current", re.compile(".+"))
    hands.click(hands.page.get_by_label("Select all on this page"))
    hands.button("Assign")
    hands.choose("New assignee", "Joel Hartwig")
    hands.button("Review")
    hands.button("Start")
    hands.sees("Running|0 of")


def resolve_an_operation(hands: Hands) -> None:
    hands.find_link(Operation.objects.get(state=State.NEEDS_DECISION).link)
    hands.link("Resolve manually")
    hands.click(hands.page.get_by_label("It went through"))
    hands.page.get_by_label("How do you know?").fill("The customer sees the new sign-in at the bank.")
    hands.button("Resolve")
    hands.sees("confirmed")


# --- Auditor ---


def see_who_changed_a_link(hands: Hands) -> None:
    hands.find_link(acme())
    hands.link("Full history")
    hands.sees("Nadia Okell")


def see_what_a_person_did(hands: Hands) -> None:
    hands.navigate("Audit log")
    search = hands.page.locator("main").get_by_role("searchbox")
    search.fill("support")
    search.press("Enter")
    hands.clicks += 1
    hands.sees("support", "#result_list")


def see_what_was_denied(hands: Hands) -> None:
    hands.navigate("Audit log")
    hands.click(hands.page.locator("summary", has_text="Outcome"))
    hands.link("^Denied$")
    expect(hands.page).to_have_url(re.compile("denied"))


def export_activity(hands: Hands) -> None:
    hands.navigate("Activity")
    with hands.page.expect_download():
        hands.link("Export CSV")


def see_who_has_access(hands: Hands) -> None:
    hands.navigate("Django admin")
    hands.click(hands.page.locator("#accounts-user a"))
    hands.sees("Ravi Mehrotra")


# --- Administrator ---


def see_whether_connections_work(hands: Hands) -> None:
    hands.navigate("Integrations")
    hands.sees("valid|OK")


def check_a_connection(hands: Hands) -> None:
    hands.navigate("Integrations")
    hands.link("Belvo sandbox")
    hands.button("Test connection")
    hands.sees("Belvo")


def generate_a_webhook_secret(hands: Hands) -> None:
    hands.navigate("Integrations")
    hands.link("Belvo sandbox")
    hands.link("Set up webhooks")
    hands.button("Generate endpoint URL")
    hands.sees("webhooks/belvo")


def add_a_person(hands: Hands) -> None:
    hands.find("invite", "Invite a colleague")
    for name, text in {"username": "rosa.lima", "name": "Rosa Lima"}.items():
        hands.page.locator(f"#id_{name}").fill(text)
    hands.click(hands.page.get_by_label("Support", exact=True))
    hands.click(hands.page.locator("main form.form button[type=submit]"))
    hands.sees("rosa.lima|Rosa Lima")


def end_the_sessions_of_a_person(hands: Hands) -> None:
    hands.navigate("Staff")
    hands.link("Nadia Okell")
    hands.button("End all sessions")
    hands.sees("session ended|sessions ended")


TASKS: dict[str, dict[Callable[[Hands], None], int]] = {  # and the most clicks each may take
    "support": {
        repair_with_a_code: 4,
        see_who_waits_longest: 2,
        tell_the_bank_from_us: 2,
        see_what_to_renew_this_week: 2,
        take_a_link: 4,
    },
    "manager": {
        see_own_customers_in_trouble: 1,
        allow_one_more_attempt: 3,
        export_what_waits_on_customers: 2,
        assign_what_waits_on_us: 7,
        resolve_an_operation: 4,
    },
    "auditor": {
        see_who_changed_a_link: 2,
        see_what_a_person_did: 2,
        see_what_was_denied: 3,
        export_activity: 2,
        see_who_has_access: 2,
    },
    "admin": {
        see_whether_connections_work: 1,
        check_a_connection: 3,
        generate_a_webhook_secret: 4,
        add_a_person: 3,
        end_the_sessions_of_a_person: 3,
    },
}


@pytest.fixture
def env(demo: Environment) -> Environment:
    return demo


def prepare(env: Environment) -> None:
    """An operation that nobody knows the outcome of, and a link whose attempts are used up."""
    unclear, spent = links().filter(cause=Cause.LOGIN_REFUSED)[0], acme()
    env.send(f"{unclear.get_absolute_url()}credentials/", "support", password="lost_before")
    Operation.objects.filter(pk=env.last_operation(unclear).pk).update(state=State.NEEDS_DECISION)
    for _ in range(2):
        env.send(f"{spent.get_absolute_url()}credentials/", "support", password="pass_invalid")


def test_each_task_takes_few_clicks(env: Environment, windows: Windows, capsys: pytest.CaptureFixture[str]) -> None:
    lines, missed = [f"{'role':9} {'task':34} {'clicks':>6} {'goal':>4} {'seconds':>7}"], []
    for role, tasks in TASKS.items():
        if role == "manager":
            prepare(env)
        for task, goal in tasks.items():
            page = windows.window(role, viewport={"width": 1280, "height": 860})
            page.goto("/")
            hands, started = Hands(page, env), time.monotonic()
            task(hands)
            name = task.__name__.replace("_", " ")
            lines.append(f"{role:9} {name:34} {hands.clicks:6} {goal:4} {time.monotonic() - started:7.1f}")
            if hands.clicks > goal:
                missed.append(lines[-1])
            page.close()  # before a task ends this person's sessions
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201 - people compare them

    assert missed == []
