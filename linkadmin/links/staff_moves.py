"""Pending changes to staff counts: written in the transaction that changes a link, added to the counts later."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from .models import Link, StaffMove


class StaffKey(NamedTuple):
    """What a link is counted under."""

    state: str
    assignee: UUID | None
    manager: UUID | None

    def counted(self) -> Iterator[tuple[tuple[UUID, str], int]]:
        """Each person the link counts for: 1 for the assignee, 0 for the account manager of its customer."""
        people = {self.assignee, self.manager}
        return (((person, self.state), int(person == self.assignee)) for person in people if person is not None)


def locked(links: "QuerySet[Link]") -> list[StaffKey]:
    """Lock links in the order everyone does."""
    rows = links.order_by("pk").select_for_update(no_key=True)
    found = rows.only("health", "verifying_since", "assignee", "account_manager")
    return [StaffKey(link.shown_state, link.assignee_id, link.account_manager_id) for link in found]


def note(changed: Iterable[tuple[StaffKey | None, StaffKey]]) -> None:
    """Call it in the transaction of the change, with each link's key before and after it. None is a new link."""
    assigned, mine = Counter[tuple[UUID, str]](), Counter[tuple[UUID, str]]()
    for before, after in changed:
        for key, sign in ((before, -1), (after, 1)):
            for theirs, is_assigned in key.counted() if key else ():
                assigned[theirs] += sign * is_assigned
                mine[theirs] += sign
    moves = [
        StaffMove(person_id=person, state=state, assigned=assigned[person, state], mine=links)
        for (person, state), links in mine.items()
        if links or assigned[person, state]
    ]
    StaffMove.objects.bulk_create(moves)
