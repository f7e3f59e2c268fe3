"""Notes of the demo's staff, and how links got their assignees."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from linkadmin.links.models import AssigneeChange, Note
from linkadmin.providers.types import HealthState

from .casting import id_of
from .demo_links import DemoLink
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


def note_rows(demo_link: DemoLink, *, now: datetime) -> Iterator[Note]:
    rng = _chance(demo_link, "notes")
    works = demo_link.history.changes[-1].new == HealthState.HEALTHY
    if rng.random() >= (NOTED_LONG_AGO if works else NOTED):
        return
    since = demo_link.link.created_at if works else demo_link.history.since
    author = id_of("staff", demo_link.assignee or rng.choice(OWNERS))
    for number, text in enumerate(rng.sample(NOTES, rng.choice((1, 1, 2)))):
        at = since + (now - since) * (number + rng.uniform(0.1, 0.9)) / 2
        note_id = id_of("note", f"{demo_link.scene.number}:{number}")
        yield Note(id=note_id, link_id=demo_link.link.id, author_id=author, at=at, text=text)


def assignee_rows(demo_link: DemoLink, *, now: datetime) -> Iterator[AssigneeChange]:
    # A link's creator was its first assignee.
    if not demo_link.assignee or demo_link.history.creator:
        return
    rng, at, before = _chance(demo_link, "assignee"), demo_link.link.created_at + timedelta(hours=3), None
    hands = [demo_link.assignee]
    if rng.random() < TAKEN_OVER:
        hands.insert(0, rng.choice([username for username in OWNERS if username != demo_link.assignee]))
    for number, assignee in enumerate(hands):
        yield AssigneeChange(
            id=id_of("assignee-change", f"{demo_link.scene.number}:{number}"),
            link_id=demo_link.link.id,
            at=at,
            by_id=id_of("staff", MANAGER),
            old_id=before,
            new_id=id_of("staff", assignee),
        )
        at, before = at + (now - at) * rng.uniform(0.2, 0.8), id_of("staff", assignee)


def _chance(demo_link: DemoLink, what: str) -> Random:
    # One generator per link and purpose, so that none depends on another.
    return Random(f"{what}:{demo_link.scene.number}")  # noqa: S311 - not for secrets
