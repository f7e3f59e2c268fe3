"""Moments as the providers write them."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]  # seconds since 1970


def iso(moment: float) -> str:
    """Write a moment (seconds since 1970) as `2026-11-21T20:43:42.123456Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def without_zone(text: str) -> str:
    """Write an ISO moment the way Heron does outside of links: UTC, whole seconds, no zone."""
    return text[:19]


def seconds(text: str) -> float:
    """Read an ISO date or moment, in UTC where it names no zone, as seconds since 1970. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
