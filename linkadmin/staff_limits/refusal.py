"""The response instead of what a person may not see or do now: which limit, until when, and who can lift it."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HTMX_STOP_POLLING

from linkadmin.accounts.unsent import SAFE
from linkadmin.providers.names import isolated
from linkadmin.timestamps import exact_words
from linkadmin.web.pages import BESIDE_THE_FORM, wants_part

from .counting import LimitReached
from .kinds import LimitKind
from .lifting import who_may_lift

MOST_NAMED = 5

REACHED = {
    LimitKind.CUSTOMERS_OPENED: _(
        "You've opened as many customers as one person can in an hour: %(limit)s. You can still open the same ones."
    ),
    LimitKind.CUSTOMERS_LISTED: _("This would show you more customers than one person can see in an hour: %(limit)s."),
    LimitKind.EXPORTS: _("You've exported as many files as one person can in 24 hours: %(limit)s."),
    LimitKind.CREDENTIALS: _("You've sent as many credentials and codes as one person can in an hour: %(limit)s."),
}


def why(reached: LimitReached) -> str:
    return REACHED[reached.kind] % {"limit": f"{reached.limit.stop:,}"}


def what_to_do(reached: LimitReached) -> str:
    helpers = [isolated(each.display_name) for each in who_may_lift(reached.user)[:MOST_NAMED]]
    if reached.free_at:
        first = gettext("Try again after %(time)s.") % {"time": exact_words(reached.free_at)}
    else:
        first = gettext("Choose fewer, with a filter.")
    if not helpers:
        return first
    ask = gettext("If you can't wait, ask an account manager to lift the limit: %(names)s.")
    return f"{first} {ask % {'names': ', '.join(helpers)}}"


def refusal(request: HttpRequest, reached: LimitReached) -> HttpResponse:
    context = {"why": why(reached), "what_to_do": what_to_do(reached), "is_form": request.method not in SAFE}
    if wants_part(request):
        answer = render(request, "staff_limits/_reached.html", context, status=HTMX_STOP_POLLING)
        # What was shown before stays, under the URL it has.
        answer.headers["HX-Reswap"], answer.headers["HX-Push-Url"] = BESIDE_THE_FORM, "false"
    else:
        answer = render(request, "429.html", context, status=HTTPStatus.TOO_MANY_REQUESTS)
    wait = reached.free_at - timezone.now() if reached.free_at else reached.limit.within
    answer.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)  # tells app.js that this response is ours
    return answer
