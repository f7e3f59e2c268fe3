"""Readings of all that one integration has at its provider: how each link stands, which are new, which are missing."""

from .lifecycle import WORK_TASK, can_full_check, due, running, start, stop, waiting
from .worker import work

__all__ = ["WORK_TASK", "can_full_check", "due", "running", "start", "stop", "waiting", "work"]
