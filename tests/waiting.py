"""Wait for what comes in its own time, on an idle machine and a busy one."""

import time
from collections.abc import Callable

BUSY_SECONDS = 60.0  # no machine is so busy that what comes takes longer


def wait_until(look: Callable[[], object]) -> None:
    """Look until there is something to see."""
    deadline = time.monotonic() + BUSY_SECONDS
    while not look():
        assert time.monotonic() < deadline, f"not within {BUSY_SECONDS:.0f} s"
        time.sleep(0.01)
