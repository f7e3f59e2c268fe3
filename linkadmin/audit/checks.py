"""The nightly verification: its result, and the alerts administrators see on every page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from . import clock
from .models import AuditCheck, AuditEvent
from .verify import VerificationReport, verify

OVERDUE = timedelta(hours=26)  # a day, plus two hours for a long log or a late start

# Keyed by whether the clock jumped back.
_JUMPS = {
    True: ngettext_lazy(
        "The server clock jumped back %(count)d minute.",
        "The server clock jumped back %(count)d minutes.",
        "count",
    ),
    False: ngettext_lazy(
        "The server clock jumped ahead %(count)d minute.",
        "The server clock jumped ahead %(count)d minutes.",
        "count",
    ),
}

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class AuditAlert:
    """A bar above every page of an administrator."""

    words: str
    label: str  # of the time
    at: datetime


def run() -> VerificationReport:
    """Verify the log and store the result. Raises ImproperlyConfigured without a key."""
    report = verify()
    found = {"checked_at": timezone.now(), "verdict": report.verdict, "finding": findings(report)}
    AuditCheck.objects.update_or_create(pk=1, defaults=found)
    log = logger.info if report.is_whole else logger.error
    log("audit.verified", verdict=report.verdict.name, events=report.events, finding=found["finding"])
    return report


def findings(report: VerificationReport) -> str:
    """Describe everything that's wrong, worst first; empty if nothing is."""
    said = [report.cut]
    if report.broken:
        said.append(
            _("The audit log is broken at event %(seq)d: %(reason)s. Events verified before it: %(good)d.")
            % {"seq": report.broken.seq, "reason": report.broken.reason, "good": report.events}
        )
    if report.unprotected:
        said.append(
            _("The database isn't protecting the log. Missing or disabled triggers: %(names)s.")
            % {"names": ", ".join(report.unprotected)}
        )
    if report.forged:
        said.append(
            ngettext(
                "We ignored %(count)d signed head with an invalid signature.",
                "We ignored %(count)d signed heads with invalid signatures.",
                report.forged,
            )
            % {"count": report.forged}
        )
    if report.unreadable:
        said.append(
            ngettext(
                "%(count)d signed head is damaged.",
                "%(count)d signed heads are damaged.",
                report.unreadable,
            )
            % {"count": report.unreadable}
        )
    return " ".join(filter(None, said))


def is_sound() -> bool:
    return not _faults()


def alerts() -> list[AuditAlert]:
    jump = clock.last_jump(now=timezone.now())
    if jump is None or jump.jumped_at is None:
        return _faults()
    minutes = round(abs(jump.jumped_by) / 60) or 1
    words = _JUMPS[jump.jumped_by < 0] % {"count": minutes}
    advice = _("Check the server's time synchronization. Times shown in Linkadmin may be off by this much.")
    return [AuditAlert(f"{words} {advice}", _("Detected"), jump.jumped_at), *_faults()]


def _faults() -> list[AuditAlert]:
    check, now, alerts_due = AuditCheck.objects.first() or AuditCheck(), timezone.now(), []
    if check.verdict != AuditCheck.Verdict.GOOD:
        words = _("The audit log failed verification. %(why)s") % {"why": check.finding}
        alerts_due.append(AuditAlert(words, _("Verified"), check.checked_at or now))
    last = check.checked_at or AuditEvent.objects.order_by("seq").values_list("at", flat=True).first()
    if last and now - last > OVERDUE:
        words = _(
            "The audit log hasn't been verified for over a day. Check that the scheduler and a worker are running."
        )
        alerts_due.append(AuditAlert(words, _("Last verified") if check.checked_at else _("First event"), last))
    if settings.AUDIT_HEADS_FILE and check.head_problem:
        words = _("Couldn't write to the signed-heads file: %(why)s.")
        alerts_due.append(AuditAlert(words % {"why": check.head_problem}, _("Since"), check.head_problem_since or now))
    return alerts_due
