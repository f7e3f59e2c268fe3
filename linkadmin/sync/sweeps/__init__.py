"""Readings of all that one integration has at its provider: how each link stands, which are new, which are missing."""

from .course import WORK_TASK, begin, can_sweep, due, running, stop, waiting
from .crew import work
from .discovery import take_strangers

__all__ = ["WORK_TASK", "begin", "can_sweep", "due", "running", "stop", "take_strangers", "waiting", "work"]
