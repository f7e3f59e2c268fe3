"""Takes webhooks in at the server's interface, before Django: verify, store, answer at once.

A provider has no session, user, cookie or CSRF token, and sends as many requests as all people together. Other
requests are passed to Django, and so are those for another host or without TLS: Django refuses or redirects them.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http.request import split_domain_port, validate_host
from django.utils import timezone

from linkadmin.database import on_live_connection
from linkadmin.encryption.box import DecryptionError
from linkadmin.providers.errors import ProviderError
from linkadmin.web import storage

from . import acceptance, endpoints, published_keys, refusals

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# With or without the last slash: a redirect would lose the delivery. Pages show the URL with it.
ADDRESS = re.compile(r"/webhooks/([-a-zA-Z0-9_]+)/([-a-zA-Z0-9_]+)/?")
# Answered with 503, so that the provider sends it again.
OUR_TROUBLES = (DatabaseError, InterfaceError, DecryptionError, ProviderError)
MORE_HEADERS = {
    HTTPStatus.METHOD_NOT_ALLOWED: ("Allow", "POST"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After", str(storage.RETRY_SECONDS)),
}

logger = structlog.get_logger(__name__)


def with_intake(application: "WSGIApplication") -> "WSGIApplication":
    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        address = ADDRESS.fullmatch(environ["PATH_INFO"])
        if not address or not _reaches_us(environ):
            return application(environ, start_response)
        request_id = uuid4().hex
        status = _status(environ, *address.groups(), request_id=request_id)
        start_response(f"{status.value} {status.phrase}", [*_headers(status), ("X-Request-Id", request_id)])
        return ()

    return answer


def _reaches_us(environ: "WSGIEnvironment") -> bool:
    if settings.SECURE_SSL_REDIRECT and not _is_secure(environ):
        return False
    return _is_our_host(environ.get("HTTP_HOST", ""), tuple(settings.ALLOWED_HOSTS))


def _is_secure(environ: "WSGIEnvironment") -> bool:
    if settings.SECURE_PROXY_SSL_HEADER:
        name, secure = settings.SECURE_PROXY_SSL_HEADER
        return bool(environ.get(name, "").partition(",")[0].strip() == secure)
    return bool(environ["wsgi.url_scheme"] == "https")


def _is_our_host(host: str, allowed: tuple[str, ...]) -> bool:
    return validate_host(split_domain_port(host)[0], allowed)


@cache
def _headers(status: HTTPStatus) -> tuple[tuple[str, str], ...]:
    """Return what security demands of every response; a program, not a browser, reads this one."""
    policy = "default-src 'none'; frame-ancestors 'none'"
    headers = [("Content-Length", "0"), ("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", policy)]
    if seconds := settings.SECURE_HSTS_SECONDS:
        headers.append(("Strict-Transport-Security", f"max-age={seconds}"))
    if more := MORE_HEADERS.get(status):
        headers.append(more)
    return tuple(headers)


def _status(environ: "WSGIEnvironment", provider: str, path: str, *, request_id: str) -> HTTPStatus:
    """Unsigned requests get the same answer whether the URL exists or not."""
    if environ["REQUEST_METHOD"] != "POST":
        return HTTPStatus.METHOD_NOT_ALLOWED
    try:
        # An unknown URL must not make us wait for a body.
        endpoint = on_live_connection(partial(endpoints.load, provider, path))
        status = _take_in(environ, endpoint) if endpoint else HTTPStatus.UNAUTHORIZED
        if status is not HTTPStatus.ACCEPTED:
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                refusals.note(endpoint.integration_id if endpoint else refusals.NOWHERE, now=timezone.now())
    except OUR_TROUBLES as error:
        logger.error("webhooks.not_stored", error=type(error).__name__, request_id=request_id)
        return HTTPStatus.SERVICE_UNAVAILABLE
    except Exception:
        logger.exception("webhooks.failed", request_id=request_id)  # gunicorn would log the URL, which is secret
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return status


def _take_in(environ: "WSGIEnvironment", endpoint: endpoints.LoadedEndpoint) -> HTTPStatus:
    declared = environ.get("CONTENT_LENGTH", "")
    try:
        body = _read(environ, declared)
    except OSError:  # the body didn't arrive in time
        return HTTPStatus.REQUEST_TIMEOUT
    if len(body) > acceptance.MAX_BODY:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if declared.isdigit() and len(body) < int(declared):  # truncated in transit
        return HTTPStatus.BAD_REQUEST
    headers = _sent_headers(environ)
    signed_with = endpoint.secret_of(headers, body) or published_keys.key_of(endpoint, headers, body)
    if signed_with is None:
        return HTTPStatus.UNAUTHORIZED
    acceptance.take(endpoint, body, signed_with=signed_with, now=timezone.now())
    return HTTPStatus.ACCEPTED


def _read(environ: "WSGIEnvironment", declared: str) -> bytes:
    """Return the body, at most one byte over the limit; also of a chunked request."""
    in_chunks = not declared and environ.get("wsgi.input_terminated")
    length = acceptance.MAX_BODY + 1 if in_chunks else int(declared) if declared.isdigit() else 0
    read: bytes = environ["wsgi.input"].read(min(length, acceptance.MAX_BODY + 1))
    return read


def _sent_headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers with their names in lowercase."""
    return {name[5:].replace("_", "-").lower(): text for name, text in environ.items() if name.startswith("HTTP_")}
