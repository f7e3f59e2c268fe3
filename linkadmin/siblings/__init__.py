"""The other processes on this machine: what one holds in memory alone, the others find there and keep no copy of.

Each that holds something listens at a door of its own (doors.py) and speaks to who knows our secret (talk.py). What is
found crosses a socket of the machine, from memory to memory: it still ends with its time, and with its process.
"""

import atexit
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from . import doors
from .talk import NotASibling, Talk

PATIENCE_SECONDS = 0.5  # for all siblings together: a page waits for them
TALK_SECONDS = 5.0  # for who asks here, and is less patient

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Holding:
    """How this process is asked for what it holds of one kind. What it finds is JSON."""

    find: Callable[[str], Any]
    forget: Callable[[str], None]


_holdings: dict[str, Holding] = {}


def hold(name: str, *, find: Callable[[str], Any], forget: Callable[[str], None]) -> None:
    """Name a kind of things, and tell how this process finds one of its own by a key, and forgets it."""
    _holdings[name] = Holding(find, forget)


def be_there() -> None:
    """Let the siblings ask from now on. Where that cannot be, this process serves alone."""
    try:
        _door.open()
    except (OSError, RuntimeError) as error:  # the latter: no thread is started any more, for the process ends
        logger.warning("siblings.no_door", error=type(error).__name__)


def find(name: str, key: str) -> Any:
    """Return what a sibling holds under a key; None where none has answered with it in time."""
    return next(_answers("find", name, key), None)


def forget(name: str, key: str) -> None:
    """Have every sibling forget what it holds under a key."""
    for _nothing in _answers("forget", name, key):
        pass


def _answers(*question: str) -> Iterator[Any]:
    """Ask all siblings at once, so that none that hangs stands before the one that knows; yield what they have."""
    others = _others()
    if not others:
        return
    deadline = time.monotonic() + PATIENCE_SECONDS
    asking = ThreadPoolExecutor(len(others), thread_name_prefix="sibling")
    answers = [asking.submit(_ask, door, question, deadline) for door in others]
    asking.shutdown(wait=False)
    for answer in as_completed(answers):
        if (found := answer.result()) is not None:
            yield found


def _others() -> list[Path]:
    try:
        return [door for door in doors.all_doors() if door != _door.path]
    except OSError as error:
        logger.warning("siblings.no_folder", error=type(error).__name__)
        return []


def _ask(door: Path, question: tuple[str, ...], deadline: float) -> Any:
    try:
        with doors.knock(door, deadline) as line:
            talk = Talk(line, deadline, asks=True)
            talk.say(json.dumps(question).encode())
            return json.loads(talk.hear())
    except (ConnectionRefusedError, FileNotFoundError):
        door.unlink(missing_ok=True)  # nobody listens: its process was killed, or has just ended
    except (OSError, NotASibling, ValueError) as error:
        logger.warning("sibling.silent", error=type(error).__name__)
    return None


def _serve(line: socket.socket) -> None:
    with line:
        try:
            talk = Talk(line, time.monotonic() + TALK_SECONDS, asks=False)
            talk.say(_answer(talk.hear()))
        except Exception as error:  # noqa: BLE001 - its words may hold what is kept here
            logger.warning("sibling.not_answered", error=type(error).__name__)


def _answer(asked: bytes) -> bytes:
    verb, name, key = json.loads(asked)
    holding = _holdings[name]
    return json.dumps({"find": holding.find, "forget": holding.forget}[verb](key)).encode()


_door = doors.Door(_serve)
atexit.register(_door.close)
os.register_at_fork(after_in_child=_door.leave_to_parent)
