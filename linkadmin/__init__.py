"""Linkadmin: shows who every open-banking link is waiting on, and repairs it."""

from .celery import app as celery_app

__all__ = ["celery_app"]
