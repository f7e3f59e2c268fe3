"""Providers' answers are shown again for a minute, encrypted in the cache; a lost entry costs a new request."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError

from linkadmin.simulator.settings import SimulatorSettings
from tests.environment import Environment
from tests.markup import Page
from tests.slowness import SlowProvider

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]


class RecordedCache:
    """The cache, and what was written to it, under which keys and for how many seconds."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.written: list[tuple[float, bytes]] = []

    def get(self, key: str) -> Any:
        return cache.get(key)

    def add(self, key: str, value: bytes, *, timeout: float) -> bool:
        self.keys.add(key)
        self.written.append((timeout, value))
        return bool(cache.add(key, value, timeout=timeout))

    def set(self, key: str, value: bytes, *, timeout: float) -> None:
        self.written.append((timeout, value))
        cache.set(key, value, timeout=timeout)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> RecordedCache:
    recorded = RecordedCache()
    monkeypatch.setattr("linkadmin.sync.answer_cache.cache", recorded)
    return recorded


def links_at_belvo(env: Environment) -> str:
    return f"{env.belvo.get_absolute_url()}records/links/"


def tables_of(page: Page) -> list[str]:
    """Return the texts of a page's tables, without relative times."""
    tables = re.findall(r"<table.*?</table>", page.source, re.DOTALL)
    return [" ".join(re.sub(r"<time.*?</time>|<[^>]*>", " ", table, flags=re.DOTALL).split()) for table in tables]


def test_answer_is_cached_for_a_minute_and_reloaded_on_request(env: Environment) -> None:
    env.belvo_link()
    url = links_at_belvo(env)

    env.open(url)
    env.open(url)
    assert len(env.calls("GET", "/api/links/")) == 1
    env.post(url, {"again": "1"})
    assert len(env.calls("GET", "/api/links/")) == 2


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ana", "/integrations/{belvo}/records/links/"),
        ("ana", "/integrations/{heron}/records/customers/"),
        ("adm", "/integrations/{heron}/records/connectors/"),
        ("ana", "/customers/{belvo_customer}/records/{belvo}/"),
        ("ana", "/customers/{heron_customer}/records/{heron}/"),
        ("ana", "/links/{belvo_link}/records/"),
        ("ana", "/links/{heron_link}/records/"),
    ],
)
def test_every_answer_is_shown_again_as_it_was(env: Environment, name: str, path: str) -> None:
    belvo, heron = env.belvo_link(bank="ofmockbank_br_retail"), env.heron_link("Blue Fern")
    ids = {"belvo": env.belvo.pk, "heron": env.heron.pk, "belvo_link": belvo.pk, "heron_link": heron.pk}
    url = path.format(**ids, belvo_customer=belvo.end_user_id, heron_customer=heron.end_user_id)
    first, asked = env.open(url, name), len(env.simulator.calls)

    again = env.open(url, name)

    assert len(env.simulator.calls) == asked
    assert again.status == 200
    assert tables_of(again) == tables_of(first) != []


def test_answer_is_stored_encrypted_and_for_a_minute(env: Environment, recorded: RecordedCache) -> None:
    link = env.belvo_link("Wilhelmina Quackenbush")

    page = env.open(links_at_belvo(env))

    (claimed, _nothing), (stored, encrypted) = recorded.written
    assert link.remote_id in page.words
    assert link.remote_id.encode() not in encrypted
    assert b"remote_id" not in encrypted
    assert (claimed, stored) == (4 * 15 + 30, 60)  # a process that died while it asked is waited for no longer


def test_lost_answer_costs_a_new_question(env: Environment) -> None:
    link = env.belvo_link()
    env.open(links_at_belvo(env))
    cache.clear()

    page = env.open(links_at_belvo(env))

    assert link.remote_id in page.words
    assert len(env.calls("GET", "/api/links/")) == 2


def test_answer_encrypted_with_other_keys_is_asked_for_again(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    link = env.belvo_link()
    env.open(links_at_belvo(env))
    monkeypatch.setattr(cache, "get", lambda *_arguments: b"encrypted with another key")

    page = env.open(links_at_belvo(env))

    assert link.remote_id in page.words
    assert len(env.calls("GET", "/api/links/")) == 2


def test_unreadable_answer_is_replaced_by_the_next(env: Environment, recorded: RecordedCache) -> None:
    link = env.belvo_link()
    env.open(links_at_belvo(env))
    cache.set_many(dict.fromkeys(recorded.keys, b"from another release"))

    pages = [env.open(links_at_belvo(env)) for _look in range(2)]

    assert all(link.remote_id in page.words for page in pages)
    assert len(env.calls("GET", "/api/links/")) == 2


def test_cache_that_cannot_be_used_costs_a_question_each_time(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = env.belvo_link()
    monkeypatch.setattr("linkadmin.sync.answer_cache.cache", None)

    pages = [env.open(links_at_belvo(env)) for _look in range(2)]

    assert all(link.remote_id in page.words for page in pages)
    assert len(env.calls("GET", "/api/links/")) == 2


def test_answer_to_a_question_forgotten_meanwhile_is_not_stored(env: Environment, slow: SlowProvider) -> None:
    env.belvo_link()
    env.simulator.configure(SimulatorSettings(latency=1))
    waiting = env.open(links_at_belvo(env))

    cache.clear()  # as a change does with what it makes out of date
    slow.answers()
    env.settled()
    env.simulator.configure(SimulatorSettings())
    env.open(links_at_belvo(env))

    assert "Contacting Belvo" in waiting.words
    assert len(env.calls("GET", "/api/links/")) == 2


def test_answer_cached_for_one_reader_is_not_shown_to_another(env: Environment) -> None:
    env.belvo_link()

    env.open(links_at_belvo(env), "ana")
    env.open(links_at_belvo(env), "ben")

    assert len(env.calls("GET", "/api/links/")) == 2


def test_request_that_could_not_start_can_be_repeated(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_event: object) -> None:
        raise OperationalError("the connection is closed")

    with monkeypatch.context() as patch:
        patch.setattr("linkadmin.audit.log.record", away)
        refused = env.open(links_at_belvo(env))
    assert refused.status == 503
    assert env.calls("GET", "/api/links/") == []

    page = env.open(links_at_belvo(env))

    assert len(env.calls("GET", "/api/links/")) == 1
    assert "The provider has no links for this integration." in page.words
