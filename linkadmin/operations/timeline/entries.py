"""The tables behind a timeline: how to read each around a key, and the text of its entries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from linkadmin.links.models import AssigneeChange, HealthChange, InstitutionChange, Link, Note
from linkadmin.links.presentation import badge_of
from linkadmin.operations.models import AttemptAllowance, Operation, State
from linkadmin.operations.presentation.explanations import explain
from linkadmin.providers.names import isolated
from linkadmin.providers.types import HealthState
from linkadmin.webhooks.models import DeliveryLink

LARGEST_ID = 2**63 - 1
LOOKS = {
    State.SUCCEEDED: ("ok", "check"),
    State.CONFIRMED_DONE: ("ok", "check"),
    State.CODE_ENTERED: ("quiet", "send"),
    State.NEEDS_CODE: ("warn", "message-square-lock"),
    State.SENDING: ("info", "send"),
    State.UNKNOWN: ("info", "circle-question-mark"),
    State.NEEDS_DECISION: ("warn", "circle-question-mark"),
    State.REJECTED: ("bad", "circle-x"),
}


@dataclass(frozen=True, slots=True)
class EntryText:
    """An entry in words: tone, icon, title, details, and a quotation."""

    tone: str
    icon: str
    title: str
    note: str = ""
    text: str = ""
    url: str = ""


def describe_change(change: HealthChange, *, see_names: bool) -> EntryText:
    look = badge_of(HealthState(change.new), str(change.verdict.reason))
    raw = " ".join(filter(None, [change.raw_status, change.raw_code]))
    return EntryText(look.tone, look.icon, look.label, _joined(look.reason, change.get_source_display(), raw))


def describe_operation(operation: Operation, *, see_names: bool) -> EntryText:
    tone, icon = LOOKS.get(State(operation.state), ("quiet", "circle-slash"))
    decided = _("resolved by %(name)s")
    note = _joined(
        isolated(operation.actor.display_name),
        operation.state_label,
        operation.get_asked_again_display(),
        str(explain(operation).title) if operation.state == State.REJECTED else "",
        f"HTTP {operation.http_status} {operation.code}" if operation.http_status else "",
        f"{operation.duration_ms / 1000:.1f} s" if operation.duration_ms else "",
        operation.request_id,
        decided % {"name": isolated(operation.decided_by.display_name)} if operation.decided_by else "",
    )
    return EntryText(tone, icon, operation.get_kind_display(), note, url=operation.get_absolute_url())


def describe_delivery(row: DeliveryLink, *, see_names: bool) -> EntryText:
    delivery = row.delivery
    times = ngettext("%(count)d time", "%(count)d times", delivery.copies) % {"count": delivery.copies}
    note = _joined(
        delivery.topic,
        row.get_outcome_display() or delivery.get_state_display(),
        times if delivery.copies > 1 else "",
        delivery.request_id,
    )
    return EntryText("info", "webhook", _("Webhook received"), note, url=delivery.get_absolute_url())


def describe_note(note: Note, *, see_names: bool) -> EntryText:
    # Staff write names into notes.
    text = note.words if see_names else _("Only people who can see customer names can read this note.")
    return EntryText(
        "quiet", "sticky-note", _("Note"), _joined(isolated(note.author.display_name), _of_job(note)), text
    )


def describe_assignee(change: AssigneeChange, *, see_names: bool) -> EntryText:
    title = _("Assigned to %(name)s") % {"name": isolated(change.new.display_name)} if change.new else _("Unassigned")
    before = _("previously %(name)s") % {"name": isolated(change.old.display_name)} if change.old else ""
    by = _("by %(name)s") % {"name": isolated(change.by.display_name)}
    return EntryText("quiet", "user", title, _joined(by, before, _of_job(change)))


def describe_institution(change: InstitutionChange, *, see_names: bool) -> EntryText:
    title = _("Moved to %(name)s") % {"name": isolated(change.new.display_name)}
    before = _("previously %(name)s") % {"name": isolated(change.old.display_name)} if change.old else ""
    return EntryText("info", "landmark", title, _joined(_("According to the provider's record"), before))


def describe_allowance(allowance: AttemptAllowance, *, see_names: bool) -> EntryText:
    note = _joined(isolated(allowance.allowed_by.display_name), isolated(allowance.reason))
    return EntryText("info", "key-round", _("One more attempt allowed"), note)


def _of_job(row: Note | AssigneeChange) -> str:
    return _("bulk action") if row.job_id else ""


def _joined(*facts: str) -> str:
    return " · ".join(filter(None, facts))


class Key(NamedTuple):
    """The position of an entry, stable for ever. IDs are compared within one kind only."""

    at: datetime
    kind: str
    id: Any  # int or UUID, depending on the kind


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of entry: its table and columns."""

    kind: str
    label: str | Promise
    icon: str
    rows: Callable[[Link], "QuerySet[Any]"]  # with everything its text needs
    at: str  # when it happened; never updated
    id: str
    describe: Callable[..., EntryText]
    read_id: Callable[[str], Any]  # raises ValueError

    def key_of(self, row: Any) -> Key:
        return Key(_attribute(row, self.at), self.kind, _attribute(row, self.id))

    def beyond(self, link: Link, key: Key | None, *, older: bool, inclusive: bool, limit: int) -> list[Any]:
        """The rows nearest to a key on one side of it; without a key, the newest or the oldest."""
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
            # The first condition is redundant, but it lets the database use an index.
            return Q(**{f"{self.at}__{side}e": key.at}) & (Q(**{f"{self.at}__{side}": key.at}) | same)
        # Entries of the same moment are ordered by kind.
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
        label=gettext_lazy("Status changes"),
        icon="circle-dashed",
        rows=lambda link: link.changes.all(),
        at="at",
        id="id",
        describe=describe_change,
        read_id=_number,
    ),
    Source(
        kind="operation",
        label=gettext_lazy("Operations"),
        icon="send",
        rows=lambda link: link.operations.select_related("actor", "decided_by"),
        at="created_at",
        id="id",
        describe=describe_operation,
        read_id=UUID,
    ),
    Source(
        kind="delivery",
        label=gettext_lazy("Webhooks"),
        icon="webhook",
        rows=lambda link: link.delivery_links.select_related("delivery"),
        at="delivery__received_at",
        id="delivery_id",
        describe=describe_delivery,
        read_id=UUID,
    ),
    Source(
        kind="note",
        label=gettext_lazy("Notes"),
        icon="sticky-note",
        rows=lambda link: link.notes.select_related("author", "shared"),
        at="at",
        id="id",
        describe=describe_note,
        read_id=UUID,
    ),
    Source(
        kind="assignee",
        label=gettext_lazy("Assignees"),
        icon="user",
        rows=lambda link: link.assignee_changes.select_related("by", "old", "new"),
        at="at",
        id="id",
        describe=describe_assignee,
        read_id=UUID,
    ),
    Source(
        kind="institution",
        label=gettext_lazy("Institutions"),
        icon="landmark",
        rows=lambda link: link.institution_changes.select_related("old", "new"),
        at="at",
        id="id",
        describe=describe_institution,
        read_id=UUID,
    ),
    Source(
        kind="allowance",
        label=gettext_lazy("Extra attempts"),
        icon="key-round",
        rows=lambda link: link.allowances.select_related("allowed_by"),
        at="allowed_at",
        id="id",
        describe=describe_allowance,
        read_id=UUID,
    ),
)
SOURCES: Mapping[str, Source] = {source.kind: source for source in _EVERY}
