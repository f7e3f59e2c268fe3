"""The tables behind a timeline: how to read each around a key, and the text of its entries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, LPad, NullIf
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from linkadmin.compiled_query import Row, Sql, as_sql, time_of
from linkadmin.ids import url_of
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import (
    AssigneeChange,
    HealthChange,
    InstitutionChange,
    Language,
    Note,
    RepairRequest,
    RepairStep,
)
from linkadmin.links.presentation import badge_of
from linkadmin.operations.challenges import AskedAgain
from linkadmin.operations.models import AttemptAllowance, Operation, OperationKind, State, state_words
from linkadmin.operations.presentation.explanations import explain
from linkadmin.providers.names import isolated
from linkadmin.providers.types import Cause, HealthState
from linkadmin.timestamps import duration_words
from linkadmin.webhooks.models import DeliveryLink, DeliveryOutcome, DeliveryState

LARGEST_ID = 2**63 - 1
MOST_FACTS = 13
ID_DIGITS = 19  # of LARGEST_ID
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

Step = RepairRequest.Step
STEP_ICONS = {
    Step.SENT: "send",
    Step.FETCHED: "inbox",
    Step.OPENED: "mail-open",
    Step.AT_PROVIDER: "landmark",
    Step.RETURNED: "refresh-cw",
    Step.NEW_NEEDED: "circle-slash",
    Step.FINISHED: "check",
    Step.LEFT: "log-out",
    Step.ENDED: "circle-slash",
}

Shown = tuple[str, ...]  # the facts of an entry, in the order its source names them


@dataclass(frozen=True, slots=True)
class EntryText:
    """An entry in words: tone, icon, title, details, and a quotation."""

    tone: str
    icon: str
    title: str
    note: str = ""
    text: str = ""
    url: str = ""


def describe_change(facts: Shown, *, see_names: bool) -> EntryText:
    new, cause, source, raw_status, raw_code = facts
    tone, icon, label, why = _look_of_change(new, cause, source, get_language())
    raw = " ".join(dict.fromkeys(filter(None, [raw_status, raw_code])))  # some are both
    return EntryText(tone, icon, label, _joined(why, raw))


@cache
def _look_of_change(state: str, cause: str, source: str, _language: str | None) -> Shown:
    look = badge_of(HealthState(state), str(VERDICTS[Cause(cause)].reason))
    return look.tone, look.icon, look.label, _joined(look.reason, str(HealthChange.Source(source).label))


def describe_operation(facts: Shown, *, see_names: bool) -> EntryText:
    pk, kind, state, outcome, cause, lease_until, asked_again, http_status, code, ms, request_id, actor, decided = facts
    tone, icon = LOOKS.get(State(state), ("quiet", "circle-slash"))
    ends = time_of(lease_until) if state == State.SENDING and lease_until else None
    note = _joined(
        isolated(actor),
        state_words(kind, state, outcome, is_lost=ends is not None and ends < timezone.now()),
        str(AskedAgain(asked_again).label) if asked_again else "",
        _title_of_rejection(kind, outcome, cause, int(http_status), get_language()) if state == State.REJECTED else "",
        f"HTTP {http_status} {code}" if http_status != "0" else "",
        duration_words(timedelta(milliseconds=int(ms))) if ms and ms != "0" else "",
        request_id,
        _("resolved by %(name)s") % {"name": isolated(decided)} if decided else "",
    )
    return EntryText(tone, icon, str(OperationKind(kind).label), note, url=url_of("operation-detail", UUID(pk)))


@lru_cache(maxsize=1000)
def _title_of_rejection(kind: str, outcome: str, cause: str, http_status: int, _language: str | None) -> str:
    # On a link's timeline, every operation has a link.
    rejected = {"kind": kind, "state": State.REJECTED, "outcome": outcome, "cause": cause, "http_status": http_status}
    return str(explain(Operation(**rejected, link_id=UUID(int=0))).title)


def describe_delivery(facts: Shown, *, see_names: bool) -> EntryText:
    pk, topic, outcome, state, copies, request_id = facts
    times = ngettext("%(count)d time", "%(count)d times", int(copies)) % {"count": int(copies)}
    result = DeliveryOutcome(outcome).label if outcome else DeliveryState(state).label
    note = _joined(topic, str(result), times if copies != "1" else "", request_id)
    return EntryText("info", "webhook", _("Webhook received"), note, url=url_of("delivery-detail", UUID(pk)))


def describe_note(facts: Shown, *, see_names: bool) -> EntryText:
    author, text, job = facts
    # Staff write names into notes.
    shown = text if see_names else _("Only people who can see customer names can read this note.")
    return EntryText("quiet", "sticky-note", _("Note"), _joined(isolated(author), _of_job(job)), shown)


def describe_assignee(facts: Shown, *, see_names: bool) -> EntryText:
    by, old, new, job = facts
    title = _("Assigned to %(name)s") % {"name": isolated(new)} if new else _("Unassigned")
    before = _("previously %(name)s") % {"name": isolated(old)} if old else ""
    return EntryText("quiet", "user", title, _joined(_("by %(name)s") % {"name": isolated(by)}, before, _of_job(job)))


def describe_institution(facts: Shown, *, see_names: bool) -> EntryText:
    old, new = facts
    before = _("previously %(name)s") % {"name": isolated(old)} if old else ""
    title = _("Moved to %(name)s") % {"name": isolated(new)}
    return EntryText("info", "landmark", title, _joined(_("According to the provider's record"), before))


def describe_allowance(facts: Shown, *, see_names: bool) -> EntryText:
    allowed_by, reason = facts
    return EntryText(
        "info", "key-round", _("One more attempt allowed"), _joined(isolated(allowed_by), isolated(reason))
    )


def describe_repair_step(facts: Shown, *, see_names: bool) -> EntryText:
    kind, end, by, channel, language, reason = facts
    tone = {Step.FETCHED: "quiet", Step.ENDED: "ok" if end == RepairRequest.End.COMPLETED else "quiet"}
    sent = (str(RepairRequest.Channel(channel).label), str(Language(language).label), isolated(reason))
    note = _joined(
        isolated(by),
        str(RepairRequest.End(end).label) if end else "",
        *(sent if kind == Step.SENT else ()),
    )
    return EntryText(tone.get(Step(kind), "info"), STEP_ICONS[Step(kind)], str(Step(kind).label), note)


def _of_job(job_id: str) -> str:
    return _("bulk action") if job_id else ""


def _joined(*facts: str) -> str:
    return " · ".join(filter(None, facts))


class Key(NamedTuple):
    """The position of an entry, stable for ever. IDs are compared within one kind only."""

    at: datetime
    kind: str
    id: Any  # int or UUID, depending on the kind


class Entry(NamedTuple):
    key: Key
    source: "Source"
    facts: Shown


def _as_text(column: str | Combinable) -> Combinable:
    return Cast(column, TextField())


def _name_of(person: str) -> Combinable:
    return Coalesce(NullIf(f"{person}__name", Value("")), f"{person}__username")


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of entry: its table and columns."""

    kind: str
    label: str | Promise
    icon: str
    rows: Callable[[UUID], "QuerySet[Any]"]  # of a link
    at: str  # when it happened; never updated
    id: str
    facts: tuple[str | Combinable, ...]  # what its text needs
    describe: Callable[..., EntryText]
    read_id: Callable[[str], Any]  # raises ValueError
    by_id: bool = False  # IDs sort by time, and an index sorts a link's rows by ID

    def nearest(self, link: UUID, key: Key | None, *, older: bool, inclusive: bool, limit: int) -> "QuerySet[Any]":
        """The rows nearest to a key on one side of it; without a key, the newest or the oldest."""
        rows = self.rows(link)
        if key is not None:
            rows = rows.filter(self._side_of(key, older=older, inclusive=inclusive))
        sign = "-" if older else ""
        order = [self.id] if self.by_id and key is None else [self.at, self.id]
        pk = LPad(_as_text(self.id), ID_DIGITS, Value("0")) if self.read_id is _number else _as_text(self.id)
        facts = [*map(_as_text, self.facts), *[Value("")] * (MOST_FACTS - len(self.facts))]
        return rows.order_by(*(f"{sign}{name}" for name in order)).values_list(self.at, Value(self.kind), pk, *facts)[
            :limit
        ]

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


_EVERY = (
    Source(
        kind="change",
        label=gettext_lazy("Status changes"),
        icon="circle-dashed",
        rows=lambda link: HealthChange.objects.filter(link=link),
        at="at",
        id="id",
        facts=("new", "cause", "source", "raw_status", "raw_code"),
        describe=describe_change,
        read_id=_number,
    ),
    Source(
        kind="operation",
        label=gettext_lazy("Operations"),
        icon="send",
        rows=lambda link: Operation.objects.filter(link=link),
        at="created_at",
        id="id",
        facts=(
            *("id", "kind", "state", "outcome", "cause", "lease_until", "asked_again", "http_status", "code"),
            *("duration_ms", "request_id", _name_of("actor"), _name_of("decided_by")),
        ),
        describe=describe_operation,
        read_id=UUID,
    ),
    Source(
        kind="delivery",
        label=gettext_lazy("Webhooks"),
        icon="webhook",
        rows=lambda link: DeliveryLink.objects.filter(link=link),
        at="delivery__received_at",
        id="delivery_id",
        facts=(
            *("delivery_id", "delivery__topic", "outcome", "delivery__state", "delivery__copies"),
            "delivery__request_id",
        ),
        describe=describe_delivery,
        read_id=UUID,
        by_id=True,
    ),
    Source(
        kind="note",
        label=gettext_lazy("Notes"),
        icon="sticky-note",
        rows=lambda link: Note.objects.filter(link=link),
        at="at",
        id="id",
        facts=(_name_of("author"), Coalesce("shared__text", "text"), "job_id"),
        describe=describe_note,
        read_id=UUID,
    ),
    Source(
        kind="assignee",
        label=gettext_lazy("Assignees"),
        icon="user",
        rows=lambda link: AssigneeChange.objects.filter(link=link),
        at="at",
        id="id",
        facts=(_name_of("by"), _name_of("old"), _name_of("new"), "job_id"),
        describe=describe_assignee,
        read_id=UUID,
    ),
    Source(
        kind="institution",
        label=gettext_lazy("Institutions"),
        icon="landmark",
        rows=lambda link: InstitutionChange.objects.filter(link=link),
        at="at",
        id="id",
        facts=("old__display_name", "new__display_name"),
        describe=describe_institution,
        read_id=UUID,
    ),
    Source(
        kind="allowance",
        label=gettext_lazy("Extra attempts"),
        icon="key-round",
        rows=lambda link: AttemptAllowance.objects.filter(link=link),
        at="allowed_at",
        id="id",
        facts=(_name_of("allowed_by"), "reason"),
        describe=describe_allowance,
        read_id=UUID,
    ),
    Source(
        kind="repair_request",
        label=gettext_lazy("Repair requests"),
        icon="mail-open",
        rows=lambda link: RepairStep.objects.filter(link=link),
        at="at",
        id="id",
        facts=("kind", "end", _name_of("by"), "request__channel", "request__language", "request__reason"),
        describe=describe_repair_step,
        read_id=_number,
    ),
)
SOURCES: Mapping[str, Source] = {source.kind: source for source in _EVERY}


def nearest(link: UUID, sources: Sequence[Source], key: Key | None, *, older: bool, inclusive: bool, limit: int) -> Sql:
    """The entries nearest to a key on one side of it, of all sources in one statement."""
    parts = [as_sql(source.nearest(link, key, older=older, inclusive=inclusive, limit=limit)) for source in sources]
    union = " UNION ALL ".join(
        f"SELECT * FROM ({sql}) AS {source.kind}_entries"  # noqa: S608 - our own names
        for source, (sql, _params) in zip(sources, parts, strict=True)
    )
    way = "DESC" if older else "ASC"
    params = tuple(param for _sql, params in parts for param in params)
    return f"{union} ORDER BY 1 {way}, 2 {way}, 3 {way} LIMIT {limit}", params


def entry_of(row: Row) -> Entry:
    at, kind, pk, *facts = row
    source = SOURCES[kind]
    moment = time_of(at)
    assert moment is not None  # noqa: S101 - for the types
    return Entry(
        Key(moment, kind, source.read_id(pk)), source, tuple(fact or "" for fact in facts[: len(source.facts)])
    )
