"""A compiled query is shared by all threads of a process."""

import operator
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
from django.db.models import Q, QuerySet, Value
from django.http import QueryDict

from linkadmin import paging
from linkadmin.compiled_query import CompiledQuery, compiled, load
from linkadmin.links.models import Link
from tests.environment import Environment

THREADS, ROUNDS = 6, 40
NAMED = ("integration", "end_user", "institution")


@pytest.fixture
def eager_threads() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("eager_threads")
def test_threads_that_compile_a_query_at_once_get_the_same() -> None:
    compiled = set()

    for _ in range(ROUNDS):
        query = CompiledQuery(lambda pk: Link.objects.filter(pk=pk).select_related(*NAMED))
        assert query._built is not None
        together = threading.Barrier(THREADS)

        def compile_it(part: str, query: CompiledQuery = query, together: threading.Barrier = together) -> None:
            together.wait()
            getattr(query, part)
            compiled.add(query._sql[0])

        threads = [threading.Thread(target=compile_it, args=(("_sql", "_loader")[n % 2],)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(compiled) == 1


@pytest.mark.django_db
def test_rows_are_loaded_as_by_django(env: Environment) -> None:
    env.belvo_link()
    env.heron_link()
    links = Link.objects.select_related(*NAMED, "assignee").annotate(one=Value(1)).defer("raw_words").order_by("pk")
    facts = operator.attrgetter("__dict__", "integration.name", "end_user.name", "institution", "assignee", "one")

    def without_state(link: Link) -> dict[str, object]:
        return {name: value for name, value in facts(link)[0].items() if name != "_state"}

    loaded, usual = load(links), list(links)

    assert list(map(without_state, loaded)) == list(map(without_state, usual))
    assert [facts(link)[1:] for link in loaded] == [facts(link)[1:] for link in usual]
    assert [(each._state.db, each._state.adding, each.raw_words) for each in loaded] == [("default", False, "")] * 2


@pytest.mark.django_db
@pytest.mark.parametrize("links", [Link.objects.none(), Link.objects.filter(pk__in=[])])
def test_nothing_is_loaded_without_a_statement(
    links: "QuerySet[Link]", django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    with django_assert_num_queries(0):
        assert list(load(links)) == []


@pytest.mark.django_db
def test_rows_of_something_know_it_without_a_statement(
    env: Environment, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    env.belvo_link()

    with django_assert_num_queries(1):
        assert {link.integration is env.belvo for link in load(env.belvo.links.all())} == {True}


@pytest.mark.django_db
def test_pages_of_a_kept_queryset_are_compiled_once(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored is read again; another filter or cursor has another statement."""
    ours, other = env.belvo_link(), env.heron_link()
    asked, by_id, kept = [], paging.Keyset("id"), Link.objects.all()
    monkeypatch.setattr(paging, "compiled", lambda rows: asked.append(rows) or compiled(rows))  # type: ignore[func-returns-value]

    def shown(query: str = "", where: Q | None = None, of: "QuerySet[Link]" = kept) -> list[UUID]:
        return [link.pk for link in by_id.page(of, QueryDict(query), [paging.Part(where)] if where else []).rows]

    first, last = sorted([ours.pk, other.pk])
    assert shown() == shown() == [first, last]
    assert len(asked) == 1
    assert shown(f"after={first}") == [last]
    assert shown(where=Q(pk=ours.pk)) == [ours.pk]
    assert shown(where=Q(pk=other.pk)) == [other.pk]
    assert len(asked) == 4
    Link.objects.filter(pk=last).delete()
    assert shown() == [first]
    assert shown(of=Link.objects.all()) == [first]
    assert len(asked) == 5
