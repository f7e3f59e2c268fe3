"""Verifies the chain: recomputes every event from first to last, and compares it with signed heads."""

import hmac
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from django.db.models import Max
from django.utils.translation import gettext as _

from . import triggers
from .chain import GENESIS, audit_key, chained_hash, keyed_mac
from .heads import Heads, read
from .models import AuditCheck, AuditEvent, AuditHead
from .stored_events import StoredEvent, stored_events


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
    for event in stored_events(max(last, head.seq)):
        if reason := _fault(event, seq=seq + 1, prev=prev, key=key):
            return VerificationReport(events=seq, head=prev, broken=Break(seq + 1, reason)), rewritten
        seq, prev = event.seq, event.hash
        if seq in heads.hashes and not rewritten and heads.hashes[seq] - {prev}:
            rewritten = _("The log was rewritten: event %(seq)d doesn't match its signed head.") % {"seq": seq}
    broken = None
    if (seq, prev) != (head.seq, head.hash):
        broken = Break(min(seq, head.seq) + 1, "the head names a different last event")
    return VerificationReport(events=seq, head=prev, broken=broken), rewritten


def _fault(event: StoredEvent, *, seq: int, prev: str, key: bytes) -> str:
    if event.seq != seq:
        return "the event is missing"
    if event.prev != prev:
        return "it doesn't follow the previous event"
    try:
        if event.hash != chained_hash(event.canonical, prev=prev):
            return "its hash doesn't match its text"
        if not hmac.compare_digest(event.mac, keyed_mac(event.hash, key=key)):
            return "its MAC doesn't match its hash"
        if event.is_as_recorded:
            return ""
    except (TypeError, ValueError, AttributeError):  # SQLite stores numbers and bytes in a column of texts, too
        pass
    return "its columns don't match what was recorded"
