"""Staff of every role, and their browsers."""

from collections.abc import Callable, Iterator

import pytest
from django.template import engines
from django.test import Client

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role

PASSWORD = "correct horse battery"

Browser = Callable[[Role], Client]


@pytest.fixture(autouse=True)
def _no_frame_of_other_urls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drawn navigation is kept with its template: with URLs of the tests' own, it's only for them."""
    of_its_own = request.node.get_closest_marker("urls") is not None
    for loader in engines["django"].engine.template_loaders if of_its_own else ():
        loader.reset()
    yield
    for loader in engines["django"].engine.template_loaders if of_its_own else ():
        loader.reset()


@pytest.fixture
def member(db: None) -> Callable[[Role], User]:
    def make(role: Role) -> User:
        return User.objects.create_user(username=role.value, name=f"Ana {role.label}", password=PASSWORD, roles=role)

    return make


@pytest.fixture
def browser_of(member: Callable[[Role], User]) -> Browser:
    """A browser in which somebody with this role has signed in."""

    def log_in(role: Role) -> Client:
        client = Client()
        client.force_login(member(role))
        return client

    return log_in
