"""Everything that happened to a link, newest first: what we did and what was observed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from linkadmin.links.models import HealthChange, Link
from linkadmin.links.presentation import Moment, badge_of, moment
from linkadmin.providers.types import HealthState

from .explanations import explain
from .models import AttemptAllowance, Operation, OperationKind, State

SHOWN = 50
CODE_WANTED = 428  # the HTTP status by which a bank asks for a code, or asks again
LOOKS = {
    State.SUCCEEDED: ("ok", "check"),
    State.CONFIRMED_DONE: ("ok", "check"),
    State.ANSWERED: ("quiet", "send"),
    State.NEEDS_TOKEN: ("warn", "message-square-lock"),
    State.SENDING: ("info", "send"),
    State.UNKNOWN: ("info", "circle-question-mark"),
    State.UNDECIDED: ("warn", "circle-question-mark"),
    State.REJECTED: ("bad", "circle-x"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    anchor: str
    at: datetime
    when: Moment
    tone: str
    icon: str
    title: str
    note: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    label: str
    entries: list[Entry]


def timeline_of(link: Link) -> list[Day]:
    """Return the latest entries of a link by day, as the reader's clock cuts days."""
    changes = link.changes.order_by("-at", "-id")[:SHOWN]
    operations = Operation.objects.with_names().filter(link=link).order_by("-prepared_at")[:SHOWN]
    allowances = link.allowances.select_related("allowed_by").order_by("-allowed_at")[:SHOWN]
    entries = [
        *(_of_change(each) for each in changes),
        *(_of_operation(each) for each in operations),
        *(_of_allowance(each) for each in allowances),
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return list(_by_day(entries[:SHOWN]))


def _of_change(change: HealthChange) -> Entry:
    look = badge_of(HealthState(change.new), str(change.verdict.reason))
    raw = " ".join(filter(None, [change.raw_status, change.raw_code]))
    note = " · ".join(filter(None, [look.reason, change.get_source_display(), raw]))
    return Entry(f"change-{change.pk}", change.at, _clock(change.at), look.tone, look.icon, look.label, note)


def _of_operation(operation: Operation) -> Entry:
    tone, icon = LOOKS.get(State(operation.state), ("quiet", "circle-slash"))
    facts = [
        operation.actor.display_name,
        operation.state_label,
        _("the code was wrong") if _was_wrong_code(operation) else "",
        explain(operation).title if operation.state == State.REJECTED else "",
        f"HTTP {operation.http_status} {operation.code}" if operation.http_status else "",
        f"{operation.duration_ms / 1000:.1f} s" if operation.duration_ms else "",
    ]
    note = " · ".join(filter(None, facts))
    at = operation.began_at
    title = operation.get_kind_display()
    return Entry(f"operation-{operation.pk}", at, _clock(at), tone, icon, title, note, operation.get_absolute_url())


def _of_allowance(allowance: AttemptAllowance) -> Entry:
    at, note = allowance.allowed_at, f"{allowance.allowed_by.display_name} · {allowance.reason}"
    return Entry(f"allowance-{allowance.pk}", at, _clock(at), "info", "key-round", _("One more attempt allowed"), note)


def _was_wrong_code(operation: Operation) -> bool:
    return operation.kind == OperationKind.SUBMIT_TOKEN and operation.http_status == CODE_WANTED


def _by_day(entries: list[Entry]) -> Iterator[Day]:
    today = timezone.localdate()
    for day, group in groupby(entries, key=lambda entry: timezone.localdate(entry.at)):
        days = (today - day).days
        label = _("Today") if days == 0 else _("Yesterday") if days == 1 else date_format(day, "j M Y")
        yield Day(label, list(group))


def _clock(at: datetime) -> Moment:
    shown = moment(at)
    assert shown is not None  # noqa: S101 - an entry has a time
    return Moment(shown.iso, f"{timezone.localtime(at):%H:%M:%S}", shown.exact)
