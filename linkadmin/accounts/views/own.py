"""Own sessions, password change, and signing out even when the database can't be written."""

from typing import Any

import structlog
from allauth.account import views
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from linkadmin.accounts import sessions
from linkadmin.accounts.factors import owned
from linkadmin.accounts.models import Environment
from linkadmin.accounts.single_sign_on import people
from linkadmin.accounts.unsent import page_behind
from linkadmin.database import waiting_at_most
from linkadmin.paging import without_place
from linkadmin.web import storage
from linkadmin.web.pages import reader

IN_ONE_ENVIRONMENT = ("integration", "institution", "unknown")  # filters
END_SECONDS = 1.0  # don't wait as long again for a database that just failed

logger = structlog.get_logger(__name__)


class PasswordChange(views.PasswordChangeView):  # type: ignore[misc]  # allauth has no types
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = reader(request)
        if people.signs_in_there(user) or not user.has_usable_password():
            return redirect("own-security")
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        # Together, so that an error signs nobody out.
        with self.request.session.saved_together():
            response: HttpResponse = super().form_valid(form)
        return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    return _clearing_browser(views.logout(request))


def is_sign_out(request: HttpRequest) -> bool:
    addresses = (reverse("account_logout"), reverse("admin:logout"))
    # Browsers send no session with another site's form.
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return request.method == "POST" and request.path_info in addresses and has_session


def signed_out_here(request: HttpRequest) -> HttpResponse:
    """Sign out in this browser although the audit log can't be written."""
    session: SessionBase = request.session
    is_ended = _end_unrecorded(session)
    user = getattr(request, "_cached_user", None)
    logger.warning("session.end_not_recorded", user_id=str(getattr(user, "pk", "")), is_ended=is_ended)
    request.session, request.user = type(session)(), AnonymousUser()  # so that the cookie is removed
    context = {
        "is_ended": is_ended,
        "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
        "request_id": storage.request_id(),
        "sign_in": reverse(settings.LOGIN_URL),
    }
    response = HttpResponse(render_to_string("account/signed_out_here.html", context))
    response.headers["Cache-Control"] = "no-store"
    return _clearing_browser(response)


def _end_unrecorded(session: SessionBase) -> bool:
    try:
        with waiting_at_most(END_SECONDS):
            session.delete()
    except storage.UNUSABLE:
        return False
    return True


def _clearing_browser(response: HttpResponse) -> HttpResponse:
    response["Clear-Site-Data"] = sessions.CLEARED
    return response


@require_safe
def own_security(request: HttpRequest) -> HttpResponse:
    user, current = reader(request), request.session.session_key
    rows = [{"session": each, "is_current": each.pk == current} for each in sessions.sessions_of(user)]
    has_others = any(not row["is_current"] for row in rows)
    context = {
        "rows": rows,
        "has_others": has_others,
        "has": owned.owned_by(user),
        "signs_in_there": people.signs_in_there(user),
    }
    return render(request, "account/security.html", context)


@require_POST
def own_environment(request: HttpRequest) -> HttpResponse:
    """Choose the environment of lists and counts, and show the page again, without filters that imply another one."""
    user, chosen = reader(request), request.POST.get("environment", "")
    if chosen not in Environment.values:
        raise BadRequest("there is no such environment")
    user.environment = chosen
    user.save(update_fields=["environment"])
    path, _separator, query = page_behind(request).partition("?")
    rest = without_place(QueryDict(query))
    for name in IN_ONE_ENVIRONMENT:
        rest.pop(name, None)
    return redirect(f"{path}?{rest.urlencode()}" if rest else path)


@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    if public_id := request.POST.get("session", ""):
        ended = sessions.end_one(reader(request), public_id=public_id)
    else:
        ended = sessions.end_others(reader(request), current=request.session.session_key)
    if ended:
        text = ngettext("Signed out of %(count)d other session.", "Signed out of %(count)d other sessions.", ended)
        messages.success(request, text % {"count": ended})
    else:
        messages.info(request, _("There were no other sessions to sign out of."))
    return redirect("own-security")
