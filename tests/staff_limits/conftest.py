"""Customers to see, and limits that a test reaches quickly."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.environment import Environment

Limits = Callable[..., None]


@pytest.fixture
def limits(settings: Settings) -> Limits:
    """Set when limits warn and stop, by kind."""

    def set_limits(**chosen: tuple[int, int]) -> None:
        settings.STAFF_LIMITS = {**settings.STAFF_LIMITS, **chosen}

    return set_limits


@pytest.fixture
def links(env: Environment) -> list[Link]:
    """One link of each of twelve customers."""
    customers = [env.customer(f"Customer {number:02}") for number in range(12)]
    return [
        env.let_know(env.belvo, customer, f"remote-{number}", env.bank(), Cause.LOGIN_REFUSED)
        for number, customer in enumerate(customers)
    ]
