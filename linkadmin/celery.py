"""What `celery --app linkadmin` runs: the application, and what worker and beat do when they start."""

from typing import Any

import django
from celery.signals import beat_init, celeryd_init, task_postrun, task_prerun, worker_ready

from linkadmin.hardening import no_core_dumps

from .wake_worker import app

__all__ = ["app"]


@celeryd_init.connect
@beat_init.connect
def start_safely(**kwargs: object) -> None:
    django.setup()
    from linkadmin.startup import refuse_if_unfit

    no_core_dumps()
    refuse_if_unfit()


@worker_ready.connect
def show_alive(sender: Any = None, **kwargs: object) -> None:
    # The heartbeat shows that the worker lives; only its tasks show that it works.
    from linkadmin.heartbeats.models import ProgramKind
    from linkadmin.heartbeats.signs import HeartbeatWriter

    HeartbeatWriter(ProgramKind.WORKER, str(sender.hostname)).keep_beating()


@task_prerun.connect
@task_postrun.connect
def show_work(task: Any = None, **kwargs: object) -> None:
    from linkadmin.heartbeats import signs

    signs.note_task(str(task.request.hostname))
