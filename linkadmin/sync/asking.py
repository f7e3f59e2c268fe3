"""What a page reads at a provider and takes over nothing of: asked beside the page, kept here for a minute, forgotten.

What comes back may be personal: it is in the memory of the process that asked and in the pages drawn from it, by that
process or one beside it, nowhere else.
"""

import hashlib
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar, cast

from django.utils import timezone

from linkadmin import siblings
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

from . import carrying

KEPT_SECONDS = 60.0
HELD = "readings"  # what siblings ask for

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
    def key(self) -> str:
        """What makes two questions the same, without their words."""
        parameters = sorted(self.parameters.items())
        same = self.reader.pk, self.integration.pk, self.what, self.object_id, parameters, self.page
        return hashlib.sha256(repr(same).encode()).hexdigest()


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
_readings: dict[str, Reading[Any]] = {}


def ask(question: Question, read: Callable[[Provider], T], *, seconds: float) -> Reading[T]:
    """Ask a provider beside the page, or return what the same reader asked within the last minute.

    Waits at most `seconds` for the answer, but not for one that a sibling waits for. Looking at a provider's records is
    an event. Raises `Refusal` if our own rules forbid the call.
    """
    if not _find(question.key) and (elsewhere := _find_elsewhere(question.key)):
        return elsewhere
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
    _forget(question.key)
    siblings.forget(HELD, question.key)


def _reading_of(question: Question) -> tuple[Reading[Any], bool]:
    with _lock:
        _forget_what_is_over()
        is_new = question.key not in _readings
        return _readings.setdefault(question.key, Reading()), is_new


def _find(key: str) -> Reading[Any] | None:
    with _lock:
        _forget_what_is_over()
        return _readings.get(key)


def _find_elsewhere(key: str) -> Reading[Any] | None:
    packed = siblings.find(HELD, key)
    with suppress(ValueError):  # of another release, while one takes over from the other
        return cast(Reading[Any] | None, carrying.unpack(packed))
    return None


def _find_for_sibling(key: str) -> Any:
    return carrying.pack(_find(key))


def _forget(key: str) -> None:
    with _lock:
        _readings.pop(key, None)


def _forget_what_is_over() -> None:
    now = time.monotonic()
    for key, old in list(_readings.items()):
        if old.ended and now - old.ended > KEPT_SECONDS:
            del _readings[key]


siblings.hold(HELD, find=_find_for_sibling, forget=_forget)


def _begin(question: Question, reading: Reading[T], read: Callable[[Provider], T]) -> None:
    if not question.integration.is_active:
        raise refusals.IntegrationOff
    siblings.be_there()
    with runner.place(question.integration.pk, person=question.reader) as held:
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
