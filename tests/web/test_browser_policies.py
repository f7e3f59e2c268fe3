"""Policies in every response, and the endpoint browsers report to."""

import json
import socket
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client
from gunicorn.http.wsgi import Response
from pytest_django import Settings
from structlog.testing import capture_logs

from linkadmin.web import browser_policies
from linkadmin.web.server import hide_server_name
from tests.troubles import read_only

pytestmark = pytest.mark.django_db

REPORT = {
    "csp-report": {
        "document-uri": "https://links.example.com/links/?q=Wilhelmina",
        "effective-directive": "script-src-elem",
        "blocked-uri": "https://evil.example/x.js?secret=1",
        "script-sample": "alert('Quackenbush')",
    }
}
MODERN = [
    {
        "type": "csp-violation",
        "body": {
            "documentURL": "https://links.example.com/links/?q=Wilhelmina",
            "effectiveDirective": "img-src",
            "blockedURL": "data",
            "sample": "Quackenbush",
        },
    }
]


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


def send(sent: object) -> int:
    body = sent if isinstance(sent, str) else json.dumps(sent)
    client = Client(enforce_csrf_checks=True)
    return client.post("/csp-reports/", body, content_type="application/csp-report").status_code


def test_pages_are_never_framed_and_tell_other_sites_nothing() -> None:
    answer = Client().get("/accounts/login/")

    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("address", ["/accounts/login/", "/healthz/", "/no/", "/"])
def test_every_response_denies_what_no_page_uses(address: str) -> None:
    answer = Client().get(address)

    assert "camera=()" in answer["Permissions-Policy"]
    assert "clipboard-write=(self)" in answer["Permissions-Policy"]
    assert "report-uri /csp-reports/" in answer["Content-Security-Policy"]
    assert answer["Reporting-Endpoints"] == 'csp="/csp-reports/"'


@pytest.mark.parametrize(
    ("sent", "directive", "blocked"), [(REPORT, "script-src-elem", "evil.example"), (MODERN, "img-src", "data")]
)
def test_report_is_logged_by_its_safe_parts(sent: object, directive: str, blocked: str) -> None:
    with capture_logs() as logged:
        assert send(sent) == 204

    (event,) = [each for each in logged if each["event"] == "csp.violation"]
    assert (event["directive"], event["page"], event["blocked"]) == (directive, "/links/", blocked)
    assert not any(word in json.dumps(logged, default=str) for word in ("Wilhelmina", "secret", "Quackenbush"))


@pytest.mark.parametrize(("body", "status"), [("no json", 400), ("[" * 9000, 400), ("x" * 17_000, 413)])
def test_invalid_report_is_rejected(body: str, status: int) -> None:
    assert send(body) == status


@pytest.mark.parametrize("blocked", ["http://[", "https://[::1"])
def test_invalid_url_in_a_report_is_harmless(blocked: str) -> None:
    assert send({"csp-report": {"blocked-uri": blocked, "document-uri": blocked}}) == 204


def test_reports_are_bounded_per_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_policies, "MOST_A_MINUTE", 2)

    assert [send(REPORT) for _report in range(3)].count(429) >= 1


@pytest.mark.django_db(transaction=True)
def test_reports_that_cannot_be_counted_are_rejected(settings: Settings) -> None:
    counts_in_database = "redis" not in settings.CACHES["default"]["BACKEND"]

    with read_only():
        assert send(REPORT) == (503 if counts_in_database else 204)


def test_server_is_not_named_and_the_date_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Response, "default_headers", Response.default_headers)
    hide_server_name()
    request = SimpleNamespace(version=(1, 1), method="GET", should_close=lambda: True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        response = Response(request, ours, SimpleNamespace())
        response.start_response("200 OK", [])
        response.send_headers()
        sent = theirs.recv(4096).decode()

    assert "Server:" not in sent
    assert "Date:" in sent
