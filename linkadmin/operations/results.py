"""What a good answer told beside the link, as the operation's page shows it."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from linkadmin.accounts.models import User
from linkadmin.links.models import Link

from . import encrypted
from .models import Operation, OperationKind


@dataclass(frozen=True, slots=True)
class Address:
    """A repair address: shown to who made it while it lives, to nobody else and never again after."""

    expires_at: datetime
    total_seconds: int
    left_seconds: int
    is_mine: bool
    url: str = field(default="", repr=False)  # empty: not theirs, expired, or replaced by a newer one


@dataclass(frozen=True, slots=True)
class FailedReport:
    remote_id: str
    link: Link | None


@dataclass(frozen=True, slots=True)
class Result:
    address: Address | None = None
    failed: tuple[FailedReport, ...] = ()


def result_of(operation: Operation, *, user: User) -> Result:
    if operation.kind == OperationKind.REPAIR_URL and operation.is_done:
        return Result(address=_address(operation, user))
    failed = operation.result.get("failed", [])
    known = {
        link.remote_id: link for link in operation.integration.links.filter(remote_id__in=failed, disconnected_at=None)
    }
    return Result(failed=tuple(FailedReport(each, known.get(each)) for each in failed))


def _address(operation: Operation, user: User) -> Address | None:
    until = parse_datetime(operation.result.get("expires_at", ""))
    if until is None:
        return None
    is_mine, now = operation.actor_id == user.pk, timezone.now()
    url = encrypted.repair_url_of(operation, now=now) if is_mine else None
    return Address(
        expires_at=until,
        total_seconds=int((until - (operation.ended_at or operation.began_at)).total_seconds()),
        left_seconds=max(0, int((until - now).total_seconds())),
        is_mine=is_mine,
        url=url.reveal() if url else "",
    )
