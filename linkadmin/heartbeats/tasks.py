"""The task that runs the others at each tick of the scheduler, and so proves that idle workers still work."""

import time
from collections.abc import Sequence

import structlog
from celery import current_app, shared_task

from linkadmin.database import release_connections

from . import signs

logger = structlog.get_logger(__name__)


@shared_task(name="heartbeats.tick")
def tick(tasks: Sequence[str]) -> None:
    """Run short tasks in turn: a message for each would cost more than its work.

    If one fails, the others still run.
    """
    took_ms: dict[str, int] = {}
    for name in tasks:
        began = time.monotonic()
        try:
            current_app.tasks[name]()
        except Exception:  # as Celery does with each of its messages
            logger.exception("tick.failed", task=name)
            release_connections()  # one may be broken
        took_ms[name] = round((time.monotonic() - began) * 1000)
        signs.note_progress()
    logger.info("tick.done", took_ms=took_ms)
