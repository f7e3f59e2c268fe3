"""What a web process, a worker and beat refuse to start with."""

import sys

import structlog
from django.conf import settings
from django.db import DatabaseError, connections

from linkadmin import checks
from linkadmin.demo import guard

STOP = 3  # with any other status gunicorn would start the next worker

logger = structlog.get_logger(__name__)


def refuse_unfit_database() -> None:
    """End this process in one sentence if an earlier version made the database, or it holds the staff of a demo.

    A database that doesn't answer, or has no tables yet, has nobody to serve.
    """
    try:
        if refusal := _refusal():
            sys.stderr.write(refusal + "\n")
            sys.exit(STOP)
    except DatabaseError as error:
        logger.warning("startup.database_not_checked", error=type(error).__name__)
    finally:
        connections.close_all()  # a process that forks later must not share one


def _refusal() -> str:
    if checks.is_from_earlier_version():
        return checks.REFUSAL
    return guard.REFUSAL if not settings.DEMO and guard.has_demo_staff() else ""
