"""What browsers may do with our pages beside the content security policy, and where they report what it blocked."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

GetResponse = Callable[[HttpRequest], HttpResponse]

DENIED = ("camera", "clipboard-read", "display-capture", "geolocation", "hid", "microphone", "payment", "serial", "usb")
PERMISSIONS = ", ".join(["clipboard-write=(self)", *(f"{name}=()" for name in DENIED)])
MOST_BYTES = 16 * 1024
MOST_A_MINUTE = 60
SHOWN = 120  # characters of a value in the log

logger = structlog.get_logger(__name__)


def browser_policies(get_response: GetResponse) -> GetResponse:
    """Deny every browser feature that no page uses, and name the address of policy reports."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Permissions-Policy"] = PERMISSIONS
        if settings.POLICY_REPORT_URI:
            response.headers["Reporting-Endpoints"] = f'csp="{settings.POLICY_REPORT_URI}"'
        return response

    return middleware


def reports_first(get_response: GetResponse) -> GetResponse:
    """Answer a policy report before anything looks for a session: it needs none, and costs little."""
    address = reverse("csp-reports")

    def middleware(request: HttpRequest) -> HttpResponse:
        return csp_reports(request) if request.path_info == address else get_response(request)

    return middleware


@require_POST
def csp_reports(request: HttpRequest) -> HttpResponse:
    """Log what a browser blocked: the directive, the page's path, the blocked host, and nothing else of the report."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = MOST_BYTES + 1
    if length > MOST_BYTES:
        return HttpResponse(status=413)
    try:
        if not _is_one_more():
            return HttpResponse(status=429)
    except ValueError:
        return HttpResponse(status=503)
    try:
        reports = _reports(json.loads(request.read(MOST_BYTES)))
    except (ValueError, RecursionError):
        return HttpResponse(status=400)
    for report in reports[:5]:
        logger.warning(
            "csp.violation",
            directive=_text(report, "effectiveDirective", "effective-directive", "violated-directive"),
            page=_path(_text(report, "documentURL", "document-uri")),
            blocked=_host(_text(report, "blockedURL", "blocked-uri")),
        )
    return HttpResponse(status=204)


def _is_one_more() -> bool:
    """Count the reports of this minute, of all processes, and tell whether one more is taken.

    Raises `ValueError` if the cache can't keep the count.
    """
    key = f"csp-reports:{int(timezone.now().timestamp() // 60)}"
    cache.add(key, 0, timeout=int(timedelta(minutes=2).total_seconds()))
    return cache.incr(key) <= MOST_A_MINUTE


def _reports(sent: Any) -> list[dict[str, Any]]:
    """Return the reports of either form: one of `report-uri`, or a list of the Reporting API."""
    entries = sent if isinstance(sent, list) else [sent]
    bodies = [each.get("csp-report", each.get("body")) for each in entries if isinstance(each, dict)]
    return [body for body in bodies if isinstance(body, dict)]


def _text(report: dict[str, Any], *names: str) -> str:
    found = next((report[name] for name in names if isinstance(report.get(name), str)), "")
    return found[:2048]


def _path(page: str) -> str:
    try:
        return urlsplit(page).path[:SHOWN]
    except ValueError:
        return ""


def _host(blocked: str) -> str:
    """Return the host of what was blocked, or the word that stands for it: inline, eval, data."""
    try:
        host = urlsplit(blocked).hostname
    except ValueError:
        host = ""
    return (host or blocked.partition(":")[0])[:SHOWN]
