"""Every state of every page fits every screen, in light and dark mode, and is accessible.

`make screenshots` runs these tests and stores what they see. The others only look at the most important pages.
"""

import pytest

from tests.environment import Environment
from tests.slowness import SlowProvider

from . import tour
from .helpers import Windows
from .photographs import MAIN_SIZES, look_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_main_pages_are_without_faults(env: Environment, windows: Windows) -> None:
    look_at(windows, tour.main_pages(env), MAIN_SIZES)


@pytest.mark.thorough
@pytest.mark.parametrize("subject", tour.SUBJECTS)
def test_every_page_is_without_faults(env: Environment, windows: Windows, subject: str) -> None:
    look_at(windows, tour.SUBJECTS[subject](env))


@pytest.mark.thorough
def test_pages_that_wait_for_a_bank_are_without_faults(env: Environment, slow: SlowProvider, windows: Windows) -> None:
    look_at(windows, tour.waiting(env))


@pytest.mark.thorough
def test_pages_without_data_are_without_faults(env: Environment, windows: Windows) -> None:
    look_at(windows, tour.without_data(env))
