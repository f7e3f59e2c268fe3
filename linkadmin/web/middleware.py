"""What every request and every answer has in common."""

import uuid
from collections.abc import Callable
from urllib.parse import unquote

import structlog
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from . import storage
from .views import storage_refused

GetResponse = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: GetResponse) -> GetResponse:
    """Give each request an id of our own, for the log, the audit trail and whoever asks about a failure."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request.request_id):  # type: ignore[attr-defined]
            response = get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response

    return middleware


def storage_refusals(get_response: GetResponse) -> GetResponse:
    """Answer in words when a view can't read or write the database. What fails outside a view: `views.server_error`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        storage.forget_calls()
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        trouble = storage.trouble_of(exception)
        return storage_refused(request, trouble) if trouble else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def no_nul(get_response: GetResponse) -> GetResponse:
    """Refuse an address with a NUL in it: PostgreSQL takes none, neither to keep nor to look for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "\0" in unquote(request.META.get("QUERY_STRING", "")):
            raise BadRequest("a NUL in the address")
        return get_response(request)

    return middleware


def private_pages(get_response: GetResponse) -> GetResponse:
    """Keep what a logged-in person sees out of every cache, and parts apart from whole pages."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.user.is_authenticated:
            response.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ["HX-Request"])
        return response

    return middleware
