"""What all requests and responses have in common."""

import uuid
from collections.abc import Callable
from urllib.parse import unquote

import structlog
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from . import probes, storage
from .browser_policies import csp_reports
from .views import storage_unavailable

GetResponse = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request.request_id):  # type: ignore[attr-defined]
            response = get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response

    return middleware


def probes_and_reports_first(get_response: GetResponse) -> GetResponse:
    """Answer monitors and policy reports before anything checks hosts, sessions or people."""
    names = {
        "livez": probes.livez,
        "readyz": probes.readyz,
        "healthz": probes.readyz,
        "statusz": probes.statusz,
        "csp-reports": csp_reports,
    }
    views = {reverse(name): view for name, view in names.items()}

    def middleware(request: HttpRequest) -> HttpResponse:
        view = views.get(request.path_info)
        return view(request) if view else get_response(request)

    return middleware


class StorageRefusals(MiddlewareMixin):
    """Answer 503 in words when a view can't use the database. `views.server_error` handles errors outside views."""

    def process_request(self, request: HttpRequest) -> None:
        storage.call_may_have_left.set(False)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        trouble = storage.trouble_of(exception)
        return storage_unavailable(request, trouble) if trouble else None


class NoNul(MiddlewareMixin):
    """Reject URLs with a NUL: PostgreSQL can neither store nor search for one."""

    def process_request(self, request: HttpRequest) -> None:
        if "\0" in request.path or "\0" in unquote(request.META.get("QUERY_STRING", "")):
            raise BadRequest("a NUL in the URL")


class PrivatePages(MiddlewareMixin):
    """Keep pages of signed-in people out of all caches, and parts apart from whole pages."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.user.is_authenticated:
            response.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ["HX-Request"])
        return response
