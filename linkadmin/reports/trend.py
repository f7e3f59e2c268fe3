"""How many links waited on whom at the end of each of the last 90 days, and now."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date

from django.utils import timezone

from linkadmin.links import counts
from linkadmin.links.causes import Group
from linkadmin.links.queries import standing

DAYS = 90
WEEK = 7


@dataclass(frozen=True, slots=True)
class Trend:
    """Links by state for each day (UTC), oldest first. The last day is today, until now."""

    today: date
    by_state: Mapping[str, list[int]]

    def of(self, group: Group) -> tuple[int, ...]:
        found = [self.by_state[state.value] for state in group.states if state.value in self.by_state]
        return tuple(map(sum, zip(*found, strict=True))) if found else (0,) * DAYS

    def active(self, *, days_ago: int = 0) -> int:
        return standing(Counter({state: links[-1 - days_ago] for state, links in self.by_state.items()})).total()

    @property
    def since_monday(self) -> int:
        """Days since the last Monday before today."""
        return self.today.weekday() or WEEK


def read_trend(environment: str) -> Trend:
    today = timezone.now().astimezone(UTC).date()
    return Trend(today, counts.trend(DAYS, environment, today=today))
