"""Reads values and lists out of an answer: what is not there, or not as documented, is simply absent."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import TypeVar

import structlog

MAX_FIELDS = 50  # that are kept of a form, or of a refusal which names them
_MAX_COUNT = 10**12
_YEARS = range(1970, 9999)  # one day more or less, in any time zone, is still a date

T = TypeVar("T")

log = structlog.get_logger(__name__)


def mapping(value: object) -> Mapping[str, object]:
    """Return a JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def required_mapping(value: object) -> Mapping[str, object]:
    """Return a JSON object. Raises ValueError for anything else."""
    if not isinstance(value, dict):
        raise ValueError("an object was expected")
    return value


def mappings(value: object) -> list[Mapping[str, object]]:
    """Return the objects of a JSON list; an empty list for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def required_list(value: object) -> list[object]:
    """Return a JSON list. Raises ValueError for anything else."""
    if not isinstance(value, list):
        raise ValueError("a list was expected")
    return value


def records(items: Iterable[object], parse: Callable[[Mapping[str, object]], T]) -> tuple[list[T], list[object]]:
    """Parse the records of a list; return what could be read, and what could not as it came.

    One odd record does not take the others with it; of the odd ones only the number is logged.
    """
    found: list[T] = []
    odd: list[object] = []
    for item in items:
        try:
            found.append(parse(required_mapping(item)))
        except ValueError:
            odd.append(item)
    if odd:
        log.warning("provider.records_skipped", skipped=len(odd), read=len(found))
    return found, odd


def all_records(value: object, parse: Callable[[Mapping[str, object]], T]) -> list[T]:
    """Parse the records of a JSON list, without the odd ones.

    Raises ValueError if it is no list, or if none of its records can be read: what is not listed counts as gone, and
    a list that we do not understand must not prove that.
    """
    found, odd = records(required_list(value), parse)
    if odd and not found:
        raise ValueError("no record of the list can be read")
    return found


def moment(value: object) -> datetime | None:
    """Return a date and time; one without a zone is UTC. None for the years that stand for "never"."""
    try:
        result = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if result is None or result.year not in _YEARS:
        return None
    return result.astimezone(UTC) if result.tzinfo else result.replace(tzinfo=UTC)


def day(value: object) -> date | None:
    """Return a date, also the one of a date and time."""
    at = moment(value)
    return at and at.date()


def count(value: object) -> int | None:
    """Return a whole number, also one written as text or with a fraction of zero; None if it is none."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = float(value.strip()[:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_COUNT:
        return None
    return int(value)
