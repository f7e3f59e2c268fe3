"""The address where a provider leaves its messages: checked, kept, and answered at once."""

from http import HTTPStatus

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from linkadmin.inbox import acceptance, mailbox, refusals
from linkadmin.links.sealed import SealBroken

# Of these the provider hears that it shall send again later.
OUR_TROUBLES = (DatabaseError, InterfaceError, SealBroken)

logger = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def webhook_delivery(request: HttpRequest, provider: str, path: str) -> HttpResponse:
    """Take a message in. Who cannot prove to be the provider learns nothing, not even whether the address is one."""
    try:
        return HttpResponse(status=_take(request, provider, path))
    except OUR_TROUBLES as error:
        logger.error("inbox.not_kept", error=type(error).__name__)
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)


def _take(request: HttpRequest, provider: str, path: str) -> HTTPStatus:
    body, now = _read(request), timezone.now()
    box = mailbox.open_at(provider, path)
    if len(body) > acceptance.MAX_BODY:
        refused = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    elif box and (proven_by := box.proof_of(_headers(request), body)):
        acceptance.take(box, body, proven_by=proven_by, now=now)
        return HTTPStatus.ACCEPTED
    else:
        refused = HTTPStatus.UNAUTHORIZED
    refusals.note(box.integration_id if box else refusals.NOWHERE, now=now)
    return refused


def _headers(request: HttpRequest) -> dict[str, str]:
    return {name.lower(): text for name, text in request.headers.items()}


def _read(request: HttpRequest) -> bytes:
    """Return the body, or one byte more than is taken of one that is too long; also of one that comes in chunks."""
    in_chunks = "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated")
    source = request.META["wsgi.input"] if in_chunks else request
    read: bytes = source.read(acceptance.MAX_BODY + 1)
    return read
