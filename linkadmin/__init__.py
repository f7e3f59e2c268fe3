"""Linkadmin: whose turn it is on every open-banking link, and the repair itself."""

# Icons are read from a zip file. A codec that two threads import at the same moment may be unknown to Python for good.
import encodings.cp437  # noqa: F401

from .celery import app as celery_app

__all__ = ["celery_app"]
