"""How a page that shows a provider's records has something changed there: once, and back to the records."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from linkadmin.operations.models import FAILED_STATES, Operation
from linkadmin.operations.refusals import Refusal
from linkadmin.operations.views.sending import outcome_of, page_of
from linkadmin.sync import live_queries
from linkadmin.sync.live_queries import Question
from linkadmin.web.pages import go


def change(
    request: HttpRequest, make: Callable[[], Operation], *, done: str, back: str, shown: Question
) -> HttpResponse:
    """Have a change made and go to where its outcome is shown: back to the records, read anew, if it was done."""
    try:
        operation = outcome_of(make())
    except Refusal as refusal:
        messages.warning(request, str(refusal.words))
        return go(request, back)
    return settled(request, operation, done=done, back=back, shown=shown)


def settled(request: HttpRequest, operation: Operation, *, done: str, back: str, shown: Question) -> HttpResponse:
    """Go on from a change that was begun."""
    live_queries.forget(shown)
    if not operation.is_done:
        return go(request, page_of(operation))
    messages.success(request, done)
    return go(request, back)


def was_refused(operation: Operation) -> bool:
    """Tell whether a form has to say why nothing was changed."""
    return operation.state in FAILED_STATES
