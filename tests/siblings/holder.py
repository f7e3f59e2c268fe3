"""A process beside the tests, with shelves of its own: `with Holder(folder) as holder: holder.keep(key, "482913")`.

`python -m tests.siblings.holder` does what each line of its input says, and answers in a line of JSON.
"""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from django.utils import timezone

from linkadmin import logs
from linkadmin.operations import memory


class Holder:
    """The other process, from here."""

    def __init__(self, data: Path, **environment: str) -> None:
        mine = {"DJANGO_SETTINGS_MODULE": "tests.settings", "LINKADMIN_DATA": str(data)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.siblings.holder"],
            env=os.environ | mine | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def keep(self, key: UUID, value: str, *, seconds: float = 60) -> None:
        self._do("keep", str(key), value, seconds)

    def keep_in_child(self, key: UUID, value: str) -> int:
        """Have a forked child keep it; return the child's process id."""
        return int(self._do("keep_in_child", str(key), value))

    def has(self, key: UUID) -> bool:
        return bool(self._do("has", str(key)))

    def end(self) -> None:
        """Let it end as a program does."""
        self._process.communicate(timeout=60)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _do(self, verb: str, *said: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([verb, *said]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def keep(key: str, value: str, seconds: float = 60) -> None:
    until = timezone.now() + timedelta(seconds=seconds)
    memory.CHALLENGES.keep(UUID(key), memory.Shown("Type this number", value), until=until)


def keep_in_child(key: str, value: str) -> int:
    told, tell = os.pipe()
    if child := os.fork():
        os.read(told, 1)
        return child
    keep(key, value)
    os.write(tell, b".")
    time.sleep(60)  # until it is killed
    os._exit(1)


def has(key: str) -> bool:
    return memory.CHALLENGES.find(UUID(key)) is not None


def main() -> None:
    logs.configure(logs.logging_config(level="INFO"))
    verbs = {"keep": keep, "keep_in_child": keep_in_child, "has": has}
    for line in sys.stdin:
        verb, *said = json.loads(line)
        sys.stdout.write(json.dumps(verbs[verb](*said)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
