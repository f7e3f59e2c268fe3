"""Every page a person can open and every state it can be in, with plenty of data on each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from linkadmin import exports
from linkadmin.accounts.models import ApprovalKind, Identity, User
from linkadmin.accounts.roles import Role
from linkadmin.accounts.single_sign_on import people
from linkadmin.accounts.single_sign_on.settings import identity_provider
from linkadmin.accounts.staff import approvals, invitations
from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, PendingChallenge, State
from linkadmin.providers.types import Cause, Observation, RemoteLink
from linkadmin.staff_limits import counting
from linkadmin.staff_limits.kinds import LimitKind
from linkadmin.staff_limits.lifting import lift
from linkadmin.sync import full_checks
from linkadmin.sync.models import FullCheck, FullCheckState
from linkadmin.web import probes
from tests.bulk.helpers import completed, draft_job, started_job
from tests.environment import Environment
from tests.identity_provider import CALLBACK, NAMED
from tests.troubles import impatient, lock_of_another
from tests.webhooks.webhook_sender import deliver, heron_webhook, open_endpoint, signed, stored_delivery

NAMES = ("Acme Corp", "Blue Fern Bakery", "Panadería y Pastelería La Esquina del Sol Naciente", "Ninth Dental")
NOBODY = ""
SUPPORT, MANAGER, AUDITOR, ADMINISTRATOR = "ana", "mia", "aud", "adm"
PHONES = 800  # pixels: up to this width, the navigation is a menu
WRONG_CODE = "222222"
ALL_WIDTHS = (0, 100_000)

Act = Callable[[Page], object]


@dataclass(frozen=True)
class Shot:
    """One state of a page: who opens which URL, and what they do there."""

    name: str
    person: str
    url: str
    act: Act | None = None
    widths: tuple[int, int] = ALL_WIDTHS  # least and most

    def __str__(self) -> str:
        return f"{self.name} ({self.person})"


Shots = Iterator[Shot]


# --- Data ---


def furnish(env: Environment) -> None:
    """Create a link for each cause, with names and texts of every length."""
    now = timezone.now()
    for number, cause in enumerate(VERDICTS):
        customer = env.customer(NAMES[number % len(NAMES)])
        bank = env.belvo.institutions.order_by("name")[number % 20]
        link = Link(integration=env.belvo, end_user=customer, institution=bank, remote_id=f"link-{number}")
        if number % 3 == 0:
            link.assignee = env.people["ana"]
        words = "The provider's own sentence about it, as long as such sentences are, with-a-word-that-never-ends" * 2
        seen = Observation(cause=cause, raw_status="invalid", raw_code="login_error", raw_words=words)
        report = health.Report(seen, health.Source.WEBHOOK, now - timedelta(hours=7 * number))
        health.start_link(RemoteLink(remote_id=link.remote_id, observation=seen), link, report)


def repaired(env: Environment, name: str, password: str, *codes: str) -> Link:
    """A link whose credentials were updated with a password that decides what the simulated bank does."""
    link = env.belvo_link(name)
    env.send(f"{link.get_absolute_url()}credentials/", password=password)
    for code in codes:
        env.send(f"{link.get_absolute_url()}code/", code=code)
    return link


def link_at_heron(env: Environment) -> Link:
    """A link whose customer has another one there, and a webhook about it."""
    if there := Link.objects.filter(remote_id="item-listed").first():
        return there
    link = env.heron_link("Listed", item_id="item-listed")
    env.let_know(env.heron, link.end_user, "item-of-the-same-customer", None, Cause.LOGIN_REQUIRED)
    body = heron_webhook(end_user_id=link.end_user.external_id)
    deliver(open_endpoint(env.heron), body, signed(body))
    return link


def full_checks_of(env: Environment) -> list[FullCheck]:
    """Create a failed full check with every detail filled in, and a running one."""
    note = "No usable response. We couldn't read the response. It may have been a web page."
    failed = FullCheck(integration=env.heron, state=FullCheckState.FAILED, note=note, skipped=3, unread=40, seen=12_345)
    failed.save()
    return [failed, full_checks.start(env.heron, started_by=env.people["adm"])]


# --- What people do on a page ---


def submit_empty(page: Page) -> None:
    """Submit the page's last form as it is, past the browser's own checks."""
    form = page.locator("main form[method=post]").last
    form.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
    expect(page.locator("main [aria-invalid=true], main .field__error, main .alert").first).to_be_visible()


def open_menu(selector: str) -> Act:
    return lambda page: page.locator(f"{selector} > summary").click()


def assign_in_place(page: Page) -> None:
    page.get_by_role("link", name="Assign", exact=True).click()
    expect(page.get_by_label("Account manager", exact=True)).to_be_focused()


def show(popover: str) -> Act:
    return lambda page: page.locator(popover).evaluate("element => element.showPopover()")


def hover(selector: str) -> Act:
    return lambda page: page.locator(selector).first.hover()


def find(words: str) -> Act:
    def act(page: Page) -> None:
        page.keyboard.press("/")
        box = page.get_by_role("combobox", name="Find anything")
        expect(page.get_by_role("option").first).to_be_visible()
        box.fill(words)
        page.wait_for_timeout(400)
        expect(page.locator(".palette__option, .palette__nothing").first).to_be_visible()

    return act


def shortcuts(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()


def search(words: str) -> Act:
    def act(page: Page) -> None:
        box = page.locator("input[name=q]").last  # the list's own, if it has one
        box.fill(words)
        box.press("Enter")
        expect(page.locator("main")).to_contain_text(words)

    return act


def create_message(page: Page) -> None:
    if page.get_by_label("Why another").count():  # not the first width
        page.get_by_label("Why another").fill("They lost it")
    page.get_by_role("button", name="Create message").click()
    expect(page.locator("#repair-message")).to_contain_text("/repair/")


def select_rows(page: Page) -> None:
    page.get_by_label("Select all on this page").check()
    expect(page.locator("[data-selected]")).to_contain_text("selected")


def ask_in_bulk(button: str) -> Act:
    def act(page: Page) -> None:
        select_rows(page)
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.get_by_role("button", name="Review")).to_be_visible()

    return act


def add_note(page: Page) -> None:
    page.get_by_label("Note").fill("They call back on Monday")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#timeline")).to_contain_text("They call back on Monday")


def fill_in_place(page: Page) -> None:
    page.locator(".verdict").get_by_role("link", name="Update credentials").click()
    expect(page.locator("#repair form")).to_be_visible()


def code_expires(page: Page) -> None:
    PendingChallenge.objects.update(expires_at=timezone.now())
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("Code expired")


def two_exports_run(page: Page) -> None:
    url, taken = page.url, [exports._slots.acquire(blocking=False) for _ in range(exports.AT_ONCE)]
    page.goto(f"{url}export/")
    for _ in filter(None, taken):
        exports._slots.release()


def server_breaks(page: Page) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "_parts", broken)
        page.goto("/status/")


def database_is_locked(page: Page) -> None:
    with impatient(), lock_of_another():
        page.reload()


def form_is_stale(page: Page) -> None:
    """Sign out with a token from an earlier session."""
    with page.expect_navigation():
        page.locator("#user-menu form").evaluate("""form => {
          form.querySelector("[name=csrfmiddlewaretoken]").value = "x".repeat(64);
          form.submit();
        }""")


def sign_in_with_a_wrong_password(page: Page) -> None:
    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()


def sign_out(page: Page) -> None:
    page.locator("#user-menu form").evaluate("form => form.submit()")
    expect(page.get_by_label("Password")).to_be_visible()


# --- The table, by subject ---


def main_pages(env: Environment) -> Shots:
    """The pages of every day, checked in each run of the tests."""
    furnish(env)
    broken = env.belvo_link()
    coded = repaired(env, "Blue Fern Bakery", "mfa_numeric")
    yield Shot("overview", SUPPORT, "/")
    yield Shot("links", SUPPORT, "/links/", select_rows)
    yield Shot("link", SUPPORT, broken.get_absolute_url())
    yield Shot("credentials", SUPPORT, f"{broken.get_absolute_url()}credentials/")
    yield Shot("code", SUPPORT, f"{coded.get_absolute_url()}code/")
    yield Shot("new link", SUPPORT, env.new_link_url())
    yield Shot("palette", SUPPORT, "/", find("acme"))
    yield Shot("customers", MANAGER, "/customers/")
    yield Shot("customer", MANAGER, broken.end_user.get_absolute_url())
    yield Shot("activity", AUDITOR, "/operations/")
    yield Shot("integration", ADMINISTRATOR, env.belvo.get_absolute_url())


def lists(env: Environment) -> Shots:
    """Overview and lists: filtered, without a match, with open menus."""
    furnish(env)
    heron = link_at_heron(env)
    refused = repaired(env, "Rejected", "pass_invalid")
    links = list(Link.objects.filter(integration=env.belvo)[:30])
    draft = draft_job(env, "refresh", [*links, heron])
    running = started_job(env, "refresh", links)
    done = completed(started_job(env, "note", [*links, heron], text=f"{'A long note about all of them. ' * 20}"))
    for person in (SUPPORT, MANAGER, AUDITOR, ADMINISTRATOR):
        yield Shot(f"overview of {person}", person, "/")
    yield Shot("overview, mine", SUPPORT, "/?assigned=mine")
    yield Shot("overview, day of the chart", SUPPORT, "/", hover(".chart__plot"), widths=(1280, 1280))
    for person in (SUPPORT, AUDITOR):
        yield Shot(f"links of {person}", person, "/links/")
    yield Shot("links, row with its action", SUPPORT, "/links/", hover("tbody tr"))
    yield Shot("links, filtered", SUPPORT, "/links/?state=customer&assigned=mine")
    yield Shot("links, many filters", SUPPORT, f"/links/?state=customer_login&integration={env.belvo.pk}&order=since")
    yield Shot("links, no match", SUPPORT, "/links/?state=setting_up&assigned=nobody&silent=30")
    yield Shot("links, mine", MANAGER, "/links/?assigned=mine")
    yield Shot("links, filter menu", SUPPORT, "/links/", open_menu("#filter-state"))
    yield Shot("links, institution menu", SUPPORT, "/links/", open_menu("#filter-institution"))
    yield Shot("links, search", SUPPORT, "/links/", search("Acme"))
    yield Shot("links, search without a match", SUPPORT, "/links/", search("nobody-has-this-name"))
    yield Shot("links, assign", SUPPORT, "/links/", ask_in_bulk("Assign"))
    yield Shot("links, note", SUPPORT, "/links/", ask_in_bulk("Add note"))
    yield Shot("customers", SUPPORT, "/customers/")
    yield Shot("customers of the auditor", AUDITOR, "/customers/")
    yield Shot("customers, by name", MANAGER, "/customers/?sort=-name&manager=nobody")
    yield Shot("customers, mine", MANAGER, "/customers/?manager=mine")
    yield Shot("customers, filter menu", SUPPORT, "/customers/", open_menu("#filter-manager"))
    yield Shot("customers, search", SUPPORT, "/customers/", search("Acme"))
    yield Shot("customers, search without a match", SUPPORT, "/customers/", search("nobody-has-this-name"))
    yield Shot("institutions", SUPPORT, "/institutions/")
    yield Shot("institutions, filtered", SUPPORT, "/institutions/?kind=bank&sort=-country&q=bank")
    yield Shot("institution", SUPPORT, env.bank("ironbank_br_retail").get_absolute_url())
    yield Shot("institution lookup", SUPPORT, f"/integrations/{env.belvo.pk}/institutions/")
    yield Shot("unrecognized values", SUPPORT, "/unrecognized-values/")
    yield Shot("activity", SUPPORT, "/operations/")
    yield Shot("activity, denied", AUDITOR, "/operations/?outcome=denied&within=24h")
    yield Shot("operation, rejected", SUPPORT, env.last_operation(refused).get_absolute_url())
    yield Shot("webhooks", SUPPORT, "/deliveries/")
    yield Shot("delivery", SUPPORT, stored_delivery(env.heron).get_absolute_url())
    yield Shot("delivery for the administrator", ADMINISTRATOR, stored_delivery(env.heron).get_absolute_url())
    yield Shot("jobs", SUPPORT, "/bulk/")
    yield Shot("job, draft", SUPPORT, draft.get_absolute_url())
    yield Shot("job, running", SUPPORT, running.get_absolute_url())
    yield Shot("job, done", SUPPORT, done.get_absolute_url())
    yield Shot("exports busy", MANAGER, "/customers/", two_exports_run)


def repairs(env: Environment) -> Shots:
    """A link's page, and each step of a repair."""
    broken = env.belvo_link()
    listed = link_at_heron(env)
    at = broken.get_absolute_url()
    for cause in (Cause.BANK_DOWN, Cause.ACCOUNT_LOCKED, Cause.CONSENT_REJECTED, Cause.STALE, Cause.WORKING):
        link = env.belvo_link(NAMES[2], cause=cause)
        yield Shot(f"link, {cause.value}", SUPPORT, link.get_absolute_url())
    for person in (SUPPORT, MANAGER, AUDITOR):
        yield Shot(f"link of {person}", person, at)
    yield Shot("link, menu", SUPPORT, at, open_menu(".more"))
    yield Shot("link, day of the calendar", SUPPORT, at, hover("[data-calendar] li:last-child a"))
    yield Shot("link, form in place", SUPPORT, at, fill_in_place)
    yield Shot("link, note added", SUPPORT, at, add_note)
    yield Shot("link at Heron", SUPPORT, listed.get_absolute_url())
    yield Shot("history", SUPPORT, f"{at}history/")
    yield Shot("history, filtered", SUPPORT, f"{at}history/?kind=note&order=oldest&utc=1")
    yield Shot("note", SUPPORT, f"{at}notes/")
    yield Shot("assignee", SUPPORT, f"{at}assignee/")
    for slug in ("settings", "fetch", "repair-request", "delete", "reports"):
        yield Shot(f"link, {slug}", SUPPORT, f"{at}{slug}/")
    for slug in ("access-token", "reports", "delete"):
        yield Shot(f"link at Heron, {slug}", SUPPORT, f"{listed.get_absolute_url()}{slug}/")
    yield Shot("delete, errors", SUPPORT, f"{listed.get_absolute_url()}delete/", submit_empty)
    yield Shot("credentials, errors", SUPPORT, f"{at}credentials/", submit_empty)
    yield Shot("records of a link", SUPPORT, f"{listed.get_absolute_url()}records/")
    yield Shot("new link", SUPPORT, "/links/new/")
    yield Shot("new link, institutions", SUPPORT, f"/links/new/?integration={env.belvo.pk}")
    yield Shot("new link, Belvo", SUPPORT, env.new_link_url("anchorhead_mx_fiscal"))
    yield Shot("new link, Heron, errors", SUPPORT, env.new_link_url(), submit_empty)
    asked = {
        "code": ("mfa_default",),
        "number": ("mfa_numeric",),
        "QR code": ("mfa_qr",),
        "question": ("mfa_text",),
        "approval": ("mfa_approve",),
        "further step": ("mfa_three", "111111"),
        "wrong code": ("mfa_default", WRONG_CODE),
    }
    for name, (password, *codes) in asked.items():
        link = repaired(env, NAMES[2], password, *codes)
        yield Shot(f"code, {name}", SUPPORT, f"{link.get_absolute_url()}code/")
    yield Shot("code, in place", SUPPORT, link.get_absolute_url())
    yield Shot("code, for a colleague", "ben", link.get_absolute_url())
    yield Shot("code, for the account manager", MANAGER, f"{link.get_absolute_url()}code/")
    yield Shot("code, cancel", MANAGER, f"{link.get_absolute_url()}code/cancel/")
    spent = repaired(env, "Spent", "mfa_default", WRONG_CODE, WRONG_CODE, WRONG_CODE)
    yield Shot("no attempts left", SUPPORT, spent.get_absolute_url())
    yield Shot("no attempts left, credentials", SUPPORT, f"{spent.get_absolute_url()}credentials/")
    yield Shot("no attempts left, for the account manager", MANAGER, spent.get_absolute_url())
    refused = repaired(env, "Rejected", "pass_invalid")
    yield Shot("credentials rejected", SUPPORT, f"{refused.get_absolute_url()}credentials/")
    working = repaired(env, "Working", "pass_valid")
    env.prove(working)
    yield Shot("working", SUPPORT, working.get_absolute_url())
    verifying = repaired(env, "Verifying", "pass_valid")
    yield Shot("verifying", SUPPORT, verifying.get_absolute_url())
    yield Shot("operation, succeeded", SUPPORT, env.last_operation(verifying).get_absolute_url())
    lost = repaired(env, "Lost", "lost_before")
    yield Shot("outcome unknown", SUPPORT, lost.get_absolute_url())
    yield Shot("operation, outcome unknown", SUPPORT, env.last_operation(lost).get_absolute_url())
    open_question = repaired(env, "Undecided", "lost_before")
    Operation.objects.filter(link=open_question).update(state=State.NEEDS_DECISION)
    yield Shot("needs a decision", SUPPORT, open_question.get_absolute_url())
    yield Shot("operation, resolve manually", MANAGER, env.last_operation(open_question).get_absolute_url())
    there = env.belvo_link("Repaired there", bank="ofmockbank_br_retail")
    yield Shot("repair request, sent", SUPPORT, f"{there.get_absolute_url()}repair-request/", create_message)
    yield Shot("link, repair request sent", SUPPORT, there.get_absolute_url())
    yield Shot("repair request again", SUPPORT, f"{there.get_absolute_url()}repair-request/")
    tasks.close_overdue()
    yield Shot("code expired", SUPPORT, f"{link.get_absolute_url()}code/", code_expires)


def setup(env: Environment) -> Shots:
    """Customers, integrations, provider records, and an account."""
    listed, broken = link_at_heron(env), env.belvo_link()
    at_heron = f"/integrations/{env.heron.pk}"
    for person in (SUPPORT, MANAGER, AUDITOR):
        yield Shot(f"customer of {person}", person, broken.end_user.get_absolute_url())
    yield Shot("customer, account manager", SUPPORT, f"{broken.end_user.get_absolute_url()}account-manager/")
    yield Shot("customer, account manager in place", SUPPORT, broken.end_user.get_absolute_url(), assign_in_place)
    yield Shot("customer, contact details", SUPPORT, f"{broken.end_user.get_absolute_url()}contact/")
    yield Shot("customer, show name", AUDITOR, f"{broken.end_user.get_absolute_url()}name/")
    yield Shot("customer at Heron", SUPPORT, f"/customers/{listed.end_user_id}/records/{env.heron.pk}/")
    yield Shot("customer not at Heron", SUPPORT, f"/customers/{broken.end_user_id}/records/{env.heron.pk}/")
    yield Shot("records, links at Belvo", SUPPORT, f"/integrations/{env.belvo.pk}/records/links/")
    yield Shot("records, links at Heron", SUPPORT, f"{at_heron}/records/links/")
    yield Shot("records, customers", SUPPORT, f"{at_heron}/records/customers/")
    for person in (MANAGER, AUDITOR, ADMINISTRATOR):
        yield Shot(f"integrations of {person}", person, "/integrations/")
        yield Shot(f"Belvo for {person}", person, env.belvo.get_absolute_url())
        yield Shot(f"Heron for {person}", person, env.heron.get_absolute_url())
        yield Shot(f"endpoint for {person}", person, f"{at_heron}/endpoint/")
    yield Shot("endpoint URL", ADMINISTRATOR, f"{at_heron}/endpoint/url/")
    secret = env.heron.webhook_secrets.get()
    yield Shot("revoke secret", ADMINISTRATOR, f"{at_heron}/endpoint/secrets/{secret.pk}/revoke/")
    yield Shot("connectors", ADMINISTRATOR, f"{at_heron}/records/connectors/")
    yield Shot("subscriptions", ADMINISTRATOR, f"{at_heron}/records/webhooks/")
    yield Shot("subscribe", ADMINISTRATOR, f"{at_heron}/webhooks/add/")
    yield Shot("unsubscribe", ADMINISTRATOR, f"{at_heron}/webhooks/wbh_gone/end/")
    yield Shot("reports", ADMINISTRATOR, f"{at_heron}/reports/")
    yield Shot("reports, errors", ADMINISTRATOR, f"{at_heron}/reports/", submit_empty)
    for each in full_checks_of(env):
        yield Shot(f"full check, {each.state}", ADMINISTRATOR, each.get_absolute_url())
    yield Shot("full checks", ADMINISTRATOR, f"{at_heron}/full-checks/")
    yield Shot("system status", ADMINISTRATOR, "/status/")
    yield Shot("password", SUPPORT, "/accounts/password/")
    yield Shot("password, errors", SUPPORT, "/accounts/password/", submit_empty)
    yield Shot("security", SUPPORT, "/accounts/security/")
    yield Shot("second factor, new", SUPPORT, "/accounts/factors/new/")
    yield Shot("authenticator app, new", SUPPORT, "/accounts/factors/app/")
    yield Shot("authenticator app, errors", SUPPORT, "/accounts/factors/app/", submit_empty)
    yield Shot("confirm", SUPPORT, "/accounts/confirm/")
    yield Shot("confirm, errors", SUPPORT, "/accounts/confirm/", submit_empty)
    yield Shot("new integration, choice", ADMINISTRATOR, "/integrations/new/")
    yield Shot("new integration, errors", ADMINISTRATOR, "/integrations/new/?provider=heron", submit_empty)
    yield Shot("integration, edit", ADMINISTRATOR, f"{at_heron}/edit/")


def around(env: Environment) -> Shots:
    """What is on every page, and pages that aren't there."""
    link = env.belvo_link(NAMES[2])
    yield Shot("account menu", SUPPORT, "/links/", show("#user-menu"))
    yield Shot("navigation", SUPPORT, "/links/", show("#nav"), widths=(0, PHONES))
    yield Shot("palette", SUPPORT, "/links/", lambda page: page.keyboard.press("/"))
    yield Shot("palette, results", SUPPORT, "/links/", find("panaderia"))
    yield Shot("palette, nothing found", SUPPORT, "/links/", find("nobody-has-this-name"))
    yield Shot("palette of the administrator", ADMINISTRATOR, "/", find("integr"))
    yield Shot("shortcuts", SUPPORT, "/links/", shortcuts)
    yield Shot("400", SUPPORT, "/links/?state=nonsense")
    yield Shot("403", SUPPORT, "/status/")
    yield Shot("403, stale form", SUPPORT, link.get_absolute_url(), form_is_stale)
    yield Shot("404", SUPPORT, "/no/such/page/")
    yield Shot("500", ADMINISTRATOR, "/integrations/", server_breaks)
    yield Shot("503", SUPPORT, link.get_absolute_url(), database_is_locked)
    yield Shot("sign-in", NOBODY, "/accounts/login/")
    yield Shot("sign-in, errors", NOBODY, "/accounts/login/", sign_in_with_a_wrong_password)
    yield Shot("404 for a visitor", NOBODY, "/no/such/page/")
    yield Shot("signed out", SUPPORT, "/", sign_out)


def waiting(env: Environment) -> Shots:
    """A bank that hasn't answered."""
    link = repaired(env, "Waiting", "slow_1")
    yield Shot("contacting the bank", SUPPORT, link.get_absolute_url())
    yield Shot("operation, contacting the bank", SUPPORT, env.last_operation(link).get_absolute_url())


def without_data(env: Environment) -> Shots:
    """Lists before there is anything in them."""
    for name, url in {
        "overview": "/",
        "links": "/links/",
        "customers": "/customers/",
        "institutions": "/institutions/",
        "unrecognized values": "/unrecognized-values/",
        "activity": "/operations/",
        "webhooks": "/deliveries/",
        "jobs": "/bulk/",
    }.items():
        yield Shot(f"no data, {name}", SUPPORT, url)
    yield Shot("no data, integration", ADMINISTRATOR, env.heron.get_absolute_url())
    yield Shot("no data, full checks", ADMINISTRATOR, f"/integrations/{env.heron.pk}/full-checks/")
    yield Shot("no data, endpoint", ADMINISTRATOR, f"/integrations/{env.heron.pk}/endpoint/")
    Integration.objects.update(is_active=False)
    yield Shot("no data, new link", SUPPORT, "/links/new/")


def django_admin(env: Environment) -> Shots:
    """Each model of Django admin."""
    list(lists(env))
    list(setup(env))
    yield Shot("admin", ADMINISTRATOR, reverse("admin:index"))
    yield Shot("admin of the auditor", AUDITOR, reverse("admin:index"))
    for model in admin.site._registry:
        named = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        name = f"admin, {model._meta.model_name}"
        yield Shot(f"{name}s", AUDITOR, reverse(f"{named}_changelist"))
        row = model._default_manager.first()
        if row is not None:
            yield Shot(name, AUDITOR, reverse(f"{named}_change", args=[row.pk]))
            yield Shot(f"{name}, history", AUDITOR, reverse(f"{named}_history", args=[row.pk]))


def staff(env: Environment) -> Shots:
    """Colleagues and their invitations."""
    ana, ben = env.people["ana"], env.people["ben"]
    env.client(SUPPORT)  # a session to show
    code = invitations.invite(ben, by=env.people["adm"])
    yield Shot("staff", ADMINISTRATOR, "/staff/")
    yield Shot("staff, for the auditor", AUDITOR, "/staff/")
    yield Shot("roles", AUDITOR, "/staff/roles/")
    yield Shot("new colleague", ADMINISTRATOR, "/staff/new/")
    yield Shot("new colleague, errors", ADMINISTRATOR, "/staff/new/", submit_empty)
    yield Shot("person", ADMINISTRATOR, f"/staff/{ana.pk}/")
    yield Shot("person, for the auditor", AUDITOR, f"/staff/{ana.pk}/")
    yield Shot("person, oneself", ADMINISTRATOR, f"/staff/{env.people['adm'].pk}/")
    yield Shot("invitation", ADMINISTRATOR, f"/staff/{ana.pk}/", press("Create invitation"))
    yield Shot("join", NOBODY, "/accounts/join/")
    yield Shot("join, over", NOBODY, "/accounts/join/#over", wait_for("This link can't be used anymore"))
    yield Shot("new password", NOBODY, f"/accounts/join/#{code}", wait_for("Welcome"))
    yield Shot("new password, errors", NOBODY, f"/accounts/join/#{code}", choose_a_short_password)
    User.objects.filter(pk=ana.pk).update(email="ana.with.a.long.name@accounts.example.com")
    yield Shot("invitation, by e-mail", ADMINISTRATOR, f"/staff/{ana.pk}/", invite_by_mail)
    passkey = {"name": "Ana's phone, and a name as long as people give their devices"}
    Authenticator.objects.create(user=ana, type=Authenticator.Type.WEBAUTHN, data=passkey)
    yield Shot("staff, no second factor", ADMINISTRATOR, "/staff/?factor=none")
    yield Shot("person, with a passkey", ADMINISTRATOR, f"/staff/{ana.pk}/")
    yield Shot("security, with a passkey", SUPPORT, "/accounts/security/")
    yield Shot("confirm, with a passkey", SUPPORT, "/accounts/confirm/")


def approval_requests(env: Environment) -> Shots:
    """What waits for a second administrator."""
    mia, adm = env.people["mia"], env.people["adm"]
    eve = User.objects.create(username="eve", roles=Role.ADMINISTRATOR, name="Eve")
    cleo = User.objects.create(username="cleo", roles=Role.SUPPORT, name="Cleo", is_active=False)
    yield Shot("approval requests, none", ADMINISTRATOR, "/staff/approvals/")
    mia.roles = "manager,support"
    approvals.ask(ApprovalKind.ROLES, mia, by=eve)
    approvals.ask(ApprovalKind.PASSWORD, cleo, by=eve)
    yield Shot("staff, with requests", ADMINISTRATOR, "/staff/")
    yield Shot("approval requests", ADMINISTRATOR, "/staff/approvals/")
    yield Shot("more roles to approve", ADMINISTRATOR, f"/staff/{mia.pk}/")
    yield Shot("password to approve", ADMINISTRATOR, f"/staff/{cleo.pk}/")
    yield Shot("password to approve, for the auditor", AUDITOR, f"/staff/{cleo.pk}/")
    approvals.ask(ApprovalKind.PASSWORD, cleo, by=adm)
    yield Shot("own request", ADMINISTRATOR, f"/staff/{cleo.pk}/")
    User.objects.filter(pk=eve.pk).update(is_active=False)
    yield Shot("own request, for the host", ADMINISTRATOR, f"/staff/{cleo.pk}/")


def limits(env: Environment) -> Shots:
    """What people may see and do, and who is near it."""
    ana, ben, mia, link = env.people["ana"], env.people["ben"], env.people["mia"], env.belvo_link()
    yield Shot("staff limits, nobody near", MANAGER, "/staff/limits/")
    counting.count(ana, LimitKind.CUSTOMERS_OPENED, [uuid4() for _ in range(250)])
    counting.count(ana, LimitKind.CUSTOMERS_LISTED, [uuid4() for _ in range(4000)])
    counting.count(ben, LimitKind.CUSTOMERS_LISTED, [uuid4() for _ in range(2345)])
    counting.count(mia, LimitKind.CUSTOMERS_OPENED, [uuid4() for _ in range(160)])
    lift(ben, LimitKind.CUSTOMERS_LISTED, by=mia, reason="Month-end review of every customer in Brazil")
    yield Shot("staff limits", MANAGER, "/staff/limits/")
    yield Shot("staff limits, for the administrator", ADMINISTRATOR, "/staff/limits/")
    yield Shot("overview, someone at a limit", MANAGER, "/")
    yield Shot("lift limit", MANAGER, f"/staff/{ana.pk}/limits/customers_opened/")
    yield Shot("lift limit, errors", MANAGER, f"/staff/{ana.pk}/limits/customers_opened/", submit_empty)
    yield Shot("person, limit lifted", ADMINISTRATOR, f"/staff/{ben.pk}/")
    yield Shot("limit reached", SUPPORT, link.get_absolute_url())


def invite_by_mail(page: Page) -> None:
    with override_settings(MAIL_SERVER={"host": "mail.example.com"}):
        press("Create invitation")(page)
        expect(page.get_by_role("button", name="Send by e-mail")).to_be_visible()


def single_sign_on(env: Environment) -> Shots:
    """Pages and states of people with an identity provider, and without passwords."""
    ana, ben = env.people["ana"], env.people["ben"]
    eve = User.objects.create(username="eve", roles=Role.ADMINISTRATOR, name="Eve")
    provider = identity_provider(**NAMED)
    for number, person in enumerate((ana, eve, env.people["adm"])):
        Identity.objects.create(user=person, issuer=NAMED["issuer"], subject=f"{number}-{NAMES[2]}")
    User.objects.create(username="cleo", roles="", name="Cleo")
    with override_settings(IDENTITY_PROVIDER=provider):
        yield Shot("sign in, with single sign-on", NOBODY, "/accounts/login/")
        yield Shot("single sign-on, unreachable", NOBODY, "/accounts/login/", reach_nobody)
        yield Shot("single sign-on, expired", NOBODY, CALLBACK)
        yield Shot("recover access", NOBODY, "/accounts/recover/")
        yield Shot("recover access, errors", NOBODY, "/accounts/recover/", submit_empty)
        yield Shot("confirm, with single sign-on", SUPPORT, "/accounts/confirm/")
        yield Shot("security, with single sign-on", SUPPORT, "/accounts/security/")
        yield Shot("staff, with single sign-on", ADMINISTRATOR, "/staff/")
        yield Shot("person, with single sign-on", ADMINISTRATOR, f"/staff/{ana.pk}/")
        yield Shot("person, oneself, with single sign-on", ADMINISTRATOR, f"/staff/{env.people['adm'].pk}/")
        yield Shot("single sign-on of a person", ADMINISTRATOR, f"/staff/{ana.pk}/identity/")
        people.link(ben, "00u7kqp3ZxV1bTn5d7", by=eve)
        yield Shot("identity to approve", ADMINISTRATOR, f"/staff/{ben.pk}/")
        with override_settings(PASSWORD_SIGN_IN=False):
            yield Shot("sign in, without passwords", NOBODY, "/accounts/login/")
            yield Shot("staff, without passwords", ADMINISTRATOR, "/staff/")


def press(button: str) -> Act:
    return lambda page: page.get_by_role("button", name=button).click()


def reach_nobody(page: Page) -> None:
    press("Sign in with Acme")(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("We couldn't reach Acme")


def wait_for(words: str) -> Act:
    return lambda page: expect(page.get_by_role("main")).to_contain_text(words)


def choose_a_short_password(page: Page) -> None:
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Save password").click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()


SUBJECTS: dict[str, Callable[[Environment], Shots]] = {
    each.__name__: each
    for each in (
        main_pages,
        lists,
        repairs,
        setup,
        staff,
        approval_requests,
        single_sign_on,
        limits,
        around,
        django_admin,
    )
}


def pages(env: Environment) -> list[tuple[str, str]]:
    """Return (username, URL) for every page of the product."""
    return [(shot.person, shot.url) for tour in (lists, repairs, setup) for shot in tour(env) if not shot.act]
