"""Reads values and lists from a response. Anything absent or malformed counts as absent."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar

import structlog

MAX_FIELDS = 50  # stored from a form, or from an error that names them
_MAX_COUNT = 10**12
_YEARS = range(1970, 9999)  # a day more or less, in any time zone, is still a valid date
_EPOCH_TEXT = re.compile(r"\d{9,13}(\.\d{1,9})?")
_EPOCH = range(10**8, 10**14)  # seconds or milliseconds since 1970; anything smaller isn't a time
_MILLISECONDS_FROM = 10**11  # as seconds, these would be after the year 5000

T = TypeVar("T")

log = structlog.get_logger(__name__)


def mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def required_mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError("an object was expected")
    return value


def mappings(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def required_list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("a list was expected")
    return value


class Why(StrEnum):
    """Why a record was left out."""

    NO_OBJECT = "no_object"
    NO_ID = "no_id"
    ID_UNUSABLE = "id_unusable"  # too long, or with characters that can't be stored
    INCOMPLETE = "incomplete"
    UNREAD = "unread"  # we couldn't read the listed link itself


class Unusable(ValueError):
    """A record we can't use."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class OddRecord:
    """A record we can't use, as received."""

    item: object
    why: Why

    def may_be_one_of(self, missing: Collection[str], name: str) -> bool:
        # A record without a readable ID may be any of them.
        said = mapping(self.item).get(name)
        return bool(missing) and (not isinstance(said, str) or not said or said in missing)


def records(items: Iterable[object], parse: Callable[[Mapping[str, object]], T]) -> tuple[list[T], list[OddRecord]]:
    """One malformed record doesn't affect the rest. Only the number of malformed records is logged."""
    found: list[T] = []
    odd: list[OddRecord] = []
    for item in items:
        try:
            if not isinstance(item, dict):
                raise Unusable(Why.NO_OBJECT)
            found.append(parse(item))
        except ValueError as error:
            odd.append(OddRecord(item, error.why if isinstance(error, Unusable) else Why.INCOMPLETE))
    if odd:
        log.warning("provider.records_skipped", skipped=len(odd), read=len(found))
    return found, odd


def listed(value: object, parse: Callable[[Mapping[str, object]], T]) -> tuple[list[T], list[OddRecord]]:
    """Raises ValueError if it isn't a list, or if no record can be read.

    Missing records count as gone, and a list that we don't understand must not prove that.
    """
    found, odd = records(required_list(value), parse)
    if not found and any(record.why is not Why.ID_UNUSABLE for record in odd):
        raise ValueError("no record of the list can be read")
    return found, odd


def all_records(value: object, parse: Callable[[Mapping[str, object]], T]) -> list[T]:
    return listed(value, parse)[0]


def moment(value: object) -> datetime | None:
    """Parse a time in ISO 8601, or in seconds or milliseconds since 1970. Without a zone, it's UTC.

    None for the years that mean "never".
    """
    result = _written(value)
    if result is None or result.year not in _YEARS:
        return None
    return result.astimezone(UTC) if result.tzinfo else result.replace(tzinfo=UTC)


def day(value: object) -> date | None:
    """Parse a date or the date of a time, as written, in any zone."""
    written = _written(value)
    return written.date() if written is not None and written.year in _YEARS else None


def is_day(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None and day(value) is not None


def _written(value: object) -> datetime | None:
    if isinstance(value, str) and _EPOCH_TEXT.fullmatch(value):
        value = float(value)
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value[:-1] + "Z" if value.endswith("z") else value)
        if isinstance(value, bool) or not isinstance(value, int | float) or int(value) not in _EPOCH:
            return None
        return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def count(value: object) -> int | None:
    """Parse a whole number, also from text or with a fraction of zero; None for anything else."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = float(value.strip()[:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_COUNT:
        return None
    return int(value)
