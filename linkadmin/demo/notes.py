"""Notes of the demo's staff, and how links got their assignees."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from linkadmin.links.models import AssigneeChange, Note
from linkadmin.providers.types import HealthState

from .casting import id_of
from .lives import Life
from .names import OWNERS

MANAGER = "manager"
NOTES = (
    "Called them: their accountant has the bank's device, back on Monday.",
    "Emailed them the steps. They'll do it this week.",
    "They're switching to the bank's new app. Wait until they have it.",
    "Spoke with the owner: she reads out the codes herself, best after 4 p.m.",
    "Second time this quarter. If it happens again, offer to reconnect.",
    "They moved to another branch: same username, new device.",
)
NOTED = 0.7  # share of the links that don't work
NOTED_LONG_AGO = 0.08  # share of those that do
TAKEN_OVER = 0.4  # share of the assigned links that came from a colleague


def note_rows(life: Life, *, now: datetime) -> Iterator[Note]:
    """Oldest first."""
    rng = _chance(life, "notes")
    works = life.history.changes[-1].new == HealthState.HEALTHY
    if rng.random() >= (NOTED_LONG_AGO if works else NOTED):
        return
    since = life.link.created_at if works else life.history.since
    author = id_of("staff", life.assignee or rng.choice(OWNERS))
    for number, text in enumerate(rng.sample(NOTES, rng.choice((1, 1, 2)))):
        at = since + (now - since) * (number + rng.uniform(0.1, 0.9)) / 2
        note_id = id_of("note", f"{life.part.number}:{number}")
        yield Note(id=note_id, link_id=life.link.id, author_id=author, at=at, text=text)


def assignee_rows(life: Life, *, now: datetime) -> Iterator[AssigneeChange]:
    """Yield a link's assignee changes; its creator was the first assignee."""
    if not life.assignee or life.history.creator:
        return
    rng, at, before = _chance(life, "assignee"), life.link.created_at + timedelta(hours=3), None
    hands = [life.assignee]
    if rng.random() < TAKEN_OVER:
        hands.insert(0, rng.choice([username for username in OWNERS if username != life.assignee]))
    for number, assignee in enumerate(hands):
        yield AssigneeChange(
            id=id_of("assignee-change", f"{life.part.number}:{number}"),
            link_id=life.link.id,
            at=at,
            by_id=id_of("staff", MANAGER),
            old_id=before,
            new_id=id_of("staff", assignee),
        )
        at, before = at + (now - at) * rng.uniform(0.2, 0.8), id_of("staff", assignee)


def _chance(life: Life, what: str) -> Random:
    """Return a random generator for each link and purpose, independent of the others."""
    return Random(f"{what}:{life.part.number}")  # noqa: S311 - no secret comes of it
