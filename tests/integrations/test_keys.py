"""What responses say about API keys: rejected until someone acts, rejected for a while, valid again."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.providers.errors import KeysRejected
from tests.environment import Environment
from tests.providers.conftest import Behaviour, Script, reply

pytestmark = pytest.mark.django_db(transaction=True)

Answers = Callable[[Behaviour], None]


@pytest.fixture
def belvo_answers(env: Environment) -> Iterator[Answers]:
    """Give every call to Belvo the same response from now on."""
    scripts = []

    def answer(behaviour: Behaviour) -> None:
        scripts.append(Script([behaviour]))
        Integration.objects.filter(pk=env.belvo.pk).update(base_url=scripts[-1].url)

    yield answer
    env.settled()
    for script in scripts:
        script.stop()


def ask_about(env: Environment, link: Link) -> None:
    """Check a link's status by hand, and wait for the response."""
    env.post(f"{link.get_absolute_url()}refresh/")
    env.settled()
    env.belvo.refresh_from_db()


def test_good_call_takes_back_that_a_provider_could_not_be_reached(env: Environment) -> None:
    link = env.belvo_link()
    Integration.objects.update(key_state=Integration.KeyState.UNREACHABLE, test_detail="timeout")

    ask_about(env, link)

    assert (env.belvo.key_state, env.belvo.test_detail) == (Integration.KeyState.VALID, "")


def test_any_call_that_is_answered_says_that_keys_are_good(env: Environment) -> None:
    Integration.objects.update(key_state=Integration.KeyState.UNREACHABLE)

    client_for(env.belvo, in_background=True).test_connection()

    env.belvo.refresh_from_db()
    assert env.belvo.key_state == Integration.KeyState.VALID


def test_key_that_cannot_be_decrypted_is_noted_before_any_call(env: Environment) -> None:
    env.belvo.secrets.update(version=99)

    with pytest.raises(KeysRejected):
        client_for(env.belvo)

    env.belvo.refresh_from_db()
    assert env.belvo.keys_rejected
    assert "can't be decrypted" in env.belvo.test_detail


@pytest.mark.usefixtures("still")
def test_rejection_that_may_be_a_rate_limit_lasts_until_then(env: Environment, belvo_answers: Answers) -> None:
    link = env.belvo_link()
    belvo_answers(reply(403, [], Retry_After="900"))

    ask_about(env, link)

    assert env.belvo.keys_rejected
    assert env.belvo.keys_retry_at == timezone.now() + timedelta(seconds=900)
    Integration.objects.update(keys_retry_at=timezone.now())
    env.belvo.refresh_from_db()
    assert not env.belvo.keys_rejected


def test_next_rejection_lasts_from_its_own_start(env: Environment, belvo_answers: Answers) -> None:
    link = env.belvo_link()
    Integration.objects.update(key_state=Integration.KeyState.REJECTED, keys_retry_at=timezone.now())
    belvo_answers(reply(403, [], Retry_After="900"))

    ask_about(env, link)

    assert env.belvo.keys_rejected


@pytest.mark.parametrize("path", ["refresh", "test"])
def test_rejected_keys_are_tried_again_by_a_person_only(env: Environment, belvo_answers: Answers, path: str) -> None:
    link = env.belvo_link()
    Integration.objects.update(key_state=Integration.KeyState.REJECTED, keys_retry_at=timezone.now())
    belvo_answers(reply(401, []))

    if path == "refresh":
        ask_about(env, link)
    else:
        env.post(f"{env.belvo.get_absolute_url()}test/", name="adm")

    env.belvo.refresh_from_db()
    assert (env.belvo.keys_rejected, env.belvo.keys_retry_at) == (True, None)


def test_good_answer_forgets_when_keys_are_tried_again(env: Environment) -> None:
    link = env.belvo_link()
    Integration.objects.update(key_state=Integration.KeyState.REJECTED, keys_retry_at=timezone.now())

    ask_about(env, link)

    assert (env.belvo.key_state, env.belvo.keys_retry_at) == (Integration.KeyState.VALID, None)


@pytest.mark.parametrize("late", [reply(403, [], Retry_After="900"), reply(400, [])])
def test_answer_to_a_call_that_started_before_keys_were_rejected_leaves_it_to_a_person(
    env: Environment, belvo_answers: Answers, late: Behaviour
) -> None:
    link = env.belvo_link()

    def refused_meanwhile(connection: socket.socket) -> None:
        Integration.objects.update(key_state=Integration.KeyState.REJECTED, keys_retry_at=None)
        connections.close_all()
        late(connection)

    belvo_answers(refused_meanwhile)

    ask_about(env, link)

    assert (env.belvo.key_state, env.belvo.keys_retry_at) == (Integration.KeyState.REJECTED, None)


@pytest.mark.parametrize("before", [Integration.KeyState.REJECTED, Integration.KeyState.VALID])
def test_provider_that_lets_the_test_wait_says_nothing_about_the_keys(
    env: Environment, belvo_answers: Answers, before: str
) -> None:
    belvo_answers(reply(429, []))
    Integration.objects.filter(pk=env.belvo.pk).update(key_state=before)

    answer = env.post(f"{env.belvo.get_absolute_url()}test/", name="adm")

    env.belvo.refresh_from_db()
    assert env.belvo.key_state == before
    words = env.open(answer.location, "adm").words
    assert "The provider is rate-limiting us, so the keys weren't tested." in words
    assert "accepted the API keys" not in words
    assert AuditEvent.objects.get(action="integration.connection_tested").outcome == "rejected"
