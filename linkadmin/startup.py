"""Reasons why a web process, worker or beat refuses to start."""

import sys

import structlog
from django.conf import settings
from django.db import DatabaseError, connections

from linkadmin import checks
from linkadmin.demo import guard

STOP = 3  # with any other exit code gunicorn would start the next worker

logger = structlog.get_logger(__name__)


def refuse_unfit_database() -> None:
    """Exit with a message if an earlier version created the database, or it has demo staff.

    A database that doesn't respond or has no tables yet has no one to serve.
    """
    try:
        if refusal := _refusal():
            sys.stderr.write(refusal + "\n")
            sys.exit(STOP)
    except DatabaseError as error:
        logger.warning("startup.database_not_checked", error=type(error).__name__)
    finally:
        _release_all()


def _release_all() -> None:
    """Close connections and pools: processes forked later would share their sockets."""
    connections.close_all()
    for each in connections.all(initialized_only=True):
        if each.vendor == "postgresql":
            each.close_pool()  # type: ignore[attr-defined]


def _refusal() -> str:
    if checks.is_from_earlier_version():
        return checks.REFUSAL
    return guard.REFUSAL if not settings.DEMO and guard.has_demo_staff() else ""
