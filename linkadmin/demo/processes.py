"""Several programs run as one: if one of them ends, or on a signal, all are stopped and none is left behind."""

import os
import shlex
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import parent_process

import honcho.manager
import honcho.process

STOP_SECONDS = 3.5  # from SIGTERM to SIGKILL; a worker needs up to 3 to notice
honcho.manager.KILL_WAIT = STOP_SECONDS


class Child(honcho.process.Process):  # type: ignore[misc]  # honcho has no types
    """A program that also ends if its manager is killed."""

    def run(self, events: object = None, ignore_signals: bool = False) -> None:
        threading.Thread(target=self._end_with_manager, daemon=True).start()
        super().run(events, ignore_signals)

    def _end_with_manager(self) -> None:
        if manager := parent_process():
            manager.join()
        while self._child is None:
            time.sleep(0.01)
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGTERM)
            time.sleep(STOP_SECONDS)
            os.killpg(self._child.pid, signal.SIGKILL)


class Manager(honcho.manager.Manager):  # type: ignore[misc]  # honcho has no types
    """honcho's manager, but it always stops within STOP_SECONDS."""

    def __init__(self, when_started: Callable[[], None]) -> None:
        super().__init__()
        self._process_ctor = Child
        self._when_started = when_started

    def _start(self) -> None:
        super()._start()
        # Not earlier: a process shouldn't fork with threads running.
        threading.Thread(target=self._when_started, daemon=True).start()

    def terminate(self) -> None:
        # A process without a known ID can't be stopped yet: the loop tries again.
        if self._all_started():
            super().terminate()

    def _any_stopped(self) -> bool:
        # A signal starts the time limit too.
        return self.returncode is not None or super()._any_stopped()

    def _system_print(self, data: str) -> None:
        if not self._terminating:
            super()._system_print(data)


def run_together(
    commands: Mapping[str, Sequence[str]], *, when_started: Callable[[], None] = lambda: None, env: Mapping[str, str]
) -> int:
    """Run named programs until one of them ends or a signal comes; return the exit status, 0 after a signal."""
    manager = Manager(when_started)
    for name, command in commands.items():
        manager.add_process(name, f"exec {shlex.join(command)}", env=dict(env))
    manager.loop()
    asked = {known["rc"] for known in honcho.manager.SIGNALS.values()}
    # A program that isn't meant to end has failed, whatever its own status says.
    return 0 if manager.returncode in asked else manager.returncode or 1
