"""Responses when the database can't be used."""

import sys
from http import HTTPStatus

import structlog
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views import defaults

from linkadmin.accounts.unsent import SAFE, page_behind
from linkadmin.accounts.views.own import is_sign_out, signed_out_here
from linkadmin.web.pages import BESIDE_THE_FORM

from . import storage

logger = structlog.get_logger(__name__)


def server_error(request: HttpRequest) -> HttpResponse:
    """Handle errors outside of views, such as loading a session."""
    trouble = storage.trouble_of(sys.exception())
    if trouble:
        return storage_unavailable(request, trouble)
    try:
        return render(request, "500.html", status=HTTPStatus.INTERNAL_SERVER_ERROR)
    except Exception as error:  # noqa: BLE001 - what broke the page may break its frame
        logger.error("server_error.without_frame", error=type(error).__name__)
        return defaults.server_error(request)


def storage_unavailable(request: HttpRequest, trouble: storage.Trouble) -> HttpResponse:
    """Draw the page without the database. Signing out always works."""
    logger.error(
        "storage.unavailable",
        trouble=trouble.value,
        path=request.path,
        method=request.method,
        call_may_have_left=storage.call_may_have_left.get(),
    )
    if is_sign_out(request):
        return signed_out_here(request)
    request.user = AnonymousUser()  # saves the middleware a second wait for the database
    htmx = _wants_part(request)
    context = {
        "is_change": request.method not in SAFE,
        "is_sign_in": request.path_info == reverse("account_login"),
        "may_have_left": storage.call_may_have_left.get(),
        "is_unreachable": trouble in (storage.Trouble.UNREACHABLE, storage.Trouble.DAMAGED),
        "request_id": storage.request_id(),
        "back": page_behind(request),
    }
    # Without the request: context processors would query the database.
    page = render_to_string("partials/_storage_refused.html" if htmx else "503.html", context)
    answer = HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE)
    answer.headers["Retry-After"] = str(storage.RETRY_SECONDS)  # tells app.js that this response explains itself
    answer.headers["Cache-Control"] = "no-store"
    if htmx:
        _put_beside_the_form(request, answer)
    return answer


def _wants_part(request: HttpRequest) -> bool:
    # The htmx middleware may not have run.
    headers = request.headers
    return "HX-Request" in headers and not ("HX-Boosted" in headers or "HX-History-Restore-Request" in headers)


def _put_beside_the_form(request: HttpRequest, answer: HttpResponse) -> None:
    if request.method not in SAFE and request.headers.get("HX-Target"):
        answer.headers["HX-Reswap"] = BESIDE_THE_FORM
    else:
        answer.headers["HX-Reswap"], answer.headers["HX-Retarget"] = "innerHTML", "#toasts"
