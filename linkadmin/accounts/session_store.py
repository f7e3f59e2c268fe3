"""Database sessions that know their user, so that they can be listed and ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from linkadmin.compiled_query import CompiledQuery

STARTED, SEEN = "started_at", "seen_at"  # seconds since 1970
ADDRESS, BROWSER = "address", "browser"
FACTOR = "factor"  # the kind of second factor that was proved, empty if none
CONFIRMED = "confirmed_at"  # when a person last proved all they have, in seconds since 1970


class SessionStore(DatabaseStore):
    _as_saved: tuple[str | None, bytes] | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        from .models import StaffSession

        return StaffSession

    def load(self) -> dict[str, Any]:
        stored = _STORED.row(self.session_key, timezone.now())
        if stored is None:
            self._session_key = None
            return {}
        return self.decode(stored[0])

    def get_session_cookie_age(self) -> int:
        """Until somebody signs in, a session holds a passkey's challenge or what a sign-in waits for."""
        return settings.SESSION_COOKIE_AGE if SESSION_KEY in self else settings.ACCOUNT_LOGIN_TIMEOUT

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.started_at, row.seen_at = _moment(data.get(STARTED)), _moment(data.get(SEEN))
        row.address, row.browser = data.get(ADDRESS, ""), data.get(BROWSER, "")
        return row

    @contextmanager
    def saved_together(self) -> Iterator[None]:
        """Commit what changes here together with the session, if that gets a new key: both or neither."""
        before = self.session_key
        with transaction.atomic():
            yield
            if self.session_key not in (before, None):
                self.save()
                self._as_saved = self._content()

    def save(self, must_create: bool = False) -> None:
        if must_create or self._as_saved != self._content():
            super().save(must_create)

    def _content(self) -> tuple[str | None, bytes]:
        return self.session_key, self.serializer().dumps(dict(self.items()))


def _stored(key: str, now: datetime) -> "QuerySet[Any]":
    sessions: QuerySet[Any] = SessionStore.get_model_class().objects
    return sessions.filter(session_key=key, expire_date__gt=now).values_list("session_data")


_STORED = CompiledQuery(_stored, types=(str, datetime))


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)
