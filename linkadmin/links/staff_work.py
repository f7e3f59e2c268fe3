"""What staff do about links among themselves: they write notes, and say who looks after one."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import MATRIX, Right
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.providers.names import clean_text

from .models import AssigneeChange, Link, Note, NoteText

LONGEST_NOTE = 2000  # characters


class Overtaken(Exception):
    """Somebody else handed the link over since the choice was offered."""


@transaction.atomic
def add_note(link: Link, *, by: User, text: str, job_id: UUID | None = None) -> Note:
    """Write a note down. As a part of bulk work it has no event of its own, and no copy of the words: the work has."""
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
    """Hand a link over to an assignee, or to nobody; None if that is how it stood already.

    As a part of bulk work it has no event of its own: the work has one.
    """
    old = Link.objects.select_for_update(no_key=True).only("assignee").get(pk=link.pk).assignee_id
    new = assignee.pk if assignee else None
    if old == new:
        return None
    change = AssigneeChange.objects.create(link=link, by=by, old_id=old, new_id=new, job_id=job_id)
    Link.objects.filter(pk=link.pk).update(assignee=assignee)
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
    """Hand a link over that belongs to `was`, as the one who chose saw it. Raises `Overtaken` if it does not."""
    if Link.objects.select_for_update(no_key=True).only("assignee").get(pk=link.pk).assignee_id != was:
        raise Overtaken
    return assign(link, by=by, assignee=assignee)


def possible_assignees() -> "QuerySet[User]":
    """Return the staff who can look after links, by name."""
    roles = [role for role, rights in MATRIX.items() if Right.REFRESH in rights]
    return User.objects.filter(is_active=True, role__in=roles).order_by("name", "username")
