"""The repair that runs on a link's page: its steps, and how far the latest operation is."""

from typing import Any

from django.utils import timezone

from linkadmin.heartbeats import watch
from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, State
from linkadmin.operations.presentation.explanations import Explanation, explain
from linkadmin.operations.presentation.steps import steps_of_link


def running_repair(link: Link, last: Operation | None) -> dict[str, Any]:
    context: dict[str, Any] = {"steps": steps_of_link(link, last)}
    if last is not None and last.is_running:
        context |= progress_of(last)
    return context


def progress_of(operation: Operation) -> dict[str, Any]:
    now = timezone.now()
    return {
        "progress": _explained(operation),
        "is_checked": not watch.has_stopped(),
        "now": now,
        "elapsed": int((now - operation.began_at).total_seconds()),
    }


def _explained(operation: Operation) -> Explanation | None:
    is_called = operation.state in (State.PREPARED, State.SENDING) and not operation.is_lost
    return None if is_called else explain(operation)
