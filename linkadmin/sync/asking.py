"""What a page reads at a provider and takes over nothing of: asked beside the page, kept here for a minute, forgotten.

What comes back may be personal: it is in the memory of this process and in the pages drawn from it, nowhere else.
"""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.database import release_connections
from linkadmin.links import connections
from linkadmin.links.models import Integration
from linkadmin.operations import refusals, runner
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Failure, OutcomeUnknown, ProviderError
from linkadmin.providers.filters import Filters

KEPT_SECONDS = 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks what, of which provider. The parameters may hold names: they go to the provider and nowhere else."""

    reader: User
    integration: Integration
    what: str
    object_type: str  # what it is about, as the audit trail names it
    object_id: uuid.UUID
    parameters: Filters = field(default_factory=dict, repr=False)
    page: int = 1

    @property
    def key(self) -> tuple[object, ...]:
        sorted_parameters = tuple(sorted(self.parameters.items()))
        return self.reader.pk, self.integration.pk, self.what, self.object_id, sorted_parameters, self.page


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer: the class and the facts of an error, without the frames that hang on the error itself."""

    error: type[ProviderError]
    failure: Failure


@dataclass(slots=True)
class Reading(Generic[T]):
    """A question under way, or its answer."""

    id: uuid.UUID = field(default_factory=uuid.uuid4)
    began_at: datetime = field(default_factory=timezone.now)
    ended: float = 0.0  # by the monotonic clock; 0: under way
    found: T | None = field(default=None, repr=False)
    trouble: Trouble | None = None

    @property
    def is_running(self) -> bool:
        return not self.ended


_lock = threading.Lock()
_readings: dict[tuple[object, ...], Reading[Any]] = {}


def ask(question: Question, read: Callable[[Provider], T], *, seconds: float) -> Reading[T]:
    """Ask a provider beside the page, or return what the same reader asked within the last minute.

    Waits at most `seconds` for the answer. Looking at a provider's records is an event. Raises `Refusal` if our own
    rules forbid the call.
    """
    reading, is_new = _reading_of(question)
    if is_new:
        try:
            _begin(question, reading, read)
        except BaseException:  # nobody will ever answer it
            forget(question)
            raise
    runner.wait_for(reading.id, seconds)
    return reading


def forget(question: Question) -> None:
    """Let the next reader of this page ask anew."""
    with _lock:
        _readings.pop(question.key, None)


def _reading_of(question: Question) -> tuple[Reading[Any], bool]:
    now = time.monotonic()
    with _lock:
        for key, old in list(_readings.items()):
            if old.ended and now - old.ended > KEPT_SECONDS:
                del _readings[key]
        is_new = question.key not in _readings
        return _readings.setdefault(question.key, Reading()), is_new


def _begin(question: Question, reading: Reading[T], read: Callable[[Provider], T]) -> None:
    if not question.integration.is_active:
        raise refusals.IntegrationOff
    with runner.place(question.integration.pk) as held:
        log.record(
            actor=question.reader,
            action="records.viewed",
            object_type=question.object_type,
            object_id=question.object_id,
            outcome=Outcome.DONE,
            details={"what": question.what, "integration": str(question.integration.pk), "page": question.page},
        )
        runner.start(reading.id, held, partial(_read, reading, question.integration, read))


def _read(reading: Reading[T], integration: Integration, read: Callable[[Provider], T]) -> None:
    try:
        provider = connections.connect(integration)
        release_connections()
        reading.found = read(provider)
        connections.note_good_keys(integration)
    except ProviderError as error:
        reading.trouble = Trouble(type(error), error.failure)
        connections.note_keys(integration, error)
    finally:
        if reading.found is None and reading.trouble is None:
            reading.trouble = Trouble(OutcomeUnknown, Failure(f"{integration.provider}.read", reason="our_fault"))
        reading.ended = time.monotonic()
