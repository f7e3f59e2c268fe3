"""Tasks that occupy a worker slot for long."""

import threading
import time

from celery import shared_task

from linkadmin.celery import app


@shared_task(name="tests.read_on")
def read_on(integration_id: str, seconds: str) -> None:
    """Read from a provider continuously, as full checks and bulk jobs do."""
    from linkadmin.integrations.connections import client_for
    from linkadmin.integrations.models import Integration

    provider = client_for(Integration.objects.get(pk=integration_id), in_background=True)
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        provider.test_connection()
        time.sleep(2)


@shared_task(name="tests.hang")
def hang() -> None:
    threading.Event().wait()


def send(name: str, *arguments: str) -> None:
    """Send one."""
    app.send_task(name, args=arguments)
