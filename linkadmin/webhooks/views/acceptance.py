"""The address where a provider leaves its messages: checked, kept, and answered at once."""

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

# Of these the provider hears that it shall send again later.
OUR_TROUBLES = (DatabaseError, InterfaceError, DecryptionError)

logger = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def webhook_delivery(request: HttpRequest, provider: str, path: str) -> HttpResponse:
    """Take a message in. Who cannot prove to be the provider gets the same answer whether the address is one or not."""
    try:
        return HttpResponse(status=_take(request, provider, path))
    except OUR_TROUBLES as error:
        logger.error("webhooks.not_kept", error=type(error).__name__)
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": str(storage.RETRY_SECONDS)})


def _take(request: HttpRequest, provider: str, path: str) -> HTTPStatus:
    """Look the address up first: a body sent to none of ours is not waited for."""
    endpoint = endpoints.load(provider, path)
    status = _take_in(request, endpoint) if endpoint else HTTPStatus.UNAUTHORIZED
    if status is not HTTPStatus.ACCEPTED:
        refusals.note(endpoint.integration_id if endpoint else refusals.NOWHERE, now=timezone.now())
    return status


def _take_in(request: HttpRequest, endpoint: endpoints.LoadedEndpoint) -> HTTPStatus:
    try:
        body = _read(request)
    except OSError:  # it did not come in time
        return HTTPStatus.REQUEST_TIMEOUT
    declared = request.META.get("CONTENT_LENGTH", "")
    if len(body) > acceptance.MAX_BODY:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if declared.isdigit() and len(body) < int(declared):  # cut short on its way
        return HTTPStatus.BAD_REQUEST
    signed_with = endpoint.secret_of({name.lower(): text for name, text in request.headers.items()}, body)
    if signed_with is None:
        return HTTPStatus.UNAUTHORIZED
    acceptance.take(endpoint, body, signed_with=signed_with, now=timezone.now())
    return HTTPStatus.ACCEPTED


def _read(request: HttpRequest) -> bytes:
    """Return the body, or one byte more than is taken of one that is too long; also of one that comes in chunks."""
    in_chunks = "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated")
    source = request.META["wsgi.input"] if in_chunks else request
    read: bytes = source.read(acceptance.MAX_BODY + 1)
    return read
