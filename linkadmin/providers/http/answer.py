"""A provider's response: text is read through a redactor, IDs by their format."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from linkadmin.providers.names import is_customer_id

from .redaction import MAX_WORDS, WITHHELD, Redactor

MAX_RETRY_AFTER = 900.0  # seconds
LONGEST_SENSIBLE = 9_999.0  # seconds; anything longer is in milliseconds, or from a wrong clock

IDENTIFIER = r"[A-Za-z0-9_.:=-]+"
_IDENTIFIER = re.compile(IDENTIFIER)
MAX_IDENTIFIER = 120  # characters
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
REQUEST_ID = re.compile(rf"{UUID.pattern}|[0-9a-fA-F]{{32}}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and the safe ways to read it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # lowercase names
    data: object = field(repr=False)  # parsed JSON; None if the body is empty or not JSON
    readable: bool
    duration_ms: int
    received_at: datetime
    body: str = ""  # if it isn't JSON: empty, html, unreadable
    redactor: Redactor = field(default_factory=Redactor, repr=False)

    def words(self, value: object, *, limit: int = MAX_WORDS) -> str:
        return self.redactor.clean(value, limit=limit) if isinstance(value, str) else ""

    def name(self, value: object, *, limit: int = MAX_WORDS) -> str:
        return self.redactor.name(value, limit=limit) if isinstance(value, str) else ""

    def customer_id(self, value: object, *, known: Container[str] = ()) -> str:
        if not isinstance(value, str) or not is_customer_id(value):
            return ""
        is_echo = self.redactor.is_secret if value in known else self.redactor.echoes
        return "" if is_echo(value) else value

    def term(self, value: object, known: Container[str]) -> str:
        # A known code or status isn't an echo, even if a secret equals it.
        return value if isinstance(value, str) and value in known else self.words(value)

    def identifier(
        self,
        value: object,
        *,
        longest: int = MAX_IDENTIFIER,
        shape: re.Pattern[str] | None = None,
        known: Container[str] = (),
    ) -> str:
        """Return a provider's ID of at most `longest` characters; empty if it can't be one.

        An ID in the format `shape` may contain a short secret such as a PIN by chance, and a `known` one may contain
        anything: these are dropped only if they equal a secret. Any other text that contains a secret is an echo.
        """
        if not isinstance(value, str) or len(value) > longest or not _IDENTIFIER.fullmatch(value):
            return ""
        if value in known:
            return "" if self.redactor.is_secret(value) else value
        if shape and shape.fullmatch(value):
            return "" if self.redactor.echoes_in_id(value) else value
        return "" if self.words(value) == WITHHELD else value

    @property
    def request_id(self) -> str:
        first = self.data[0] if isinstance(self.data, list) and self.data else self.data
        from_body = first.get("request_id") if isinstance(first, dict) else None
        return self.request_id_in(from_body) or self.request_id_in(self.headers.get("x-request-id"))

    def request_id_in(self, value: object) -> str:
        return self.identifier(value, shape=REQUEST_ID)

    @property
    def retry_after(self) -> float | None:
        """The pause the provider asks for, in seconds; None if unreadable."""
        value = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,4}", value):
            return min(float(value), MAX_RETRY_AFTER)
        try:
            pause = (parsedate_to_datetime(value) - self.received_at).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
        return min(max(pause, 0.0), MAX_RETRY_AFTER) if -1 < pause <= LONGEST_SENSIBLE else None
