"""What a bank shows the customer while it waits for a code: kept in this process's memory, nowhere else.

A number, a picture or a text that helps to log in must not be stored. It lives here until the code was given or its
time is over, and dies with the process; the page then says that it is gone and how to get a new one.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Shown:
    instructions: str = field(repr=False)
    value: str = field(repr=False)
    expires_at: datetime


_lock = threading.Lock()
_shown: dict[UUID, Shown] = {}


def keep(challenge_id: UUID, shown: Shown) -> None:
    """Remember what to show for a challenge, and forget all whose time is over."""
    now = timezone.now()
    with _lock:
        for old in [key for key, kept in _shown.items() if kept.expires_at <= now]:
            del _shown[old]
        _shown[challenge_id] = shown


def find(challenge_id: UUID) -> Shown | None:
    with _lock:
        return _shown.get(challenge_id)


def forget(challenge_id: UUID) -> None:
    with _lock:
        _shown.pop(challenge_id, None)
