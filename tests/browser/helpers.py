"""Browser windows that record errors, and steps that many tests share."""

import re
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebError

from linkadmin.links.models import Link
from tests.environment import Environment

PATIENCE = 60_000  # milliseconds: enough even on a busy machine
# Chromium's own note on a page that was shown before its transition began, as on a busy machine. No script starts one.
TOO_LATE_TO_FADE = "Transition was "  # aborted or skipped
# Form errors (422) and conflicts (409) are pages of ours, but the console reports them anyway.
CODE_ENTERED = r"Failed to load resource: the server responded with a status of ({}) \("
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content-Security-Policy: ${event.violatedDirective} refused ${event.blockedURI || event.sourceFile}`));
"""
WIDER = """
Math.max(...[document.documentElement, ...document.querySelectorAll(".panel, .alert, .verdict")]
  .map((box) => box.scrollWidth - box.clientWidth))
"""
Rules = dict[str, Any]
EVERYTHING: Rules = {
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},
    "preload": False,  # it copies imported style sheets into the page, which our policy refuses
}
COLOURS: Rules = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}  # all that depends on the theme
THEMES: dict[Literal["light", "dark"], Rules] = {"light": EVERYTHING, "dark": COLOURS}


class Windows:
    def __init__(self, browser: Browser, url: str, env: Environment) -> None:
        self.url = url
        self.problems: list[str] = []
        self._browser = browser
        self._env = env
        self._contexts: list[BrowserContext] = []
        self._expected = ["409", "422"]

    def window(self, name: str = "ana", **options: Any) -> Page:
        """Open a window in a separate browser, signed in as `name`, or signed out if it's empty."""
        context = self._browser.new_context(base_url=self.url, **options)
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._heard)
        context.on("weberror", self._failed)
        context.on("requestfailed", self._unanswered)
        if name:
            session = self._env.client(name).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.url}])
        return context.new_page()

    def expect_status(self, *statuses: int) -> None:
        """Allow console errors about these HTTP statuses."""
        self._expected += map(str, statuses)

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not re.match(CODE_ENTERED.format("|".join(self._expected)), message.text):
            self.problems.append(f"{message.location.get('url')}: {message.text}")

    def _unanswered(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left
            self.problems.append(f"{request.url}: {request.failure}")

    def _failed(self, error: WebError) -> None:
        if TOO_LATE_TO_FADE not in str(error.error):
            self.problems.append(str(error.error))


def send_password(page: Page, link: Link, password: str) -> None:
    """Update a link's credentials at a bank that asks only for a password."""
    page.goto(f"{link.get_absolute_url()}credentials/")
    page.get_by_label("Contraseña").fill(password)
    page.get_by_role("button", name="Update credentials").click()


def send_code(page: Page, code: str) -> None:
    page.get_by_role("textbox", name="One-time code").fill(code)
    page.get_by_role("button", name="Submit code").click()


def overflow(page: Page) -> int:
    """Return how many pixels the page, or a panel on it, overflows its box."""
    return int(page.evaluate(WIDER))


def barriers(page: Page) -> list[str]:
    """Return what axe finds in light and dark mode."""
    found = []
    for theme, rules in THEMES.items():
        page.emulate_media(color_scheme=theme)
        found += [f"{theme}: {each}" for each in barriers_in(page, rules)]
    return found


def expect_no_faults(page: Page) -> None:
    """The page fits its window, and axe finds nothing."""
    assert overflow(page) == 0
    assert barriers(page) == []


def barriers_in(page: Page, rules: Rules) -> list[str]:
    return [
        f"{each['id']} at {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())}"
        for each in Axe().run(page, options=rules).response["violations"]
        for node in each["nodes"]
        if "partially obscured" not in node["failureSummary"]  # by an open menu
    ]
