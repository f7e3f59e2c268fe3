"""Verifies the chain: recomputes every event from first to last, and compares it with signed heads."""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils.translation import gettext as _

from linkadmin.heartbeats import signs

from . import triggers
from .chain import FACTS, GENESIS, audit_key, chained_hash, instant_text, keyed_mac
from .heads import Heads, read
from .models import AuditCheck, AuditEvent, AuditHead

CHUNK = 2_000  # events
Row = dict[str, Any]


@dataclass(frozen=True)
class Break:
    """The first place where the chain is broken."""

    seq: int
    reason: str


@dataclass(frozen=True)
class VerificationReport:
    events: int  # intact ones, from the first
    head: str  # hash of the last intact one
    broken: Break | None = None
    unprotected: tuple[str, ...] = ()  # triggers that are missing or disabled
    cut: str = ""  # how the log contradicts a signed head, in words
    forged: int = 0  # heads with a wrong signature
    unreadable: int = 0  # damaged heads

    @property
    def is_whole(self) -> bool:
        return self.verdict is AuditCheck.Verdict.GOOD

    @property
    def verdict(self) -> AuditCheck.Verdict:
        if self.cut:
            return AuditCheck.Verdict.CUT
        return AuditCheck.Verdict.BROKEN if self.broken or self.unprotected else AuditCheck.Verdict.GOOD


def verify(heads_file: Path | None = None) -> VerificationReport:
    """Recompute the chain and compare it with the heads in a file, by default the one in the settings.

    Raises ImproperlyConfigured without a key.
    """
    key = audit_key()
    # In this order: heads and events may be added while we read, and the head only moves forward.
    heads, no_heads = _heads(heads_file)
    last = AuditEvent.objects.aggregate(last=Max("seq"))["last"] or 0
    head = AuditHead.objects.first()
    chain, rewritten = _walk(head, last, heads, key=key)
    return replace(
        chain,
        unprotected=tuple(triggers.not_in_force()),
        cut=no_heads or _shorter(heads, last) or (rewritten if not chain.broken else ""),
        forged=heads.forged,
        unreadable=heads.unreadable,
    )


def _heads(path: Path | None) -> tuple[Heads, str]:
    """Read the heads; also return what's wrong with the file as a whole."""
    written = AuditCheck.objects.values_list("head_seq", flat=True).first() or 0  # before the file, which only grows
    if path is None and not settings.AUDIT_HEADS_FILE:
        return Heads(), ""
    own = Path(settings.AUDIT_HEADS_FILE)
    try:
        if path is None and own.exists() and not own.is_file():  # reading a pipe would block forever
            raise OSError(0, "it isn't a regular file")
        heads = read(path or own)
    except OSError as error:
        if path is None and not written:
            return Heads(), ""
        return Heads(), _("Couldn't read the signed-heads file: %(why)s.") % {"why": error.strerror}
    if path is None and heads.newest < written:
        words = _(
            "The signed-heads file was truncated: it ends at event %(newest)d, but event %(written)d had been "
            "written to it."
        )
        return heads, words % {"newest": heads.newest, "written": written}
    if not heads.hashes and (path or heads.forged):
        return heads, _("The signed-heads file contains no validly signed head.")
    return heads, ""


def _shorter(heads: Heads, last: int) -> str:
    if last >= heads.newest:
        return ""
    words = _("The log was truncated: it ends at event %(last)d, but a signed head refers to event %(newest)d.")
    return words % {"last": last, "newest": heads.newest}


def _walk(head: AuditHead | None, last: int, heads: Heads, *, key: bytes) -> tuple[VerificationReport, str]:
    """Recompute every event; also return which signed head is the first that doesn't match."""
    if head is None:
        return VerificationReport(events=0, head=GENESIS, broken=Break(last, "the head of the chain is missing")), ""
    seq, prev, rewritten = 0, GENESIS, ""
    for row in _rows_until(max(last, head.seq)):
        if reason := _fault(row, seq=seq + 1, prev=prev, key=key):
            return VerificationReport(events=seq, head=prev, broken=Break(seq + 1, reason)), rewritten
        seq, prev = row["seq"], row["hash"]
        if not rewritten and heads.hashes.get(seq, set()) - {prev}:
            rewritten = _("The log was rewritten: event %(seq)d doesn't match its signed head.") % {"seq": seq}
    broken = None
    if (seq, prev) != (head.seq, head.hash):
        broken = Break(min(seq, head.seq) + 1, "the head names a different last event")
    return VerificationReport(events=seq, head=prev, broken=broken), rewritten


def _rows_until(last: int) -> Iterator[Row]:
    after: int | None = None
    while True:
        rows = AuditEvent.objects.filter(seq__lte=last).order_by("seq").values()
        chunk: list[Any] = list((rows if after is None else rows.filter(seq__gt=after))[:CHUNK])
        yield from chunk
        signs.note_progress()
        if len(chunk) < CHUNK:
            return
        after = chunk[-1]["seq"]


def _fault(row: Row, *, seq: int, prev: str, key: bytes) -> str:
    if row["seq"] != seq:
        return "the event is missing"
    if row["prev"] != prev:
        return "it doesn't follow the previous event"
    if row["hash"] != chained_hash(row["canonical"], prev=prev):
        return "its hash doesn't match its text"
    if not hmac.compare_digest(row["mac"], keyed_mac(row["hash"], key=key)):
        return "its MAC doesn't match its hash"
    # People read the columns, but the chain protects the text. Parsing it is cheaper than serializing again.
    if json.loads(row["canonical"]) != {name: row[name] for name in FACTS} | {"at": instant_text(row["at"])}:
        return "its columns don't match what was recorded"
    return ""
