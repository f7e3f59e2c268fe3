"""Full checks: read all links of an integration, find new ones, notice missing ones. Start with lifecycle.py."""

from .lifecycle import WORK_TASK, can_full_check, due, running, start, stop, waiting
from .worker import work

__all__ = ["WORK_TASK", "can_full_check", "due", "running", "start", "stop", "waiting", "work"]
