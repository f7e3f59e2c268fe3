"""How many links a filter finds, where the counts tell. No links are counted for it."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from uuid import UUID

from linkadmin.accounts.models import User
from linkadmin.links import counts

from .filters import MINE, NOBODY, LinkFilter, shown_states
from .known import STAFF_COUNTS

BY_PERSON = {"assigned", "state", "sort"}
BY_PLACE = {"integration", "institution", "state", "sort"}


def counted(chosen: LinkFilter, by_state: Counter[str], reader: User) -> int | None:
    """`by_state` counts all links. None if the stored counts can't answer this."""
    if chosen.assignee and chosen.names <= BY_PERSON:
        return _shown(chosen, _found_by(chosen.assignee, reader))
    if not chosen.names <= BY_PLACE:
        return None
    if chosen.integration or chosen.institution:
        by_state = counts.current(integration=chosen.integration, institution=chosen.institution)
    return _shown(chosen, by_state)


def by_assignee(chosen: LinkFilter, assignees: Iterable[str], reader: User) -> dict[str, int | None]:
    """The same for each value of the filter by assignee, instead of the chosen one."""
    if not chosen.names <= BY_PERSON:
        return {}
    return {each: _shown(chosen, _found_by(each, reader)) for each in assignees}


def _found_by(assignee: str, reader: User) -> Counter[str]:
    staff = STAFF_COUNTS.get()
    if assignee == MINE:
        return staff.mine.get(reader.pk, Counter())
    return staff.unassigned if assignee == NOBODY else staff.assigned.get(UUID(assignee), Counter())


def _shown(chosen: LinkFilter, by_state: Counter[str]) -> int | None:
    """How many of the links are in a chosen state."""
    states = [shown_states(value) for value in chosen.states]
    if None in states:
        return None
    return sum(by_state[state] for state in {*chain(*filter(None, states))}) if states else by_state.total()
