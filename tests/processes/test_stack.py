"""The stack of these tests itself: what it starts is seen, so that nothing can be left behind unseen."""

import pytest

from .stack import PROGRAMS, Stack

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("processes")]


def test_every_process_of_a_stack_is_known_by_its_environment(stack: Stack) -> None:
    minder_and_worker_of_web = 1

    assert len(stack.processes()) == len(PROGRAMS) + minder_and_worker_of_web + len(["simulator"])
