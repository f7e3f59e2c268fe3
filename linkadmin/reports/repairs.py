"""What came of the last week's repairs: how many links work again, how soon, and how many codes expired."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from linkadmin.compiled_query import CompiledQuery, Row, time_of
from linkadmin.links.listing.known import Kept
from linkadmin.links.models import HealthChange
from linkadmin.operations.models import LOGIN_KINDS, Operation, OperationKind, State
from linkadmin.providers.types import HealthState

PERIOD = timedelta(days=7)
MOST_READ = 500  # latest operations
REPAIRS = (OperationKind.UPDATE_CREDENTIALS, OperationKind.REPLACE_TOKEN)


@dataclass(frozen=True, slots=True)
class Repairs:
    """Several attempts on one link are one repair."""

    tried: int
    repaired: int
    median: timedelta | None  # from the first attempt until a status check confirmed it
    expired: int  # codes
    is_of_latest: bool  # there were more than are read

    most_read = MOST_READ

    @property
    def share(self) -> int:
        return round(100 * self.repaired / self.tried) if self.tried else 0


def _read(environment: str) -> Repairs:
    since = timezone.now() - PERIOD
    attempts = _REPAIRS.rows(environment, since)
    took = list(_durations(attempts))
    done = [each for each in took if each is not None]
    middle = timedelta(seconds=median(each.total_seconds() for each in done)) if done else None
    return Repairs(len(took), len(done), middle, len(_EXPIRED.rows(environment, since)), len(attempts) == MOST_READ)


def _durations(rows: Iterable[Row]) -> Iterable[timedelta | None]:
    """How long each link's repair took. None: it doesn't work yet."""
    first: dict[Any, Row] = {}
    for link, created_at, worked_at in rows:  # the latest first
        first[link] = created_at, worked_at
    return (_between(*times) for times in first.values())


def _between(created_at: Any, worked_at: Any) -> timedelta | None:
    created, worked = time_of(created_at), time_of(worked_at)
    return worked - created if created and worked else None


def _since(environment: str, since: datetime) -> "QuerySet[Operation]":
    return Operation.objects.filter(created_at__gte=since, integration__environment=environment)


def _repairs(environment: str, since: datetime) -> "QuerySet[Any]":
    works = HealthChange.objects.filter(link=OuterRef("link"), at__gte=OuterRef("created_at"))
    worked = works.filter(new=HealthState.HEALTHY.value).order_by("at").values("at")[:1]
    tried = _since(environment, since).filter(kind__in=REPAIRS, link__isnull=False)
    return tried.order_by("-created_at", "-id").values_list("link", "created_at", Subquery(worked))[:MOST_READ]


def _expired(environment: str, since: datetime) -> "QuerySet[Any]":
    found = _since(environment, since).filter(state=State.EXPIRED, kind__in=LOGIN_KINDS)
    return found.exclude(outcome="withdrawn").order_by("-created_at", "-id").values_list("pk")[:MOST_READ]


_REPAIRS = CompiledQuery(_repairs, types=(str, datetime))
_EXPIRED = CompiledQuery(_expired, types=(str, datetime))
REPAIRS_OF_THE_WEEK = Kept(_read, times_as_long=30)
