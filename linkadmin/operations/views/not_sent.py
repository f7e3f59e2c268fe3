"""Refusals while the bank or provider is busy: a small answer, so that many at once don't slow down all other pages.

The form stays in the browser, or comes back with what was typed; secrets have to be typed again then.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from linkadmin.links.models import Link
from linkadmin.operations import refusals
from linkadmin.operations.forms import ProviderForm
from linkadmin.web.pages import BESIDE_THE_FORM, RETRY_SECONDS, wants_part

PAGE, PART = "operations/not_sent.html", "operations/_not_sent.html"
REOPEN = "reopen"


def not_sent(
    request: HttpRequest, refusal: refusals.Busy, *, link: Link | None = None, form: ProviderForm | None = None
) -> HttpResponse:
    """Tell why nothing was sent, without drawing the form again."""
    context: dict[str, Any] = {"refusal": refusal, "link": link}
    beside_form = wants_part(request)
    if not beside_form:
        context |= {"form_url": request.get_full_path(), "csrf_token": get_token(request)}
        context["typed"] = form.typed_in_the_open() if form else []
        context["had_secret"] = form is None or form.asks_for_secret
    # Without the request: nothing of the frame around other pages is needed.
    answer = HttpResponse(render_to_string(PART if beside_form else PAGE, context), status=refusal.status)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)  # by which app.js knows a refusal in words
    if beside_form:
        answer.headers["HX-Reswap"] = BESIDE_THE_FORM
    return answer


def reopens(request: HttpRequest) -> bool:
    """Tell whether a form is only to be drawn again, with what was typed."""
    return request.method == "POST" and REOPEN in request.POST


def typed_again(request: HttpRequest) -> dict[str, Any]:
    """Return what a reopened form starts from. Its key is a new one."""
    if not reopens(request):
        return {}
    typed = {name: request.POST.getlist(name) for name in request.POST if name not in (REOPEN, "operation_key")}
    return {name: values[0] if len(values) == 1 else values for name, values in typed.items()}
