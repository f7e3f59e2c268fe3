"""Permissions policy for browsers, and the endpoint for reports of blocked content."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from django.views.decorators.http import require_POST

DENIED = ("camera", "clipboard-read", "display-capture", "geolocation", "hid", "microphone", "payment", "serial", "usb")
PERMISSIONS = ", ".join(["clipboard-write=(self)", *(f"{name}=()" for name in DENIED)])
MOST_BYTES = 16 * 1024
MOST_A_MINUTE = 60
SHOWN = 120  # characters of a value in the log

logger = structlog.get_logger(__name__)


class BrowserPolicies(MiddlewareMixin):
    """Denies every browser feature that no page uses, and names the reporting endpoint."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response.headers["Permissions-Policy"] = PERMISSIONS
        if settings.POLICY_REPORT_URI:
            response.headers["Reporting-Endpoints"] = f'csp="{settings.POLICY_REPORT_URI}"'
        return response


@require_POST
def csp_reports(request: HttpRequest) -> HttpResponse:
    """Logs only the directive, the path of the page and the blocked host."""
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
            page=_parts(_text(report, "documentURL", "document-uri")).path[:SHOWN],
            blocked=_host(_text(report, "blockedURL", "blocked-uri")),
        )
    return HttpResponse(status=204)


def _is_one_more() -> bool:
    """False above this minute's limit for all processes. Raises ValueError if the cache can't store the count."""
    key = f"csp-reports:{int(timezone.now().timestamp() // 60)}"
    cache.add(key, 0, timeout=int(timedelta(minutes=2).total_seconds()))
    return cache.incr(key) <= MOST_A_MINUTE


def _reports(sent: Any) -> list[dict[str, Any]]:
    """Accepts both forms: one report of `report-uri`, or a list from the Reporting API."""
    entries = sent if isinstance(sent, list) else [sent]
    bodies = [each.get("csp-report", each.get("body")) for each in entries if isinstance(each, dict)]
    return [body for body in bodies if isinstance(body, dict)]


def _text(report: dict[str, Any], *names: str) -> str:
    found = next((report[name] for name in names if isinstance(report.get(name), str)), "")
    return found[:2048]


def _host(blocked: str) -> str:
    # Without a host, the keyword in its place: inline, eval, data.
    return (_parts(blocked).hostname or blocked.partition(":")[0])[:SHOWN]


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
