"""Waits for asynchronous results, on idle and busy machines."""

import time
from collections.abc import Callable

BUSY_SECONDS = 60.0  # enough even on a busy machine


def wait_until(look: Callable[[], object]) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while not look():
        assert time.monotonic() < deadline, f"not within {BUSY_SECONDS:.0f} s"
        time.sleep(0.01)
