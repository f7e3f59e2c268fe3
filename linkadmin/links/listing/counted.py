"""How many links a filter finds, where the counts tell. No links are counted for it."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from uuid import UUID

from linkadmin.accounts.models import User
from linkadmin.links import counts
from linkadmin.links.queries import portfolio_of

from .filters import MINE, NOBODY, LinkFilter, shown_states
from .known import PORTFOLIO_COUNTS, STAFF_COUNTS

BY_PERSON = {"assigned", "state", "sort"}
BY_PLACE = {"integration", "institution", "state", "sort"}


def links_by_state(chosen: LinkFilter, reader: User) -> Counter[str] | None:
    """Links that meet the filter, whatever their state. None if the counts can't answer this."""
    if portfolio_of(reader):
        is_all = chosen.names <= BY_PERSON and chosen.assignee in ("", MINE)
        return own(reader, chosen.environment) if is_all else None
    if chosen.assignee and chosen.names <= BY_PERSON:
        return _found_by(chosen.assignee, reader, chosen.environment)
    if not chosen.names <= BY_PLACE:
        return None
    if chosen.integration or chosen.institution:
        return counts.current(integration=chosen.integration, institution=chosen.institution)
    return counts.in_environment(chosen.environment)


def own(reader: User, environment: str) -> Counter[str]:
    """Links that the filter calls "Mine"."""
    if portfolio_of(reader):
        return PORTFOLIO_COUNTS.get(environment, str(reader.pk))
    return STAFF_COUNTS.get()[environment].mine.get(reader.pk, Counter())


def by_assignee(chosen: LinkFilter, assignees: Iterable[str], reader: User) -> dict[str, int | None]:
    """Links for each value of the filter by assignee, instead of the chosen one."""
    if portfolio_of(reader) or not chosen.names <= BY_PERSON:
        return {}
    return {each: in_states(_found_by(each, reader, chosen.environment), chosen.states) for each in assignees}


def in_states(by_state: Counter[str] | None, states: Iterable[str]) -> int | None:
    """How many of the links are in one of these states of the filter; without any, all."""
    if by_state is None:
        return None
    shown = [shown_states(value) for value in states]
    if None in shown:
        return None
    return sum(by_state[state] for state in {*chain(*filter(None, shown))}) if shown else by_state.total()


def _found_by(assignee: str, reader: User, environment: str) -> Counter[str]:
    if assignee == MINE:
        return own(reader, environment)
    staff = STAFF_COUNTS.get()[environment]
    return staff.unassigned if assignee == NOBODY else staff.assigned.get(UUID(assignee), Counter())
