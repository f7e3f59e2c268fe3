"""How many links each person has in each state: exact at any time, like `counts`, and read in one statement."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum, UUIDField, Value

from linkadmin.compiled_query import CompiledQuery

from .counts import moved
from .models import CountMove, LinkTotal, StaffCount, StaffMove

NO_PERSON = Value(None, output_field=UUIDField())


@dataclass(frozen=True)
class StaffCounts:
    """Links of an environment by state."""

    total: Counter[str] = field(default_factory=Counter)
    assigned: defaultdict[UUID, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    mine: defaultdict[UUID, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    @cached_property
    def unassigned(self) -> Counter[str]:
        return self.total - sum(self.assigned.values(), Counter())


def read() -> dict[str, StaffCounts]:
    """By environment."""
    found = defaultdict[str, StaffCounts](StaffCounts)
    for pk, environment, of_assignee, state, links in _COUNTS.rows():
        if pk is None:
            found[environment].total[state] += links
        else:
            person = UUID(str(pk))
            found[environment].assigned[person][state] += of_assignee
            found[environment].mine[person][state] += links
    return found


def _stood_and_moved() -> "QuerySet[Any]":
    stood = StaffCount.objects.order_by().values_list("person", "environment", "assigned", "state", "mine")
    grouped = StaffMove.objects.order_by().values("person", "environment", "state")
    recent = grouped.annotate(a=Sum("assigned"), m=Sum("mine"))
    of_all = (NO_PERSON, "integration__environment", Value(0))
    totals = LinkTotal.objects.order_by().values_list(*of_all, "state", "links")
    return stood.union(
        recent.values_list("person", "environment", "a", "state", "m"),
        totals,
        *moved(CountMove.objects.all(), *of_all),
        all=True,
    )


_COUNTS = CompiledQuery(_stood_and_moved, types=())
