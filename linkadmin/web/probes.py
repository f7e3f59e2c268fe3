"""Is this process alive, can it serve, does everything run? One word for monitors, a page for administrators."""

from datetime import datetime
from http import HTTPStatus

import structlog
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from linkadmin.audit import checks, clock
from linkadmin.heartbeats import watch
from linkadmin.heartbeats.models import Heartbeat
from linkadmin.wake_worker import app
from linkadmin.web.badges import StateBadge
from linkadmin.web.storage import UNUSABLE

BROKER_SECONDS = 2

logger = structlog.get_logger(__name__)
_migrated = False  # once migrations are applied, they stay applied


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    return _answer(is_well=True)


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Ignores broker and workers: pages open without them."""
    return _answer(is_well=can_serve())


@require_safe
def statusz(request: HttpRequest) -> HttpResponse:
    return _answer(is_well=not failing_parts())


@require_safe
def system_status(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    programs = [{"row": row, "state": _state_of(row, now)} for row in Heartbeat.objects.order_by("kind", "name")]
    return render(request, "heartbeats/status.html", {"parts": [*_parts(), _clock(now)], "programs": programs})


def can_serve() -> bool:
    global _migrated
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except UNUSABLE as error:
        logger.error("probe.database", error=type(error).__name__)
        return False
    return _migrated


def failing_parts() -> list[str]:
    if not can_serve():
        return ["database"]
    try:
        background = watch.read_status()
        parts = {
            "broker": not _broker_answers(),
            "scheduler": background.scheduler_is_dead,
            "workers": background.workers_are_dead,
            "audit log": not checks.is_sound(),
        }
    except UNUSABLE as error:
        logger.error("probe.database", error=type(error).__name__)
        return ["database"]
    failing = [name for name, fails in parts.items() if fails]
    if failing:
        logger.warning("probe.failing", parts=", ".join(failing))
    return failing


def _parts() -> list[dict[str, object]]:
    failing = failing_parts()
    works, fails = StateBadge("ok", "circle-check", _("Working")), StateBadge("bad", "circle-x", _("Failing"))
    labels = {
        "database": _("Database"),
        "broker": _("Broker"),
        "scheduler": _("Scheduler"),
        "workers": _("Workers"),
        "audit log": _("Audit log verification"),
    }
    return [
        {"label": label, "state": fails if name in failing else works, "since": None} for name, label in labels.items()
    ]


def _clock(now: datetime) -> dict[str, object]:
    jump = clock.last_jump(now=now)
    steady = StateBadge("ok", "circle-check", _("No jumps in the last 24 hours"))
    jumped = StateBadge("warn", "triangle-alert", _("Jumped"))
    return {"label": _("Server clock"), "state": jumped if jump else steady, "since": jump and jump.jumped_at}


def _state_of(row: Heartbeat, now: datetime) -> StateBadge:
    runs = StateBadge("ok", "circle-check", _("Running"))
    silent = StateBadge("bad", "circle-x", _("Not heard from in %(time)s") % {"time": timesince(row.alive_at, now)})
    return silent if watch.is_old(row.alive_at) else runs


def _broker_answers() -> bool:
    options = dict(settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    if settings.CELERY_BROKER_URL.startswith("redis"):
        options |= {"socket_connect_timeout": BROKER_SECONDS, "socket_timeout": BROKER_SECONDS}
    try:
        with app.connection_for_write(connect_timeout=BROKER_SECONDS, transport_options=options) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
    except (OperationalError, OSError) as error:
        logger.error("probe.broker", error=type(error).__name__)
        return False
    return True


def _answer(*, is_well: bool) -> HttpResponse:
    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    answer = HttpResponse("ok\n" if is_well else "failing\n", content_type="text/plain", status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
