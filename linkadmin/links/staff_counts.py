"""How many links each person has in each state: exact at any time, like `counts`, and read in one statement."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum, UUIDField, Value

from linkadmin.compiled_query import CompiledQuery

from .counts import moved
from .models import CountMove, LinkTotal, StaffCount, StaffMove

NO_PERSON = Value(None, output_field=UUIDField())


@dataclass(frozen=True, slots=True)
class StaffCounts:
    """Links by state."""

    unassigned: Counter[str]
    assigned: dict[UUID, Counter[str]]
    mine: dict[UUID, Counter[str]]


def read() -> StaffCounts:
    total = Counter[str]()
    assigned, mine = defaultdict[UUID, Counter[str]](Counter), defaultdict[UUID, Counter[str]](Counter)
    for pk, of_assignee, state, links in _COUNTS.rows():
        if pk is None:
            total[state] += links
        else:
            person = UUID(str(pk))
            assigned[person][state] += of_assignee
            mine[person][state] += links
    return StaffCounts(total - sum(assigned.values(), Counter()), assigned, mine)


def _stood_and_moved() -> "QuerySet[Any]":
    stood = StaffCount.objects.order_by().values_list("person", "assigned", "state", "mine")
    grouped = StaffMove.objects.order_by().values("person", "state").annotate(a=Sum("assigned"), m=Sum("mine"))
    totals = LinkTotal.objects.order_by().values_list(NO_PERSON, Value(0), "state", "links")
    of_all = moved(CountMove.objects.all(), NO_PERSON, Value(0))
    return stood.union(grouped.values_list("person", "a", "state", "m"), totals, *of_all, all=True)


_COUNTS = CompiledQuery(_stood_and_moved, types=())
