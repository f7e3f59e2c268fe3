"""The page for administrators: which part works, and which programs run in the background."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from linkadmin.audit import clock
from linkadmin.heartbeats import watch

from . import probes


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the system, and whether it works."""

    label: str
    works: bool


@require_safe
def system_status(request: HttpRequest) -> HttpResponse:
    """Show every part that `/statusz/` asks, and every program that has written a heartbeat."""
    context = {"parts": _parts(), "programs": watch.programs(), "jump": clock.last_jump(now=timezone.now())}
    return render(request, "heartbeats/status.html", context)


def _parts() -> list[Part]:
    failing = probes.failing_parts()
    labels = {
        "database": _("Database"),
        "broker": _("Broker"),
        "scheduler": _("Scheduler"),
        "workers": _("Workers"),
        "audit log": _("Audit log verification"),
    }
    return [Part(label, name not in failing) for name, label in labels.items()]
