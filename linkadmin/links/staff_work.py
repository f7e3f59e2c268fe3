"""What staff record about links: notes and assignees."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, with_right
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.providers.names import clean_text

from . import staff_moves
from .models import AssigneeChange, Link, Note, NoteText

LONGEST_NOTE = 2000  # characters


class Overtaken(Exception):
    """Somebody else changed the assignee or account manager since the form was drawn."""


@transaction.atomic
def add_note(link: Link, *, by: User, text: str, job_id: UUID | None = None) -> Note:
    """In a bulk job, the note has no audit event and no text of its own; the job has both."""
    words = clean_text(text)[:LONGEST_NOTE]
    if job_id is not None:
        shared, _made = NoteText.objects.get_or_create(pk=job_id, defaults={"text": words})
        return Note.objects.create(link=link, author=by, shared=shared, job_id=job_id)
    note = Note.objects.create(link=link, author=by, text=words)
    record(
        actor=by,
        action=Action.NOTE_ADDED,
        object_type=ObjectType.LINK,
        object_id=link.pk,
        outcome=Outcome.DONE,
        details={"length": len(words)},
    )
    return note


@transaction.atomic
def assign(link: Link, *, by: User, assignee: User | None, job_id: UUID | None = None) -> AssigneeChange | None:
    """None if nothing changed. In a bulk job there is no audit event per link; the job has one."""
    before = staff_moves.locked(Link.objects.filter(pk=link.pk))[0]
    old, new = before.assignee, assignee.pk if assignee else None
    if old == new:
        return None
    change = AssigneeChange.objects.create(link=link, by=by, old_id=old, new_id=new, job_id=job_id)
    Link.objects.filter(pk=link.pk).update(assignee=assignee)
    staff_moves.note([(before, before._replace(assignee=new))])
    link.assignee = assignee
    if job_id is None:
        record(
            actor=by,
            action=Action.LINK_ASSIGNED,
            object_type=ObjectType.LINK,
            object_id=link.pk,
            outcome=Outcome.DONE,
            details={"assignee": str(new or "")},
        )
    return change


@transaction.atomic
def assign_if_unchanged(link: Link, *, by: User, assignee: User | None, was: UUID | None) -> AssigneeChange | None:
    """Raises `Overtaken` if the link is no longer assigned to `was`, as the form showed."""
    if Link.objects.select_for_update(no_key=True).only("assignee").get(pk=link.pk).assignee_id != was:
        raise Overtaken
    return assign(link, by=by, assignee=assignee)


def possible_assignees() -> "QuerySet[User]":
    return User.objects.filter(is_active=True, roles__in=with_right(Right.REFRESH)).order_by("name", "username")
