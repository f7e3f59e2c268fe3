"""How pages read from a provider and make changes there.

An answer is shown at once or polled for; if there's none, the page says why. A change leads back to the page.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser
from linkadmin.operations.forms.fields import OnceForm
from linkadmin.operations.models import Operation, OperationKind
from linkadmin.operations.presentation.explanations import Explanation
from linkadmin.operations.refusals import Refusal
from linkadmin.operations.services import change_account
from linkadmin.operations.views.sending import outcome_of, page_of
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Failure
from linkadmin.providers.types import Capability
from linkadmin.sync import live_queries
from linkadmin.sync.live_queries import Question
from linkadmin.sync.troubles import explain_failure, explain_refusal
from linkadmin.web.pages import go

T = TypeVar("T")
Kept = tuple[tuple[str, str], ...]

# POST fields beside the filters: read again despite a cached answer, answer without waiting, page number.
AGAIN, POLL, PAGE = "again", "poll", "page"
MAX_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """One read of provider records: `found`, still running, or why there's nothing."""

    provider_label: str
    url: str
    kept: Kept = field(default=(), repr=False)  # what a form repeats to ask the same
    page: int = 1
    found: T | None = field(default=None, repr=False)
    began_at: datetime | None = None
    is_running: bool = False
    is_cached: bool = False  # from the cache: this page made no request
    explanation: Explanation | None = None
    failure: Failure | None = None

    @property
    def now(self) -> datetime:
        return timezone.now()

    @property
    def elapsed(self) -> int:
        """Seconds since the request."""
        return int((self.now - self.began_at).total_seconds()) if self.began_at else 0


def integration_that_can(pk: UUID, capability: Capability) -> Integration:
    return get_object_or_404(Integration.objects.that_can(capability), pk=pk)


def look(request: HttpRequest, question: Question, read: Callable[[Provider], T], *, kept: Kept = ()) -> Look[T]:
    """Read for a page, waiting a moment for the answer unless the page polls for it."""
    if AGAIN in request.POST:
        live_queries.forget(question)
    looked_at = timezone.now()
    unanswered: Look[T] = Look(question.integration.provider_label, request.path, kept, question.page)
    try:
        seconds = 0 if POLL in request.POST else settings.OPERATION_ANSWER_SECONDS
        reading = live_queries.ask(question, read, seconds=seconds)
    except Refusal as refusal:
        return replace(unanswered, explanation=explain_refusal(refusal))
    return replace(
        unanswered,
        found=reading.found,
        began_at=reading.began_at,
        is_running=reading.is_running,
        is_cached=POLL not in request.POST and not reading.is_running and reading.began_at < looked_at,
        explanation=explain_failure(reading.trouble) if reading.trouble else None,
        failure=reading.trouble.failure if reading.trouble else None,
    )


def page_number(request: HttpRequest) -> int:
    text = request.POST.get(PAGE, "")
    return min(max(int(text), 1), MAX_PAGES) if text.isdecimal() and len(text) < 9 else 1


def change(
    request: HttpRequest,
    kind: OperationKind,
    form: OnceForm,
    *,
    shown: Question,
    done: str,
    back: str,
    values: dict[str, str] | None = None,
    target: str = "",
    end_user: EndUser | None = None,
) -> HttpResponse:
    try:
        operation = outcome_of(
            change_account(
                actor=shown.reader,
                integration=shown.integration,
                end_user=end_user,
                kind=kind,
                values=values or {},
                operation_key=form.key,
                target=target,
            )
        )
    except Refusal as refusal:
        messages.warning(request, str(refusal.words))
        return go(request, back)
    return settled(request, operation, shown=shown, done=done, back=back)


def settled(request: HttpRequest, operation: Operation, *, shown: Question, done: str, back: str) -> HttpResponse:
    live_queries.forget(shown)
    if not operation.is_done:
        return go(request, page_of(operation))
    messages.success(request, done)
    return go(request, back)
