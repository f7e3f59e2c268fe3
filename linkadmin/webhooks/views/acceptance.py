"""The endpoint providers post webhooks to: verify, store, answer at once."""

from http import HTTPStatus

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from linkadmin.integrations.encryption import DecryptionError
from linkadmin.web import storage
from linkadmin.webhooks import acceptance, endpoints, refusals

# Answered with 503, so that the provider sends it again.
OUR_TROUBLES = (DatabaseError, InterfaceError, DecryptionError)

logger = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def webhook_delivery(request: HttpRequest, provider: str, path: str) -> HttpResponse:
    """Take a delivery in. Unsigned requests get the same answer whether the URL exists or not."""
    try:
        return HttpResponse(status=_take(request, provider, path))
    except OUR_TROUBLES as error:
        logger.error("webhooks.not_kept", error=type(error).__name__)
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": str(storage.RETRY_SECONDS)})


def _take(request: HttpRequest, provider: str, path: str) -> HTTPStatus:
    # An unknown URL must not make us wait for a body.
    endpoint = endpoints.load(provider, path)
    status = _take_in(request, endpoint) if endpoint else HTTPStatus.UNAUTHORIZED
    if status is not HTTPStatus.ACCEPTED:
        refusals.note(endpoint.integration_id if endpoint else refusals.NOWHERE, now=timezone.now())
    return status


def _take_in(request: HttpRequest, endpoint: endpoints.LoadedEndpoint) -> HTTPStatus:
    try:
        body = _read(request)
    except OSError:  # the body didn't arrive in time
        return HTTPStatus.REQUEST_TIMEOUT
    declared = request.META.get("CONTENT_LENGTH", "")
    if len(body) > acceptance.MAX_BODY:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if declared.isdigit() and len(body) < int(declared):  # truncated in transit
        return HTTPStatus.BAD_REQUEST
    signed_with = endpoint.secret_of({name.lower(): text for name, text in request.headers.items()}, body)
    if signed_with is None:
        return HTTPStatus.UNAUTHORIZED
    acceptance.take(endpoint, body, signed_with=signed_with, now=timezone.now())
    return HTTPStatus.ACCEPTED


def _read(request: HttpRequest) -> bytes:
    """Return the body, at most one byte over the limit; also of a chunked request."""
    in_chunks = "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated")
    source = request.META["wsgi.input"] if in_chunks else request
    read: bytes = source.read(acceptance.MAX_BODY + 1)
    return read
