"""The tables that a timeline is made of, and how each gives the rows on one side of a key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.links.models import Link

from . import descriptions
from .descriptions import EntryText

LARGEST_ID = 2**63 - 1


class Key(NamedTuple):
    """The place of an entry in the timeline, the same for ever. Ids are compared within one kind only."""

    at: datetime
    kind: str
    id: Any  # a number or a UUID, by its kind


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of entry: a table, by the names of its columns."""

    kind: str
    label: str | Promise
    icon: str
    rows: Callable[[Link], "QuerySet[Any]"]  # with all that its description needs
    at: str  # when it happened; never changed afterwards
    id: str
    describe: Callable[..., EntryText]
    read_id: Callable[[str], Any]  # raises ValueError

    def key_of(self, row: Any) -> Key:
        return Key(_attribute(row, self.at), self.kind, _attribute(row, self.id))

    def beyond(self, link: Link, key: Key | None, *, older: bool, inclusive: bool, limit: int) -> list[Any]:
        """Return the rows nearest to a key on one side of it; without one, the latest or the first of all."""
        rows = self.rows(link)
        if key is not None:
            rows = rows.filter(self._side_of(key, older=older, inclusive=inclusive))
        sign = "-" if older else ""
        return list(rows.order_by(f"{sign}{self.at}", f"{sign}{self.id}")[:limit])

    def _side_of(self, key: Key, *, older: bool, inclusive: bool) -> Q:
        side = "lt" if older else "gt"
        if self.kind == key.kind:
            reach = f"{side}e" if inclusive else side
            same = Q(**{self.at: key.at, f"{self.id}__{reach}": key.id})
            # The first condition, though the second says it all, is what an index can walk.
            return Q(**{f"{self.at}__{side}e": key.at}) & (Q(**{f"{self.at}__{side}": key.at}) | same)
        # Of what happened at the very same time, the kinds stand in the order of their names.
        at_once = self.kind < key.kind if older else self.kind > key.kind
        return Q(**{f"{self.at}__{side}e" if at_once else f"{self.at}__{side}": key.at})


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number <= LARGEST_ID:
        raise ValueError(text)
    return number


def _attribute(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


_EVERY = (
    Source(
        kind="change",
        label=_("Changes of state"),
        icon="circle-dashed",
        rows=lambda link: link.changes.all(),
        at="at",
        id="id",
        describe=descriptions.describe_change,
        read_id=_number,
    ),
    Source(
        kind="operation",
        label=_("Operations"),
        icon="send",
        rows=lambda link: link.operations.select_related("actor", "decided_by"),
        at="created_at",
        id="id",
        describe=descriptions.describe_operation,
        read_id=UUID,
    ),
    Source(
        kind="delivery",
        label=_("Messages"),
        icon="webhook",
        rows=lambda link: link.delivery_links.select_related("delivery"),
        at="delivery__received_at",
        id="delivery_id",
        describe=descriptions.describe_delivery,
        read_id=UUID,
    ),
    Source(
        kind="note",
        label=_("Notes"),
        icon="sticky-note",
        rows=lambda link: link.notes.select_related("author", "shared"),
        at="at",
        id="id",
        describe=descriptions.describe_note,
        read_id=UUID,
    ),
    Source(
        kind="assignee",
        label=_("Owners"),
        icon="user",
        rows=lambda link: link.assignee_changes.select_related("by", "old", "new"),
        at="at",
        id="id",
        describe=descriptions.describe_assignee,
        read_id=UUID,
    ),
    Source(
        kind="institution",
        label=_("Institutions"),
        icon="landmark",
        rows=lambda link: link.institution_changes.select_related("old", "new"),
        at="at",
        id="id",
        describe=descriptions.describe_institution,
        read_id=UUID,
    ),
    Source(
        kind="allowance",
        label=_("Allowed attempts"),
        icon="key-round",
        rows=lambda link: link.allowances.select_related("allowed_by"),
        at="allowed_at",
        id="id",
        describe=descriptions.describe_allowance,
        read_id=UUID,
    ),
)
SOURCES: Mapping[str, Source] = {source.kind: source for source in _EVERY}
