"""How a page shows what a provider says: at once, or a panel that polls for it, or why there is no answer."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from linkadmin.operations.presentation.explanations import Explanation
from linkadmin.operations.refusals import Refusal
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Failure
from linkadmin.sync import live_queries
from linkadmin.sync.live_queries import Question
from linkadmin.sync.troubles import explain_failure, explain_refusal

T = TypeVar("T")
Kept = tuple[tuple[str, str], ...]

# Names in the body of a POST, beside what was typed: ask now whatever is kept, and do not wait with the answer.
AGAIN, POLL, PAGE = "again", "poll", "page"
MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """One look at a provider's records: `found`, or still waiting, or why there is nothing."""

    provider_label: str
    url: str
    kept: Kept = field(default=(), repr=False)  # what a form has to send along to ask the same
    page: int = 1
    found: T | None = field(default=None, repr=False)
    began_at: datetime | None = None
    is_running: bool = False
    is_kept: bool = False  # it was there already: nothing was asked for this page
    explanation: Explanation | None = None
    failure: Failure | None = None

    @property
    def now(self) -> datetime:
        return timezone.now()

    @property
    def elapsed(self) -> int:
        """Seconds since it was asked."""
        return int((self.now - self.began_at).total_seconds()) if self.began_at else 0


def look(request: HttpRequest, question: Question, read: Callable[[Provider], T], *, kept: Kept = ()) -> Look[T]:
    """Ask for a page, waiting a moment for the answer unless the page polls for it."""
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
        is_kept=POLL not in request.POST and not reading.is_running and reading.began_at < looked_at,
        explanation=explain_failure(reading.trouble) if reading.trouble else None,
        failure=reading.trouble.failure if reading.trouble else None,
    )


def page_number(request: HttpRequest) -> int:
    """Return the page that a form asks for; the first, if it names none."""
    text = request.POST.get(PAGE, "")
    return min(max(int(text), 1), MOST_PAGES) if text.isdecimal() and len(text) < 9 else 1
