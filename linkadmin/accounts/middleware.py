"""Middleware for sessions, their limits, the role matrix and the reader's time zone."""

import re
import time
import zoneinfo
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from typing import Any
from urllib.parse import unquote

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from django_htmx.http import HttpResponseClientRedirect

from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.database import waiting_at_most
from linkadmin.web import storage

from . import unsent
from .factors import confirmation
from .models import User
from .roles import WITH_FORM, Access, Right, Rule, may, rule_for
from .session_store import CONFIRMED, SEEN, STARTED
from .sessions import CLEARED, record_end

GetResponse = Callable[[HttpRequest], HttpResponse]

logger = structlog.get_logger(__name__)

SAVE_SECONDS = 1.0  # for a session; the next page tries again
POLLS = "/live/"  # URLs that open pages poll on their own: no sign of a person
FOLLOWS_HEADER = "Live-Follows"  # sent by pages that redraw themselves: no sign of a person either
_ENROLLMENT = {Access.WITHOUT_FACTOR, Access.OWN_FACTORS}
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class SessionNotSaved(Exception):
    """A new session couldn't be saved, so nobody is signed in."""


class SessionMiddleware(DjangoSessionMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save a changed session. A page that could be read is still shown if that fails.

        A new session must be saved, or its cookie would open nothing. In an existing one, only the time of the last
        page is lost.
        """
        session = request.session
        is_new = request.COOKIES.get(settings.SESSION_COOKIE_NAME) != session.session_key
        try:
            with waiting_at_most(SAVE_SECONDS) if session.modified and not is_new else nullcontext():
                response = super().process_response(request, response)
        except (SessionInterrupted, *storage.UNUSABLE) as error:
            trouble = storage.trouble_of(error)
            if trouble is None:
                raise
            if is_new:
                raise SessionNotSaved from error
            logger.warning("session.not_saved", trouble=trouble.value)
        # A poll that crossed a change of the session's key must not delete the new key's cookie.
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and not cookie.value and _asks_by_itself(request):
            del response.cookies[settings.SESSION_COOKIE_NAME]
        return response


def session_limits(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        has_ended = isinstance(request.user, User) and not _keep_or_end(
            request, request.user, is_activity=not _asks_by_itself(request)
        )
        response = get_response(request)
        if has_ended:
            response.headers["Clear-Site-Data"] = CLEARED
        return response

    return middleware


def _asks_by_itself(request: HttpRequest) -> bool:
    return request.path_info.endswith(POLLS) or FOLLOWS_HEADER in request.headers


def _keep_or_end(request: HttpRequest, user: User, *, is_activity: bool) -> bool:
    now = int(time.time())
    session = request.session
    read = session.setdefault if is_activity else session.get
    for mark in (STARTED, SEEN):
        if session.get(mark, now) > now:  # set while the clock was ahead: the session would last until then
            session[mark] = now
    if session.get(CONFIRMED, 0) > now:
        session[CONFIRMED] = 0
    started, seen = read(STARTED, now), read(SEEN, now)
    idle = now - seen
    if idle > settings.SESSION_IDLE_SECONDS or now - started > settings.SESSION_COOKIE_AGE:
        with transaction.atomic():
            session.flush()
            record_end(user, reason="idle" if idle > settings.SESSION_IDLE_SECONDS else "time limit", actor=user)
        request.user = AnonymousUser()
        return False
    if (
        is_activity and idle > settings.SESSION_IDLE_SECONDS / 15
    ):  # accurate to a minute, which saves a write per request
        session[SEEN] = now
    return True


class DeclaredRights(MiddlewareMixin):
    """Deny every view that the role matrix doesn't grant, and record the denial."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        rule = rule_for(_view_name(request), request.method or "", kwargs.get("change"))
        if rule is Access.PUBLIC:
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if rule is None:
            logger.error("access.undeclared", view=_view_name(request), method=request.method)
        if rule not in _ENROLLMENT and confirmation.lacks_factor(request):
            return confirmation.to_enrollment(request)
        if isinstance(rule, Access) or (rule is not None and may(request.user, rule)):
            return confirmation.refusal(request, _rule_of_form(request) or rule)
        _record_denied(request)
        raise PermissionDenied

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, PermissionDenied) and request.user.is_authenticated:
            _record_denied(request)


def _rule_of_form(request: HttpRequest) -> Rule | None:
    """On a page that others only read, the rule of its form, for those who may submit it."""
    if request.method not in unsent.SAFE or _view_name(request) not in WITH_FORM:
        return None
    rule = rule_for(_view_name(request), "POST")
    return rule if isinstance(rule, Right) and may(request.user, rule) else None


def _view_name(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    unsent.warn_signed_out(request)
    # A whole page even for htmx: it must not be drawn into a part.
    if request.htmx:  # type: ignore[attr-defined]
        response: HttpResponse = HttpResponseClientRedirect(redirect_to_login(unsent.page_behind(request)).url)
        response.status_code = 401
        return response
    back = request.get_full_path() if request.method in unsent.SAFE else unsent.page_behind(request)
    return redirect_to_login(back, resolve_url(settings.LOGIN_URL))


def _record_denied(request: HttpRequest) -> None:
    match = request.resolver_match
    ids = [str(value) for value in match.kwargs.values() if _ID.fullmatch(str(value))] if match else []
    record(
        actor=request.user,  # type: ignore[arg-type]
        action=Action.ACCESS_DENIED,
        object_type=ObjectType.PAGE,
        object_id=ids[0] if ids else "",
        outcome=Outcome.DENIED,
        details={"view": _view_name(request), "method": request.method or ""},
    )


def reader_time_zone(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        name = unquote(request.COOKIES.get("tz", ""))
        with timezone.override(zoneinfo.ZoneInfo(name if name in _zones() else "UTC")):
            return get_response(request)

    return middleware


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
