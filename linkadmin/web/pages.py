"""How every view answers: the whole page or its part, the way to the next page, and never a secret compressed."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HTMX_STOP_POLLING, HttpResponseClientRedirect

from linkadmin.accounts.models import User

RETRY_SECONDS = 5  # after a refusal for want of a place
BESIDE_THE_FORM = "afterbegin show:top"  # for htmx: the form stays, with what was typed, and the words go above it


def reader(request: HttpRequest) -> User:
    """Return who asks. The middleware lets nobody else in."""
    assert isinstance(request.user, User)  # noqa: S101 - for the types: see the middleware
    return request.user


def wants_part(request: HttpRequest) -> bool:
    """Tell whether htmx will swap a part of the page, and not the page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def draw(request: HttpRequest, template: str, part: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Draw a page, or the one part of it that htmx asked for."""
    name = f"{template}#{part}" if wants_part(request) else template
    drawn = render(request, name, context, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        drawn.headers["Retry-After"] = str(RETRY_SECONDS)  # by which app.js knows a page of ours
    return drawn


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Send the reader on to one of our own pages."""
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)


def go_when_done(url: str) -> HttpResponse:
    """Let an open page stop polling, and show what came of it where that is."""
    onward = HttpResponseClientRedirect(url)
    onward.status_code = HTMX_STOP_POLLING
    return onward


def no_compression(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Keep what a view answers from being compressed, by us and by a proxy: its length would tell of a secret (BREACH).

    Neither touches an answer that says how it is encoded.
    """

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(*args, **kwargs)
        response["Content-Encoding"] = "identity"
        return response

    answer.shows_secret = True  # type: ignore[attr-defined]
    return answer
