"""The windows of one test, what went wrong in them, and the few moves that many tests make."""

import re
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebError

from linkadmin.links.models import Link
from tests.environment import Environment

PATIENCE = 60_000  # milliseconds: no machine is so busy
# A form sent back (422) and a conflict (409) are pages of ours; the console mentions them all the same.
CODE_ENTERED = r"Failed to load resource: the server responded with a status of ({}) \("
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content-Security-Policy: ${event.violatedDirective} refused ${event.blockedURI || event.sourceFile}`));
"""
WIDER = """
Math.max(...[document.documentElement, ...document.querySelectorAll(".panel, .tiles, .alert, .verdict")]
  .map((box) => box.scrollWidth - box.clientWidth))
"""
SERIOUS = ("serious", "critical")
EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
COLOURS = EVERYTHING | {"runOnly": ["color-contrast"]}  # all that the dark can change


class Windows:
    def __init__(self, browser: Browser, url: str, env: Environment) -> None:
        self.url = url
        self.problems: list[str] = []
        self._browser = browser
        self._env = env
        self._contexts: list[BrowserContext] = []
        self._expected = ["409", "422"]

    def window(self, name: str = "ana", **options: Any) -> Page:
        """Open a window of a browser of its own, in which one of the cast is logged in; nobody for no name."""
        context = self._browser.new_context(base_url=self.url, **options)
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._heard)
        context.on("weberror", self._failed)
        if name:
            session = self._env.client(name).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.url}])
        return context.new_page()

    def expect_status(self, *statuses: int) -> None:
        """Let the console mention answers that are no pages of ours, where a test asks for them."""
        self._expected += map(str, statuses)

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not re.match(CODE_ENTERED.format("|".join(self._expected)), message.text):
            self.problems.append(f"{message.location.get('url')}: {message.text}")

    def _failed(self, error: WebError) -> None:
        self.problems.append(str(error.error))


def send_password(page: Page, link: Link, password: str) -> None:
    """Update the credentials of a link at a bank that asks for a password alone."""
    page.goto(f"{link.get_absolute_url()}credentials/")
    page.get_by_label("Contraseña").fill(password)
    page.get_by_role("button", name="Update credentials").click()


def send_code(page: Page, code: str) -> None:
    page.get_by_label("One-time code").fill(code)
    page.get_by_role("button", name="Submit code").click()


def overflow(page: Page) -> int:
    """Return by how many pixels a page, or what a panel in it holds, is wider than its place."""
    return int(page.evaluate(WIDER))


def barriers(page: Page) -> list[str]:
    """Return what axe holds to be serious or critical in light and in dark, with the place."""
    return _barriers(page, "light", EVERYTHING) + _barriers(page, "dark", COLOURS)


def _barriers(page: Page, scheme: Literal["light", "dark"], rules: dict[str, Any]) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    return [
        f"{scheme}: {each['id']} at {node['target']}: {node['failureSummary']}"
        for each in Axe().run(page, options=rules).response["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]
