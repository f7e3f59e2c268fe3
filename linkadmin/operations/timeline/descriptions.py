"""What each kind of entry says: one function per table."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.links.models import AssigneeChange, HealthChange, InstitutionChange, Note
from linkadmin.links.presentation import badge_of
from linkadmin.operations.models import AttemptAllowance, Operation, State
from linkadmin.operations.presentation.explanations import explain
from linkadmin.providers.names import isolated
from linkadmin.providers.types import HealthState
from linkadmin.webhooks.models import DeliveryLink

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
    """An entry in words: a tone and an icon of the sprite, what happened, the facts of it, and what somebody wrote."""

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
    decided = _("decided by %(name)s")
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
    return EntryText("info", "webhook", _("Message of the provider"), note, url=delivery.get_absolute_url())


def describe_note(note: Note, *, see_names: bool) -> EntryText:
    """Tell a note. Staff write names into notes: who may not see names is told that there is one."""
    text = note.words if see_names else _("What it says is for those who may see names.")
    return EntryText(
        "quiet", "sticky-note", _("Note"), _joined(isolated(note.author.display_name), _of_job(note)), text
    )


def describe_assignee(change: AssigneeChange, *, see_names: bool) -> EntryText:
    title = (
        _("%(name)s looks after it") % {"name": isolated(change.new.display_name)}
        if change.new
        else _("Nobody owns it")
    )
    before = _("before: %(name)s") % {"name": isolated(change.old.display_name)} if change.old else ""
    by = _("by %(name)s") % {"name": isolated(change.by.display_name)}
    return EntryText("quiet", "user", title, _joined(by, before, _of_job(change)))


def describe_institution(change: InstitutionChange, *, see_names: bool) -> EntryText:
    title = _("Now at %(name)s") % {"name": isolated(change.new.display_name)}
    before = _("before: %(name)s") % {"name": isolated(change.old.display_name)} if change.old else ""
    return EntryText("info", "landmark", title, _joined(_("The provider's record says so"), before))


def describe_allowance(allowance: AttemptAllowance, *, see_names: bool) -> EntryText:
    note = _joined(isolated(allowance.allowed_by.display_name), isolated(allowance.reason))
    return EntryText("info", "key-round", _("One more attempt allowed"), note)


def _of_job(row: Note | AssigneeChange) -> str:
    return _("with other links at once") if row.job_id else ""


def _joined(*facts: str) -> str:
    return " · ".join(filter(None, facts))
