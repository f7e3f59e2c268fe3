"""What allauth leaves to us."""

import structlog
from allauth.account import views
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from linkadmin import storage
from linkadmin.database import waiting_at_most

END_SECONDS = 1.0  # a database that was just found unusable is not waited for as long again

logger = structlog.get_logger(__name__)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Log out, and have the browser forget what it kept of our pages."""
    response: HttpResponse = views.logout(request)
    return _forgotten(response)


def is_sign_out(request: HttpRequest) -> bool:
    """Tell whether somebody signs out here. Of a form on another site, the browser sends no session."""
    addresses = (reverse("account_logout"), reverse("admin:logout"))
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return request.method == "POST" and request.path_info in addresses and has_session


def signed_out_here(request: HttpRequest) -> HttpResponse:
    """Sign out in this browser although the audit log can't be written, and say whether the session is ended too."""
    session: SessionBase = request.session
    is_ended = _end_unrecorded(session)
    user = getattr(request, "_cached_user", None)
    logger.warning("session.end_not_recorded", user_id=str(getattr(user, "pk", "")), is_ended=is_ended)
    request.session, request.user = type(session)(), AnonymousUser()  # so that the cookie goes
    context = {
        "is_ended": is_ended,
        "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
        "request_id": storage.request_id(),
        "sign_in": reverse(settings.LOGIN_URL),
    }
    response = HttpResponse(render_to_string("account/signed_out_here.html", context))
    response.headers["Cache-Control"] = "no-store"
    return _forgotten(response)


def _end_unrecorded(session: SessionBase) -> bool:
    try:
        with waiting_at_most(END_SECONDS):
            session.delete()
    except storage.UNUSABLE:
        return False
    return True


def _forgotten(response: HttpResponse) -> HttpResponse:
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
