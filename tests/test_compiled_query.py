"""A compiled query is shared by all threads of a process."""

import sys
import threading
from collections.abc import Iterator

import pytest

from linkadmin.compiled_query import CompiledQuery
from linkadmin.links.models import Link

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
