"""A provider's answer: every text of it read through a redactor, every ID by its shape."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from linkadmin.providers.names import is_customer_id

from .redaction import MAX_WORDS, WITHHELD, Redactor

MAX_RETRY_AFTER = 900.0  # seconds
LONGEST_SENSIBLE = 9_999.0  # seconds; what is longer are milliseconds, or a moment of a wrong clock

IDENTIFIER = r"[A-Za-z0-9_.:=-]+"
MAX_IDENTIFIER = 120  # characters
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
REQUEST_ID = re.compile(rf"{UUID.pattern}|[0-9a-fA-F]{{32}}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered, with the means to read it safely."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # names in lower case
    data: object = field(repr=False)  # parsed JSON; None if the body is empty or no JSON
    readable: bool
    duration_ms: int
    received_at: datetime
    body: str = ""  # what it is if it is not JSON: empty, html, unreadable
    redactor: Redactor = field(default_factory=Redactor, repr=False)

    def words(self, value: object, *, limit: int = MAX_WORDS) -> str:
        """Return a text of the provider's, cleaned; empty if it is no text."""
        return self.redactor.clean(value, limit=limit) if isinstance(value, str) else ""

    def name(self, value: object, *, limit: int = MAX_WORDS) -> str:
        """Return a name of a person, company or institution, cleaned as names are stored; empty for anything else."""
        return self.redactor.name(value, limit=limit) if isinstance(value, str) else ""

    def customer_id(self, value: object, *, known: Container[str] = ()) -> str:
        """Return an ID of a customer, byte for byte; empty if it can be none. `known` is as for `identifier`."""
        if not isinstance(value, str) or not is_customer_id(value):
            return ""
        is_echo = self.redactor.is_secret if value in known else self.redactor.echoes
        return "" if is_echo(value) else value

    def term(self, value: object, known: Container[str]) -> str:
        """Return a word of the provider's vocabulary. One that we know is no echo, even if a secret equals it."""
        return value if isinstance(value, str) and value in known else self.words(value)

    def identifier(
        self,
        value: object,
        *,
        longest: int = MAX_IDENTIFIER,
        shape: re.Pattern[str] | None = None,
        known: Container[str] = (),
    ) -> str:
        """Return an ID of the provider's, of at most `longest` characters; empty if it cannot be one.

        An ID that has the `shape` of its field may contain a short secret by chance, such as a PIN, and one that is
        `known` to us any: only one that is a secret as a whole is dropped. Any other text that contains one is an echo.
        """
        if not isinstance(value, str) or len(value) > longest or not re.fullmatch(IDENTIFIER, value):
            return ""
        if value in known:
            return "" if self.redactor.is_secret(value) else value
        if shape and shape.fullmatch(value):
            return "" if self.redactor.echoes_in_id(value) else value
        return "" if self.words(value) == WITHHELD else value

    @property
    def request_id(self) -> str:
        """The id that the provider's support asks for."""
        first = self.data[0] if isinstance(self.data, list) and self.data else self.data
        from_body = first.get("request_id") if isinstance(first, dict) else None
        return self.request_id_in(from_body) or self.request_id_in(self.headers.get("x-request-id"))

    def request_id_in(self, value: object) -> str:
        """Return a request ID; empty if it cannot be one."""
        return self.identifier(value, shape=REQUEST_ID)

    @property
    def retry_after(self) -> float | None:
        """The pause the provider asks for, in seconds; None where it cannot be read."""
        value = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,4}", value):
            return min(float(value), MAX_RETRY_AFTER)
        try:
            pause = (parsedate_to_datetime(value) - self.received_at).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
        return min(max(pause, 0.0), MAX_RETRY_AFTER) if -1 < pause <= LONGEST_SENSIBLE else None
