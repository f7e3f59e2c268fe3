"""What a web process, worker or beat does before it starts: log what is unsafe, or refuse."""

import sys
from collections.abc import Iterable

import structlog
from django.conf import settings
from django.core.checks import CRITICAL, CheckMessage, Tags, run_checks
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from linkadmin import checks
from linkadmin.demo import guard

STOP = 3  # with any other exit code gunicorn would start the next worker

logger = structlog.get_logger(__name__)


def refuse_if_unfit() -> None:
    """Exit with a message if a setting is fatal, an earlier version created the database, or it has demo staff.

    A database that doesn't respond or has no tables yet has no one to serve.
    """
    if not settings.DEMO:
        _report(run_checks(tags=[Tags.security], include_deployment_checks=True))
    try:
        _report(checks.database_is_of_this_version(databases=[DEFAULT_DB_ALIAS]))
        _report(guard.demo_data())
    except DatabaseError as error:
        logger.warning("startup.database_not_checked", error=type(error).__name__)
    finally:
        _release_all()


def _report(found: Iterable[CheckMessage]) -> None:
    for each in found:
        if each.level >= CRITICAL:
            sys.stderr.write(f"{each.msg} {each.hint or ''}".rstrip() + "\n")
            sys.exit(STOP)
        if not each.is_silenced():
            logger.warning("startup.unsafe", check=each.id, problem=each.msg, hint=each.hint)


def _release_all() -> None:
    """Close connections and pools: processes forked later would share their sockets."""
    connections.close_all()
    for each in connections.all(initialized_only=True):
        if each.vendor == "postgresql":
            each.close_pool()  # type: ignore[attr-defined]
