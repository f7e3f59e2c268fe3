"""What counts against a limit, with the second it was counted, as bytes: 12 of each."""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from .kinds import Limit

Entries = dict[int, int]  # seconds since 1970, by key

_ENTRY = struct.Struct("<QI")
_KEY = 2**64 - 1  # of a UUID, the random part


def keys_of(things: Iterable[UUID]) -> set[int]:
    return {each.int & _KEY for each in things}


def packed(entries: Entries) -> bytes:
    return b"".join(_ENTRY.pack(key, at) for key, at in entries.items())


def unpacked(counted: bytes | memoryview, limit: Limit, now: datetime) -> Entries:
    """Those that count now. None may lie in the future."""
    latest = int(now.timestamp())
    return still_counted({key: min(at, latest) for key, at in _ENTRY.iter_unpack(counted)}, limit, now)


def still_counted(entries: Entries, limit: Limit, now: datetime) -> Entries:
    oldest = int((now - limit.within).timestamp())
    return {key: at for key, at in entries.items() if at >= oldest}


def room_at(entries: Entries, limit: Limit, wanted: int) -> datetime:
    """When there's room for some more: at most as many as the limit."""
    too_many = len(entries) + wanted - limit.stop
    at = sorted(entries.values())[max(too_many, 1) - 1]
    return datetime.fromtimestamp(at, UTC) + limit.within + timedelta(seconds=1)
