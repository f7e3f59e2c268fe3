"""Prove that the chain is whole: every event recomputed, from the first to the head."""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from .chain import FACTS, GENESIS, audit_key, chained_hash, instant_text, keyed_mac
from .models import AuditEvent, AuditHead

CHUNK = 2_000  # events
Row = dict[str, Any]


@dataclass(frozen=True)
class Break:
    """The first place where the chain does not hold."""

    seq: int
    reason: str


@dataclass(frozen=True)
class Report:
    """What a verification found."""

    events: int  # good ones, from the beginning
    head: str  # hash of the last good one
    broken: Break | None = None

    @property
    def is_whole(self) -> bool:
        return self.broken is None


def verify() -> Report:
    """Recompute the chain. Raises ImproperlyConfigured without a key."""
    key = audit_key()
    # In this order: events may be added meanwhile, and the head only moves forward.
    last = AuditEvent.objects.aggregate(last=Max("seq"))["last"] or 0
    head = AuditHead.objects.first()
    if head is None:
        return Report(events=0, head=GENESIS, broken=Break(last, "the head of the chain is missing"))

    seq, prev = 0, GENESIS
    for row in _rows_until(max(last, head.seq)):
        if reason := _fault(row, seq=seq + 1, prev=prev, key=key):
            return Report(events=seq, head=prev, broken=Break(seq + 1, reason))
        seq, prev = row["seq"], row["hash"]

    if (seq, prev) != (head.seq, head.hash):
        return Report(events=seq, head=prev, broken=Break(min(seq, head.seq) + 1, "the head names another last event"))
    return Report(events=seq, head=prev)


def _rows_until(last: int) -> Iterator[Row]:
    after: int | None = None
    while True:
        rows = AuditEvent.objects.filter(seq__lte=last).order_by("seq").values()
        chunk: list[Any] = list((rows if after is None else rows.filter(seq__gt=after))[:CHUNK])
        yield from chunk
        if len(chunk) < CHUNK:
            return
        after = chunk[-1]["seq"]


def _fault(row: Row, *, seq: int, prev: str, key: bytes) -> str:
    """Say what is wrong with an event, or nothing."""
    if row["seq"] != seq:
        return "the event is missing"
    if row["prev"] != prev:
        return "it does not follow the event before it"
    if row["hash"] != chained_hash(row["canonical"], prev=prev):
        return "its hash does not fit its text"
    if not hmac.compare_digest(row["mac"], keyed_mac(row["hash"], key=key)):
        return "its MAC does not fit its hash"
    # People read the columns; the chain protects the text. Reading it is cheaper than writing it anew.
    if json.loads(row["canonical"]) != {name: row[name] for name in FACTS} | {"at": instant_text(row["at"])}:
        return "its columns do not say what was recorded"
    return ""
