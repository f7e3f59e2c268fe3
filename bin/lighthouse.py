"""Run Lighthouse on ten pages of a running demo, signed in, and compare its scores with our goals.

    .venv/bin/python bin/lighthouse.py http://127.0.0.1:8000

Needs Node and Chromium. Exits with 1 if a page misses a goal. Other programs cost performance: repeat it.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Error, Page, sync_playwright

LIGHTHOUSE = "lighthouse@12.8.2"
PASSWORD = "linkadmin-demo"  # noqa: S105 - public: anyone may sign in to a demo
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 100}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SETTINGS = ["--preset=desktop", "--output=json", "--quiet", f"--only-categories={','.join(GOALS)}"]
ATTEMPTS = 4  # it sometimes fails to read a page


def main(site: str) -> int:
    if not shutil.which("npx"):
        sys.exit("Lighthouse needs Node: install it, so that npx is on the path.")
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not chromium:
        sys.exit("Lighthouse needs Chromium on the path.")
    port, missed = free_port(), 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            folder,
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", f"--remote-debugging-port={port}"],
            base_url=site,
        )
        try:
            for path in pages(browser.new_page()):
                missed += not is_good(path, measured(site + path, port))
        except Error as error:
            sys.exit(f"No demo at {site}, or not as expected. Start it with make run. {error}")
    return int(missed > 0)


def pages(page: Page) -> Iterator[str]:
    """Yield the path of each page, with somebody signed in who may open it."""
    yield "/accounts/login/"
    sign_in(page, "support")
    link, customer = first(page, "/links/"), first(page, "/customers/")
    yield from ("/", "/links/", link, f"{link}credentials/", "/customers/", customer, "/operations/", "/institutions/")
    page.context.clear_cookies()
    sign_in(page, "admin")
    yield first(page, "/integrations/")


def sign_in(page: Page, username: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Your account").wait_for()


def first(page: Page, path: str) -> str:
    """Return the path of the first page that a list links to."""
    page.goto(path)
    paths = page.locator("main a[href]").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    return next(each for each in paths if re.fullmatch(f"{path}[0-9a-f-]{{36}}/", each))


def measured(url: str, port: int) -> dict[str, Any]:
    """Return Lighthouse's report on a page."""
    command = ["npx", "--yes", LIGHTHOUSE, url, f"--port={port}", *SETTINGS]
    for _ in range(ATTEMPTS):
        report: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603
        if all(each["score"] is not None for each in report["categories"].values()):
            break
    return report


def is_good(path: str, report: dict[str, Any]) -> bool:
    """Print a page's scores, and what costs it points."""
    scores = {name: round(100 * (report["categories"][name]["score"] or 0)) for name in GOALS}
    shift = report["audits"]["cumulative-layout-shift"]["numericValue"]
    good = round(shift, 2) == 0 and all(scores[name] >= goal for name, goal in GOALS.items())
    said = "  ".join(f"{name} {score:3}" for name, score in scores.items())
    print(f"{'good  ' if good else 'MISSED'}  {said}  layout shift {shift:.3f}  {path}", flush=True)  # noqa: T201
    for category in () if good else ("accessibility", "best-practices"):
        for each in report["categories"][category]["auditRefs"]:
            audit = report["audits"][each["id"]]
            if each["weight"] and (audit["score"] or 0) < 1 and audit["scoreDisplayMode"] in ("binary", "error"):
                print(f"        {category}: {audit['title']} {audit.get('errorMessage', '')}")  # noqa: T201
    return good


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/")))
