"""Database sessions whose rows say whose they are, so that they can be listed and ended."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

STARTED, SEEN = "started_at", "seen_at"  # seconds since 1970
ADDRESS, BROWSER = "address", "browser"


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> Any:
        from .models import StaffSession

        return StaffSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """Copy to columns what a list of sessions shows."""
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.started_at, row.seen_at = _moment(data.get(STARTED)), _moment(data.get(SEEN))
        row.address, row.browser = data.get(ADDRESS, ""), data.get(BROWSER, "")
        return row


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)
