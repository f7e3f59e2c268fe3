"""Linkadmin: whose turn it is on every open-banking link, and the repair itself."""

from .celery import app as celery_app

__all__ = ["celery_app"]
