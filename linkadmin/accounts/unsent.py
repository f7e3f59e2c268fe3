"""Forms that weren't accepted because their session had ended: the message, and the way back."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.http import escape_leading_slashes
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

SAFE = frozenset({"GET", "HEAD"})


def warn_signed_out(request: HttpRequest) -> None:
    if request.method not in SAFE:
        messages.warning(
            request, _("You were signed out, so nothing was sent. Sign in to return to the form and fill it out again.")
        )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    back = page_behind(request)
    if request.headers.get("HX-Request") == "true":
        messages.warning(request, _("This form is from an earlier session, so nothing was sent. Fill it out again."))
        answer: HttpResponse = HttpResponseClientRedirect(back)
        answer.status_code = 403
        return answer
    return render(request, "403_csrf.html", {"back": back}, status=403)


def page_behind(request: HttpRequest) -> str:
    """URL of the page the request came from, or else the one it asks for."""
    named = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    from_here = urlsplit(named).netloc == request.get_host()
    candidates = [_path(named) if from_here else "", request.get_full_path()]
    return next((each for each in candidates if each and _is_page(each)), _page_above(request.path))


def _path(url: str) -> str:
    parts = urlsplit(url)
    return escape_leading_slashes(parts.path + (f"?{parts.query}" if parts.query else ""))


def _page_above(path: str) -> str:
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        if _is_page(path):
            return path
    return "/"


def _is_page(path: str) -> bool:
    try:
        view: Any = resolve(urlsplit(path).path).func
    except Resolver404:
        return False
    return "GET" in _methods_of(view)


def _methods_of(view: Any) -> frozenset[str]:
    """The methods a view accepts, read from Django's decorators. GET and HEAD if none declares any."""
    while view is not None:
        for cell in getattr(view, "__closure__", None) or ():
            contents = cell.cell_contents
            if isinstance(contents, list) and {"GET", "POST"} & {str(each) for each in contents}:
                return frozenset(contents)
        view = getattr(view, "__wrapped__", None)
    return SAFE
