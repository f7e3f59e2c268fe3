"""How many links an account manager's customers have in each state. Staff counts add those that are assigned to them.

An index counts them by rank. Of the ranks that several states share, the links are read.
"""

from collections import Counter
from typing import Any
from uuid import UUID

from django.db.models import CharField, Count, QuerySet, Value
from django.db.models.functions import Cast

from linkadmin.compiled_query import CompiledQuery
from linkadmin.links.causes import VERIFYING_LOOK, ranks_of
from linkadmin.links.models import VERIFYING, Link
from linkadmin.providers.types import HealthState

STATE_OF = {rank: state.value for state in HealthState for rank in ranks_of(state)}
SHARED = sorted(rank for rank in STATE_OF if sum(rank in ranks_of(state) for state in HealthState) > 1)


def read(environment: str, manager: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for state, rank, links in _COUNTS.rows(*(UUID(manager), environment) * 3):
        found[state or STATE_OF[rank]] += links
    found[STATE_OF[VERIFYING_LOOK.rank]] -= found[VERIFYING]  # they have the same rank
    return found


def _counts(*keys: Any) -> "QuerySet[Any]":
    ranks, shared, verifying = (
        Link.objects.filter(account_manager=manager, environment=environment).order_by()
        for manager, environment in zip(keys[::2], keys[1::2], strict=True)
    )
    return _counted(ranks.exclude(urgency__in=SHARED), Value("")).union(
        _counted(shared.filter(urgency__in=SHARED), Cast("health", CharField())),
        _counted(verifying.filter(urgency=VERIFYING_LOOK.rank, verifying_since__isnull=False), Value(VERIFYING)),
        all=True,
    )


def _counted(links: "QuerySet[Link]", state: Any) -> "QuerySet[Any]":
    counted: QuerySet[Any] = links.values("urgency", state=state).annotate(n=Count("*"))
    return counted.values_list("state", "urgency", "n")


_COUNTS = CompiledQuery(_counts, types=(UUID, str) * 3)
