"""Staff of every role, and their browsers."""

from collections.abc import Callable

import pytest
from django.test import Client

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role

PASSWORD = "correct horse battery"

Browser = Callable[[Role], Client]


@pytest.fixture
def member(db: None) -> Callable[[Role], User]:
    def make(role: Role) -> User:
        return User.objects.create_user(username=role.value, name=f"Ana {role.label}", password=PASSWORD, role=role)

    return make


@pytest.fixture
def browser_of(member: Callable[[Role], User]) -> Browser:
    """A browser in which somebody with this role has signed in."""

    def log_in(role: Role) -> Client:
        client = Client()
        client.force_login(member(role))
        return client

    return log_in
