"""What two processes say to each other: proven by their secret, for this talk alone, and never waited for long."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from linkadmin.siblings.talk import LONGEST, NotASibling, Talk
from tests.waiting import BUSY_SECONDS

Lines = tuple[socket.socket, socket.socket]


@pytest.fixture
def lines() -> Iterator[Lines]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def begin(lines: Lines, *, roles: tuple[bool, bool] = (True, False)) -> tuple[Talk, Talk]:
    deadline = time.monotonic() + BUSY_SECONDS
    with ThreadPoolExecutor() as both:
        one, other = (both.submit(Talk, line, deadline, asks=asks) for line, asks in zip(lines, roles, strict=True))
    return one.result(), other.result()


def test_each_hears_what_the_other_says(lines: Lines) -> None:
    asking, answering = begin(lines)

    asking.say(b"what is kept?")
    heard = answering.hear()
    answering.say(b"nothing")

    assert (heard, asking.hear()) == (b"what is kept?", b"nothing")


def test_long_answer_arrives_whole(lines: Lines) -> None:
    asking, answering = begin(lines)
    long = b"1" * 1_000_000

    with ThreadPoolExecutor() as beside:
        beside.submit(answering.say, long)
        heard = asking.hear()

    assert heard == long


def test_words_of_who_has_another_secret_are_refused(lines: Lines, settings: Settings) -> None:
    asking, answering = begin(lines)
    asking.say(b"what is kept?")

    settings.SECRET_KEY = "the key of somebody else"

    with pytest.raises(NotASibling):
        answering.hear()


def test_words_overheard_in_one_talk_prove_nothing_in_another(lines: Lines) -> None:
    asking, _answering = begin(lines)
    asking.say(b"what is kept?")
    overheard = lines[1].recv(1000)
    _asking, answering = begin(lines)

    lines[0].sendall(overheard)

    with pytest.raises(NotASibling):
        answering.hear()


def test_question_sent_back_is_no_answer(lines: Lines) -> None:
    asking, _answering = begin(lines)
    asking.say(b"what is kept?")

    lines[1].sendall(lines[1].recv(1000))

    with pytest.raises(NotASibling):
        asking.hear()


def test_two_that_both_ask_do_not_understand_each_other(lines: Lines) -> None:
    one, other = begin(lines, roles=(True, True))

    one.say(b"what is kept?")

    with pytest.raises(NotASibling):
        other.hear()


def test_more_than_is_ever_said_is_not_read(lines: Lines) -> None:
    asking, _answering = begin(lines)

    lines[1].sendall((LONGEST + 1).to_bytes(4, "big"))

    with pytest.raises(NotASibling):
        asking.hear()


def test_silence_ends_with_the_time(lines: Lines) -> None:
    asking, _answering = begin(lines)
    asking._deadline = time.monotonic() + 0.1
    lines[1].sendall(b"\0\0")  # and goes on no further

    with pytest.raises(TimeoutError):
        asking.hear()


def test_end_of_the_other_is_told_at_once(lines: Lines) -> None:
    asking, _answering = begin(lines)

    lines[1].close()

    with pytest.raises(ConnectionResetError):
        asking.hear()
