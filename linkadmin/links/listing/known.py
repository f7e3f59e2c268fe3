"""What every list names, and how many links each person has: kept in each process, at most two seconds old.

So a list reads only its links and their customers. What hardly changes and takes long to read is kept longer.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from django.db.models import Model

from linkadmin.accounts.models import Environment, User
from linkadmin.compiled_query import Loaded
from linkadmin.integrations.models import Integration
from linkadmin.links import staff_counts
from linkadmin.links.models import Institution, Link

from . import portfolio_counts

FRESH_SECONDS = 2.0
MOST_KEPT = 10_000  # rows of a model

Row = TypeVar("Row", bound=Model)
Read = TypeVar("Read")


class Kept(Generic[Read]):
    """For each environment, if it depends on that."""

    def __init__(self, read: Callable[..., Read], *, times_as_long: int = 1) -> None:
        self._read = read
        self._times_as_long = times_as_long
        self._kept: dict[tuple[str, ...], tuple[float, Read]] = {}

    def get(self, *environment: str) -> Read:
        kept = self._kept.get(environment)
        if kept is None or _is_old(kept[0], FRESH_SECONDS * self._times_as_long):
            kept = self._kept[environment] = time.monotonic(), self._read(*environment)
        return kept[1]


class Known(Generic[Row]):
    def __init__(self, model: type[Row], *order: str) -> None:
        self.model = model
        self.order = order
        self._all: tuple[float, dict[UUID, Row]] | None = None
        self._some: dict[UUID, tuple[float, Row]] = {}

    def all(self, *needed: UUID) -> Mapping[UUID, Row]:
        """In order. For models with few rows. Reads them again if a needed one may be new."""
        kept = self._all
        if kept is None or _is_old(kept[0]) or not kept[1].keys() >= {*needed}:
            rows = self.model._default_manager.order_by(*self.order)
            kept = self._all = time.monotonic(), {row.pk: row for row in rows}
        return kept[1]

    def some(self, pks: Iterable[UUID | None]) -> Mapping[UUID, Row]:
        wanted = {pk for pk in pks if pk is not None}
        fresh = {pk: kept[1] for pk in wanted if (kept := self._some.get(pk)) and not _is_old(kept[0])}
        old = list(wanted - fresh.keys())
        found = self.model._default_manager.in_bulk(old) if old else {}
        if len(self._some) + len(found) > MOST_KEPT:
            self._some = {}
        now = time.monotonic()
        self._some |= {pk: (now, row) for pk, row in found.items()}
        return fresh | found


INTEGRATIONS = Known(Integration, "name", "pk")
STAFF = Known(User, "name", "username")
INSTITUTIONS = Known(Institution)
STAFF_COUNTS = Kept(staff_counts.read)
PORTFOLIO_COUNTS = Kept(portfolio_counts.read)  # for each account manager, too


Names: TypeAlias = tuple[Integration, Institution | None, User | None]  # the last is its assignee


def environments() -> set[str]:
    """Those that any integration has."""
    return {each.environment for each in INTEGRATIONS.all().values()}


def environment_of(reader: User) -> str:
    """The environment whose lists and counts they see: the one they chose; before that, production if there is any."""
    return chosen_of(environments(), reader)


def chosen_of(existing: set[str], reader: User) -> str:
    if reader.environment in existing:
        return reader.environment
    return Environment.SANDBOX if existing == {Environment.SANDBOX} else Environment.PRODUCTION


def integrations_in(environment: str) -> dict[UUID, Integration]:
    return {pk: each for pk, each in INTEGRATIONS.all().items() if each.environment == environment}


def companion_of(integration: Integration) -> Integration | None:
    """The one whose page customers repair its links on, if any."""
    known = INTEGRATIONS.all(integration.pk).values()
    return next((each for each in known if each.companion_of_id == integration.pk and each.is_active), None)


def names_of(links: Loaded[Link]) -> list[Names]:
    """Each link's related rows that lists show, except its customer. Without queries if they're already known."""
    keys = list(zip(*(links.values(name) for name in ("integration_id", "institution_id", "assignee_id")), strict=True))
    some = set(keys)
    integrations = INTEGRATIONS.all(*{integration for integration, _bank, _assignee in some})
    banks = INSTITUTIONS.some(bank for _integration, bank, _assignee in some)
    staff = STAFF.all(*{assignee for _integration, _bank, assignee in some if assignee})
    named = {key: (integrations[key[0]], banks.get(key[1]), staff.get(key[2])) for key in some}
    return [named[key] for key in keys]


def _is_old(read_at: float, fresh_seconds: float | None = None) -> bool:
    return time.monotonic() - read_at > (FRESH_SECONDS if fresh_seconds is None else fresh_seconds)
