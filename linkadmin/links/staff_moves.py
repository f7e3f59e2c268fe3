"""Pending changes to staff counts: written in the transaction that changes a link, added to the counts later."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from .models import Link, StaffMove


class PersonsState(NamedTuple):
    """What a row of the counts is about."""

    person_id: UUID
    environment: str
    state: str


class StaffKey(NamedTuple):
    """What a link is counted under."""

    environment: str
    state: str
    assignee: UUID | None
    manager: UUID | None

    def counted(self) -> Iterator[tuple[PersonsState, int]]:
        """For each person the link counts for: 1 for the assignee, 0 for the account manager of its customer."""
        for person in {self.assignee, self.manager}:
            if person is not None:
                yield PersonsState(person, self.environment, self.state), int(person == self.assignee)


def locked(links: "QuerySet[Link]") -> list[StaffKey]:
    """Lock links in the order everyone does."""
    rows = links.order_by("pk").select_for_update(no_key=True)
    found = rows.only("environment", "health", "verifying_since", "assignee", "account_manager")
    return [StaffKey(link.environment, link.shown_state, link.assignee_id, link.account_manager_id) for link in found]


def note(changed: Iterable[tuple[StaffKey | None, StaffKey]]) -> None:
    """Call it in the transaction of the change, with each link's key before and after it. None is a new link."""
    assigned, mine = Counter[PersonsState](), Counter[PersonsState]()
    for before, after in changed:
        for key, sign in ((before, -1), (after, 1)):
            for theirs, is_assigned in key.counted() if key else ():
                assigned[theirs] += sign * is_assigned
                mine[theirs] += sign
    moves = [
        StaffMove(**key._asdict(), assigned=assigned[key], mine=links)
        for key, links in mine.items()
        if links or assigned[key]
    ]
    StaffMove.objects.bulk_create(moves)
