"""What marked tests need. Without it they are skipped with a reason, or fail under CI_STRICT=1."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

CONTRACTS = Path(__file__).resolve().parent.parent.parent / "shared" / "contracts"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def _lacking(mark: str) -> str:
    """What a mark needs and this machine lacks, in one line; empty if nothing."""
    if mark == "browser" and CHROMIUM is None:
        return "no Chromium on the path"
    if mark == "proxy" and NGINX is None:
        return "no nginx on the path"
    if mark == "servers" and not (os.environ.get("LINKADMIN_DATABASE_URL") and os.environ.get("LINKADMIN_REDIS_URL")):
        return "no PostgreSQL and Redis: LINKADMIN_DATABASE_URL and LINKADMIN_REDIS_URL name none (.ci/run starts both)"
    if mark == "contracts" and not CONTRACTS.is_dir():
        return f"no OpenAPI documents in {CONTRACTS}"
    if mark == "contracts" and shutil.which("npm") is None:
        return "no npm on the path"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for mark in ("browser", "servers", "contracts", "proxy"):
        if reason := _lacking(mark):
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI_STRICT") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
