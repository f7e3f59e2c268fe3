"""System checks: limits that contradict themselves, and limits that are off in production."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from .kinds import MOST, LimitKind, limit_of


@register(Tags.security)
def staff_limits_make_sense(**kwargs: Any) -> list[CheckMessage]:
    limits = {kind: limit_of(kind) for kind in LimitKind if limit_of(kind).stop}
    return [
        Error(
            f"The limit “{kind.label}” warns at {limit.warn} and stops at {limit.stop}.",
            hint=f"The warning must be at least 1 and at most the limit, and the limit at most {MOST:,}.",
            id="linkadmin.E012",
        )
        for kind, limit in limits.items()
        if not 1 <= limit.warn <= limit.stop <= MOST
    ]


@register(Tags.security, deploy=True)
def staff_limits_are_on(**kwargs: Any) -> list[CheckMessage]:
    return [
        Warning(f"The limit “{LimitKind(kind).label}” is off.", hint="Set it to more than 0.", id="linkadmin.W007")
        for kind, (_warn, stop) in settings.STAFF_LIMITS.items()
        if not stop
    ]
