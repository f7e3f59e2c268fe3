"""How every view responds: a whole page or one part, the redirect to the next page, and no compression for secrets."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HTMX_STOP_POLLING, HttpResponseClientRedirect

from linkadmin.accounts.models import User

Response = TypeVar("Response", bound=HttpResponseBase)

RETRY_SECONDS = 5  # after a request that found no free slot
BESIDE_THE_FORM = "afterbegin show:top"  # for htmx: keep the form with what was typed, and put the message above it


def reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - for the types: see the middleware
    return request.user


def wants_part(request: HttpRequest) -> bool:
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def draw(request: HttpRequest, template: str, part: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    name = f"{template}#{part}" if wants_part(request) else template
    drawn = render(request, name, context, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        drawn.headers["Retry-After"] = str(RETRY_SECONDS)  # tells app.js that this page is ours
    return drawn


def go(request: HttpRequest, url: str) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)


def go_when_done(url: str) -> HttpResponse:
    onward = HttpResponseClientRedirect(url)
    onward.status_code = HTMX_STOP_POLLING
    return onward


def uncompressed(response: Response) -> Response:
    """Keep a response from being compressed, by us or a proxy: its length would leak a secret (BREACH).

    Neither compresses a response that declares its encoding.
    """
    response["Content-Encoding"] = "identity"
    return response


def no_compression(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For views whose responses all may show a secret."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> HttpResponseBase:
        return uncompressed(view(*args, **kwargs))

    answer.shows_secret = True  # type: ignore[attr-defined]
    return answer
