"""Challenges: encrypted for their row alone, and deleted from the database when they expire."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.operations import reconcile, tasks
from linkadmin.operations.models import PendingChallenge
from tests.environment import Environment

from .helpers import act, url_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

NUMBER = re.compile(r'class="challenge__number">(\d{6})<')
GONE = "This challenge is no longer available"


@pytest.fixture
def asked(env: Environment) -> Link:
    """A link whose bank shows a number and waits for a code."""
    return begin(env)


def begin(env: Environment) -> Link:
    link = env.belvo_link()
    act(env, link, "credentials", password="mfa_numeric")
    return link


def cells(table: str, *columns: str) -> list[tuple[bytes, ...]]:
    """Read columns as somebody with access to the database would."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - our own names
        return [tuple(bytes(cell) for cell in row) for row in cursor.fetchall()]


def challenges() -> list[tuple[bytes, ...]]:
    return cells("operations_pendingchallenge", "encrypted_session", "encrypted_shown")


def fail(*_arguments: Any, **_named: Any) -> None:
    raise OperationalError("the connection is closed")


def test_full_check_leaves_nothing_of_what_has_expired(asked: Link) -> None:
    before = challenges()
    PendingChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    tasks.close_overdue()

    assert len(before) == 1
    assert all(cell for row in before for cell in row)
    assert challenges() == []


def test_full_check_empties_expired_cells_of_a_challenge_that_cannot_be_closed(
    asked: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    PendingChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    monkeypatch.setattr(reconcile, "_end_step", fail)

    tasks.close_overdue()

    assert challenges() == [(b"", b"")]


def test_full_check_keeps_what_has_not_expired(asked: Link) -> None:
    before = challenges()

    tasks.close_overdue()

    assert challenges() == before


@pytest.mark.parametrize(
    "end",
    [
        lambda env, link: env.send(url_of(link, "code"), code="111111"),
        lambda env, link: env.post(f"{url_of(link, 'code')}withdraw/"),
    ],
    ids=["used", "canceled"],
)
def test_closed_challenge_is_deleted_at_once(
    env: Environment, asked: Link, end: Callable[[Environment, Link], object]
) -> None:
    end(env, asked)

    assert challenges() == []


def test_new_challenge_leaves_nothing_of_the_old_one(env: Environment, asked: Link) -> None:
    old = challenges()

    env.send(url_of(asked, "code"), code="222222")

    assert len(challenges()) == 1
    assert not {cell for row in old for cell in row} & {cell for row in challenges() for cell in row}


def test_challenge_stays_when_canceling_it_fails(
    env: Environment, asked: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("linkadmin.audit.log.record", fail)
        refused = env.post(f"{url_of(asked, 'code')}withdraw/")

    assert refused.status == 503
    assert NUMBER.search(env.open(url_of(asked, "code")).source)


def test_challenge_moved_to_another_row_cannot_be_decrypted(env: Environment, asked: Link) -> None:
    other = begin(env)
    here, there = (PendingChallenge.objects.get(operation__link=link) for link in (asked, other))
    PendingChallenge.objects.filter(pk=there.pk).update(encrypted_shown=here.encrypted_shown)

    assert GONE in env.open(url_of(other, "code")).words
    assert GONE not in env.open(url_of(asked, "code")).words


def test_session_in_the_wrong_column_cannot_be_decrypted(env: Environment, asked: Link) -> None:
    challenge = PendingChallenge.objects.get()
    PendingChallenge.objects.update(encrypted_shown=challenge.encrypted_session)

    assert GONE in env.open(url_of(asked, "code")).words
