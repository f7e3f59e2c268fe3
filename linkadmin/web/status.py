"""The page for administrators: which part works, and which programs run in the background."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from linkadmin.audit import clock
from linkadmin.heartbeats import watch
from linkadmin.heartbeats.models import Heartbeat
from linkadmin.web.badges import StateBadge

from . import probes


@dataclass(frozen=True, slots=True)
class SystemPart:
    """One part of the system, and whether it works."""

    label: str
    state: StateBadge
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """One program that runs in the background, or did."""

    row: Heartbeat
    state: StateBadge


@require_safe
def system_status(request: HttpRequest) -> HttpResponse:
    """Show every part that `/statusz/` asks, and every program that has written a heartbeat."""
    now = timezone.now()
    programs = [_program(row, now) for row in Heartbeat.objects.order_by("kind", "name")]
    return render(request, "heartbeats/status.html", {"parts": [*_parts(), _clock(now)], "programs": programs})


def _parts() -> list[SystemPart]:
    failing = probes.failing_parts()
    works, fails = StateBadge("ok", "circle-check", _("Working")), StateBadge("bad", "circle-x", _("Failing"))
    labels = {
        "database": _("Database"),
        "broker": _("Broker"),
        "scheduler": _("Scheduler"),
        "workers": _("Workers"),
        "audit log": _("Audit log verification"),
    }
    return [SystemPart(label, fails if name in failing else works) for name, label in labels.items()]


def _clock(now: datetime) -> SystemPart:
    jump = clock.last_jump(now=now)
    if jump is None:
        return SystemPart(_("Server clock"), StateBadge("ok", "circle-check", _("No jump in the last 24 hours")))
    return SystemPart(_("Server clock"), StateBadge("warn", "triangle-alert", _("Jumped")), jump.jumped_at)


def _program(row: Heartbeat, now: datetime) -> Program:
    runs = StateBadge("ok", "circle-check", _("Running"))
    silent = StateBadge("bad", "circle-x", _("Silent for %(time)s") % {"time": timesince(row.alive_at, now)})
    return Program(row, silent if watch.is_old(row.alive_at) else runs)
