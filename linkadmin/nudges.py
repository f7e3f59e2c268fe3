"""Messages to the workers: a nudge to look at a row now. Lost or doubled, nothing comes of it."""

from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)


def nudge(task: str, row: UUID | None) -> None:
    """Ask a worker to look at a row. Without a broker the schedule finds it a little later."""
    if row is None:
        return
    try:
        current_app.send_task(task, args=[str(row)], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("nudge.lost", task=task, row=str(row), error=type(error).__name__)
