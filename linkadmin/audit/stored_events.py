"""Reads events for verification, as the database has them. Building models and JSON takes longer than all hashing."""

import json
from collections.abc import Iterator
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted  # what json.dumps does to a text
from typing import Any, NamedTuple

from django.db import connection

from linkadmin.heartbeats import signs

from .chain import canonical_text

CHUNK = 2_000  # events


class StoredEvent(NamedTuple):
    """An event's columns, in the order of its canonical text, and its place in the chain."""

    action: str
    actor: str
    actor_id: str
    actor_role: str
    at: str
    details: str
    object_id: str
    object_type: str
    operation_id: str
    outcome: str
    request_id: str
    seq: int
    prev: str
    canonical: str
    hash: str
    mac: str

    @property
    def is_as_recorded(self) -> bool:
        """Whether the columns, which people read, say what the canonical text does, which the chain protects."""
        # As `canonical_text` writes them.
        before = (
            f'{{"action":{_quoted(self.action)},"actor":{_quoted(self.actor)},"actor_id":{_quoted(self.actor_id)},'
            f'"actor_role":{_quoted(self.actor_role)},"at":"{_moment(self.at)}","details":'
        )
        after = (
            f',"object_id":{_quoted(self.object_id)},"object_type":{_quoted(self.object_type)},'
            f'"operation_id":{_quoted(self.operation_id)},"outcome":{_quoted(self.outcome)},'
            f'"request_id":{_quoted(self.request_id)},"seq":{self.seq}}}'
        )
        # PostgreSQL writes JSON in a form of its own.
        return self.canonical == before + self.details + after or (
            self.canonical == before + _sorted_details(self.details) + after
        )


def stored_events(last: int) -> Iterator[StoredEvent]:
    """Yield all events up to `last`, in order, whatever their numbers."""
    after: int | None = None
    while True:
        chunk = _read(last, after)
        yield from map(StoredEvent._make, chunk)
        signs.note_progress()
        if len(chunk) < CHUNK:
            return
        after = chunk[-1][StoredEvent._fields.index("seq")]


def _read(last: int, after: int | None) -> list[tuple[Any, ...]]:
    names = [_MOMENT[connection.vendor] if name == "at" else name for name in StoredEvent._fields]
    where, params = ("seq <= %s", [last]) if after is None else ("seq > %s AND seq <= %s", [after, last])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(names)} FROM audit_auditevent WHERE {where} ORDER BY seq LIMIT {CHUNK}",  # noqa: S608
            params,
        )
        return list(cursor.fetchall())


# Text: parsing a time takes longer than everything else of a row.
_MOMENT = {
    "sqlite": "replace(at, ' ', 'T')",
    "postgresql": """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')""",
}
_quoted = lru_cache(4_096)(quoted)  # people, actions and outcomes are few; IDs come in groups


@lru_cache(4_096)
def _sorted_details(text: str) -> str:
    return canonical_text(json.loads(text))


def _moment(at: str) -> str:
    part = "" if "." in at else ".000000"  # Django leaves it out if it's zero
    return f"{at}{part}+00:00"
