"""Reads as a worker does: `python -m benchmarks.background_reads INTEGRATION SECONDS` prints how many were answered."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import django

django.setup()

from linkadmin.integrations.connections import client_for  # noqa: E402 - Django has to be set up first
from linkadmin.integrations.models import Integration  # noqa: E402
from linkadmin.providers.errors import ProviderError  # noqa: E402

THREADS = 8


def read(integration: Integration, until: float) -> int:
    provider, answered = client_for(integration, in_background=True), 0
    while time.monotonic() < until:
        try:
            provider.list_end_users({}, page=1)
            answered += 1
        except ProviderError:  # no slot or no quota for now
            time.sleep(0.02)
    return answered


if __name__ == "__main__":
    ours = Integration.objects.get(pk=UUID(sys.argv[1]))
    until = time.monotonic() + float(sys.argv[2])
    with ThreadPoolExecutor(THREADS) as pool:
        print(sum(pool.map(lambda _thread: read(ours, until), range(THREADS))))
