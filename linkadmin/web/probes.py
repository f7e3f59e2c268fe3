"""Is this process alive, can it serve, does everything run? One word for monitors, without Host or session."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from linkadmin.audit import checks
from linkadmin.heartbeats import watch
from linkadmin.web.storage import UNUSABLE

GetResponse = Callable[[HttpRequest], HttpResponse]

BROKER_SECONDS = 2

logger = structlog.get_logger(__name__)
_migrated = False  # of this process: what was applied once stays


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """Answer that this process answers, and touch nothing."""
    return _answer(is_well=True)


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Tell whether this process can serve pages. Never asks for broker or workers: without them pages still open."""
    return _answer(is_well=can_serve())


@require_safe
def statusz(request: HttpRequest) -> HttpResponse:
    """Tell whether every part runs."""
    return _answer(is_well=not failing_parts())


def probes_first(get_response: GetResponse) -> GetResponse:
    """Answer probes before anything looks for a host, a session or a person."""
    names = {"livez": livez, "readyz": readyz, "healthz": readyz, "statusz": statusz}
    views = {reverse(name): view for name, view in names.items()}

    def middleware(request: HttpRequest) -> HttpResponse:
        view = views.get(request.path_info)
        return view(request) if view else get_response(request)

    return middleware


def can_serve() -> bool:
    """Tell whether the database answers and has every migration."""
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
    """Name the parts that don't work."""
    if not can_serve():
        return ["database"]
    try:
        background = watch.look()
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


def _broker_answers() -> bool:
    options = dict(settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    if settings.CELERY_BROKER_URL.startswith("redis"):
        options |= {"socket_connect_timeout": BROKER_SECONDS, "socket_timeout": BROKER_SECONDS}
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_SECONDS, transport_options=options) as broker:
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
