"""Confirm it's you: asks for password and second factor again before an act that needs both to be recent.

A page with a form asks before it's opened. A form that is sent too late is refused, and nothing of it is stored.
"""

import time
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from linkadmin.accounts import unsent
from linkadmin.accounts.models import User
from linkadmin.accounts.roles import BRIEFLY, CONFIRMED_ACTS, Access, Right, Rule
from linkadmin.accounts.session_store import CONFIRMED, FACTOR
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.web.pages import reader

from . import owned

_FILL_OUT = 0.2  # of the time: what's left for a form once it's open


def confirm(request: HttpRequest, user: User, factor: str) -> None:
    """Continue in a new session, confirmed as of now. `factor` is empty for a person without any."""
    with request.session.saved_together():  # type: ignore[attr-defined]
        request.session.cycle_key()
        request.session[CONFIRMED], request.session[FACTOR] = int(time.time()), factor
        record(
            actor=user,
            action=Action.SESSION_CONFIRMED,
            object_type=ObjectType.STAFF,
            object_id=user.pk,
            outcome=Outcome.DONE,
            details={"factor": factor} if factor else {},
        )


def lacks_factor(request: HttpRequest) -> bool:
    return settings.SECOND_FACTOR_REQUIRED and not request.session.get(FACTOR)


def is_confirmed(request: HttpRequest, rule: Rule, *, opens_form: bool = False) -> bool:
    if rule not in CONFIRMED_ACTS:
        return True
    if rule is Access.OWN_FACTORS and not request.session.get(FACTOR) and owned.has_any(reader(request)):
        return False  # signed in before they had one
    limit = settings.CONFIRMED_BRIEFLY_SECONDS if rule in BRIEFLY else settings.CONFIRMED_SECONDS
    if opens_form:
        limit -= limit * _FILL_OUT
    return bool(time.time() - request.session.get(CONFIRMED, 0) <= limit)


def refusal(request: HttpRequest, rule: Rule) -> HttpResponse | None:
    """None if the person has confirmed lately."""
    htmx = request.htmx  # type: ignore[attr-defined]
    is_read = request.method in unsent.SAFE
    if is_confirmed(request, rule, opens_form=is_read and not htmx):
        return None
    is_page = is_read and not htmx and rule is not Right.EXPORT  # a file has no page to return to
    url = _url(request.get_full_path() if is_page else unsent.page_behind(request))
    if is_read and not htmx:
        return redirect(url)
    if htmx:
        if not is_read:
            messages.warning(request, _("Nothing was sent. Confirm it's you, then fill out the form again."))
        onward: HttpResponse = HttpResponseClientRedirect(url)
        onward.status_code = 403
        return onward
    return render(request, "403_confirm.html", {"url": url}, status=403)


def to_enrollment(request: HttpRequest) -> HttpResponse:
    url = reverse("factor-new")
    if request.htmx:  # type: ignore[attr-defined]
        onward: HttpResponse = HttpResponseClientRedirect(url)
        onward.status_code = 403
        return onward
    return redirect(url)


def _url(back: str) -> str:
    return f"{reverse('confirm')}?{urlencode({'next': back})}"
