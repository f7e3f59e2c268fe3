"""Reads values and lists out of an answer: what is not there, or not as documented, is simply absent."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import structlog

_MAX_COUNT = 10**12

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


def moment(value: object) -> datetime | None:
    """Return a date and time; one without a zone is UTC."""
    try:
        result = datetime.fromisoformat(value) if isinstance(value, str) else None
        return result and (result.astimezone(UTC) if result.tzinfo else result.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def count(value: object) -> int | None:
    """Return a whole number, also one written as text or with a fraction of zero; None if it is none."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = float(value.strip()[:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_COUNT:
        return None
    return int(value)
