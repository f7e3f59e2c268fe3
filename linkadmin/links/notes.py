"""What staff write down about links."""

from uuid import UUID

from django.db import transaction

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.providers.names import clean_text

from .models import Link, Note, NoteText

LONGEST = 2000  # characters


@transaction.atomic
def add_note(link: Link, *, by: User, text: str, job_id: UUID | None = None) -> Note:
    """Write a note down. As a part of bulk work it has no event of its own, and no copy of the words: the work has."""
    words = clean_text(text)[:LONGEST]
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
