"""Demo data never becomes production: its staff have a published password."""

import sys

import structlog
from django.conf import settings
from django.db import DatabaseError, connections

from linkadmin.accounts.models import User

from .casting import id_of
from .names import COLLEAGUES, LOG_INS

REFUSAL = (
    "This database holds demo staff, whose password is published, so Linkadmin doesn't start with it. "
    "Use another database, or set LINKADMIN_DEMO=1 if this is the demo."
)

STOP = 3  # with any other status gunicorn would start the next worker

logger = structlog.get_logger(__name__)


def refuse_demo_staff() -> None:
    """End this process in one sentence if it would serve the demo's staff without being the demo.

    A database that does not answer, or has no tables yet, has nobody to serve.
    """
    if settings.DEMO:
        return
    try:
        found = User.objects.filter(pk__in=[id_of("staff", username) for username, *_ in (*LOG_INS, *COLLEAGUES)])
        is_demo = found.exists()
    except DatabaseError as error:
        logger.warning("demo.not_looked_for", error=type(error).__name__)
        return
    finally:
        connections.close_all()  # a process that forks later must not share one
    if is_demo:
        sys.stderr.write(REFUSAL + "\n")
        sys.exit(STOP)
