"""Live reads of provider records for a page: in a thread, shown for a minute, never stored.

Answers may be personal: they exist only in pages and, encrypted, in the cache.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar, cast

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.integrations import call_pool, connections
from linkadmin.integrations.models import Integration
from linkadmin.operations import refusals, slots
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Failure, OutcomeUnknown, ProviderError
from linkadmin.providers.records import Filters

from . import answer_cache

SHOWN_SECONDS = 60.0
MAX_CALLS = 4  # per page, one after another

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """Who reads what, from which provider. Parameters may hold names; they go only to the provider."""

    reader: User
    integration: Integration
    what: str
    object_type: log.ObjectType  # what it is about
    object_id: uuid.UUID
    parameters: Filters = field(default_factory=dict, repr=False)
    page: int = 1

    @property
    def key(self) -> uuid.UUID:
        """The same for the same question. Keyed, so that nobody can guess the parameters from it."""
        parameters = sorted(self.parameters.items())
        same = self.reader.pk, self.integration.pk, self.what, self.object_id, parameters, self.page
        digest = salted_hmac("linkadmin.sync.live_queries", repr(same), algorithm="sha256").digest()
        return uuid.UUID(bytes=digest[:16])


@dataclass(frozen=True, slots=True)
class QueryFailure:
    """Why there's no answer: an error's class and facts, without its traceback."""

    error: type[ProviderError]
    failure: Failure


@dataclass(slots=True)
class Reading(Generic[T]):
    """A question in progress, or its answer."""

    id: uuid.UUID = field(default_factory=uuid.uuid4)
    began_at: datetime = field(default_factory=timezone.now)
    found: T | None = field(default=None, repr=False)
    trouble: QueryFailure | None = None

    @property
    def is_running(self) -> bool:
        return self.found is None and self.trouble is None


def ask(question: Question, read: Callable[[Provider], T], *, seconds: float) -> Reading[T]:
    """Start reading from a provider, or return what the same reader asked within the last minute.

    Waits at most `seconds`, and not for a read in another process. Viewing provider records goes into the audit log.
    Raises `Refusal` if our own rules forbid the request.
    """
    ours: Reading[T] = Reading()
    reading = _find(question) or _claim(question, ours)
    if reading is ours:
        try:
            _begin(question, ours, read)
        except BaseException:  # nobody would answer it
            forget(question)
            raise
    call_pool.wait_for(reading.id, seconds)
    return reading if reading is ours else _find(question) or reading


def forget(question: Question) -> None:
    answer_cache.delete(question.key)


def _find(question: Question) -> Reading[T] | None:
    return cast(Reading[T] | None, answer_cache.find(question.key))


def _claim(question: Question, ours: Reading[T]) -> Reading[T]:
    # Long enough that a process that died can't be reading anymore.
    seconds = MAX_CALLS * settings.PROVIDER_READ_SECONDS + settings.LEASE_MARGIN_SECONDS
    if answer_cache.add(question.key, ours, seconds=seconds):
        return ours
    theirs: Reading[T] | None = _find(question)
    if theirs is not None:
        return theirs
    answer_cache.store(question.key, ours, seconds=seconds)  # over one that can't be read, as of another release
    return ours


def _store(question: Question, reading: Reading[T]) -> None:
    # The question may have been dropped in the meantime.
    current: Reading[T] | None = _find(question)
    if current is not None and current.id == reading.id:
        answer_cache.store(question.key, reading, seconds=SHOWN_SECONDS)


def _begin(question: Question, reading: Reading[T], read: Callable[[Provider], T]) -> None:
    if not question.integration.is_active:
        raise refusals.IntegrationOff
    with slots.slot_for(question.integration.pk, person=question.reader) as held:
        log.record(
            actor=question.reader,
            action=log.Action.PROVIDER_RECORDS_VIEWED,
            object_type=question.object_type,
            object_id=question.object_id,
            outcome=log.Outcome.DONE,
            details={"what": question.what, "integration": str(question.integration.pk), "page": question.page},
        )
        call_pool.start(reading.id, held, partial(_read, question, reading, read))


def _read(question: Question, reading: Reading[T], read: Callable[[Provider], T]) -> None:
    integration = question.integration
    try:
        reading.found = read(connections.client_for(integration))
    except ProviderError as error:
        reading.trouble = QueryFailure(type(error), error.failure)
    finally:
        if reading.is_running:
            reading.trouble = QueryFailure(OutcomeUnknown, Failure(f"{integration.provider}.read", reason="our_fault"))
        _store(question, reading)
