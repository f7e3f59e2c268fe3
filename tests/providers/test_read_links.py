"""Batch reads and complete lists of links, over real sockets."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound, OutcomeUnknown
from linkadmin.providers.types import Cause, LinkRef, NewLink, Secret
from linkadmin.simulator.generated import Population
from linkadmin.simulator.server import Simulator

from .conftest import Script, belvo_at, heron_at, reply
from .shapes import BELVO_LINK, HERON_LINK, ITEM, LINK_ID
from .test_with_simulator import belvo_of, heron_of

Serve = Callable[..., Script]

GONE = "ffffffff-0000-4000-8000-000000000000"
REFS = [LinkRef(LINK_ID, ""), LinkRef(GONE, "")]


@pytest.fixture
def crowded() -> Iterator[Simulator]:
    with Simulator(population=Population(seed=7, belvo_links=1_150, heron_links=1_150), record=True) as simulator:
        yield simulator


@pytest.fixture
def belvo(crowded: Simulator) -> Provider:
    return belvo_of(crowded)


@pytest.fixture
def heron(crowded: Simulator) -> Provider:
    return heron_of(crowded)


class TestBelvo:
    def test_reads_a_hundred_links_in_one_call_without_the_one_that_is_gone(
        self, belvo: Provider, crowded: Simulator
    ) -> None:
        there = [link.remote_id for link in belvo.list_links({}, page=2).items]
        refs = [LinkRef(remote_id, "") for remote_id in (*there, GONE)]
        before = len(crowded.calls)

        found = [link for batch in belvo.batches(refs) for link in belvo.read_links(batch)]

        assert sorted(link.remote_id for link in found) == sorted(there)
        assert (len(there), len(crowded.calls) - before) == (100, 2)

    def test_reads_of_a_batch_what_it_reads_of_one(self, belvo: Provider) -> None:
        for link in belvo.list_links({}).items[:3]:
            ref = LinkRef(link.remote_id, "")

            assert belvo.read_links([ref]) == [belvo.read_link(ref)]

    def test_lists_all_links_in_pages_of_a_thousand(self, belvo: Provider) -> None:
        first, second = (belvo.list_links({}, page=number, whole=True) for number in (1, 2))

        assert (len(first.items), first.is_last, first.total) == (1_000, False, 1_150)
        assert (len(second.items), second.is_last) == (150, True)
        assert len({link.remote_id for link in (*first.items, *second.items)}) == 1_150

    @pytest.mark.parametrize(
        "body",
        [
            {"results": [BELVO_LINK, {**BELVO_LINK, "id": "another"}], "next": None},
            {"results": [BELVO_LINK], "next": "https://api.belvo.com/api/links/?page=2"},
            {"results": [BELVO_LINK, {"id": GONE, "status": "valid"}], "next": None},
            {"results": [BELVO_LINK, "odd"], "next": None},
            {"results": None},
        ],
    )
    def test_takes_no_doubtful_answer_for_proof_that_a_link_is_gone(self, serve: Serve, body: object) -> None:
        belvo = belvo_at(serve(reply(200, body)).url)

        with pytest.raises(OutcomeUnknown):
            belvo.read_links(REFS)

    def test_is_not_disturbed_by_an_odd_record_where_no_link_is_missing(self, serve: Serve) -> None:
        belvo = belvo_at(serve(reply(200, {"results": [BELVO_LINK, "odd"], "next": None})).url)

        assert [link.remote_id for link in belvo.read_links(REFS[:1])] == [LINK_ID]


class TestHeron:
    def test_reads_the_links_of_each_customer_in_one_call(self, heron: Provider, crowded: Simulator) -> None:
        for customer, items in {"cust-1": ("a-1", "a-2"), "cust-2": ("b-1",)}.items():
            for item in items:
                heron.create_link(NewLink(customer, "", "", {"item_id": item, "access_token": Secret("access-1")}))
        refs = [LinkRef("a-1", "cust-1"), LinkRef("b-1", "cust-2"), LinkRef("a-9", "cust-1")]
        before = len(crowded.calls)

        found = [[link.remote_id for link in heron.read_links(batch)] for batch in heron.batches(refs)]

        assert found == [["a-1", "a-2"], ["b-1"]]
        assert len(crowded.calls) - before == 2

    def test_finds_no_link_of_a_customer_it_does_not_know(self, heron: Provider) -> None:
        assert heron.read_links([LinkRef("item-1", "cust-nobody")]) == []

    def test_proves_nothing_about_links_of_an_integration_it_does_not_know(self, crowded: Simulator) -> None:
        heron_of(crowded).create_end_user("cust-1", "Acme")

        with pytest.raises(NotFound) as caught:
            heron_of(crowded, integration="itg_nobody").read_links([LinkRef("item-1", "cust-1")])

        assert caught.value.observation is None

    def test_reads_no_links_of_two_customers_at_once(self, heron: Provider) -> None:
        with pytest.raises(ValueError, match="too many values"):
            heron.read_links([LinkRef("a", "cust-1"), LinkRef("b", "cust-2")])

    @pytest.mark.parametrize("odd", ["odd", {"item_id": "gone"}, {"status": "active"}])
    def test_takes_no_odd_record_for_proof_that_a_link_is_gone(self, serve: Serve, odd: object) -> None:
        heron = heron_at(serve(reply(200, {"links": [HERON_LINK, odd]})).url)

        with pytest.raises(OutcomeUnknown):
            heron.read_links([LinkRef(ITEM, "cust-1"), LinkRef("gone", "cust-1")])

    def test_lists_all_customers_in_long_pages_the_oldest_first(self, heron: Provider, crowded: Simulator) -> None:
        pages = [heron.list_end_users({}, page=1, whole=True)]
        while not pages[-1].is_last:
            pages.append(heron.list_end_users({}, page=len(pages) + 1, whole=True))

        customers = [one for page in pages for one in page.items]
        assert len({one.end_user_id for one in customers}) == len(customers) == pages[0].total
        assert [len(page.items) for page in pages[:-1]] == [500] * (len(pages) - 1)
        assert sorted(customers, key=lambda one: str(one.created_at)) == customers
        assert all(source.observation.cause in Cause for one in customers for source in one.sources)


class TestLongPageOfCustomersThatIsTooMuch:
    CUSTOMERS = tuple({"end_user_id": f"cust-{number}"} for number in range(501, 731))

    def page(self, number: int) -> dict[str, Any]:
        start = (number - 6) * 100
        meta = {"pages": 8, "total": 730}
        return {"_meta": meta, "end_users": self.CUSTOMERS[start : start + 100]}

    @pytest.mark.parametrize("too_much", [b'{"end_users": "' + b"x" * 1_100_000, b"[" + b"[]," * 40_000 + b"0]"])
    def test_is_read_in_parts(self, serve: Serve, too_much: bytes) -> None:
        parts = [reply(200, json.dumps(self.page(number)).encode()) for number in (6, 7, 8)]
        script = serve(reply(200, too_much), *parts)

        page = heron_at(script.url).list_end_users({}, page=2, whole=True)

        assert [one.end_user_id for one in page.items] == [one["end_user_id"] for one in self.CUSTOMERS]
        assert (page.number, page.is_last, page.total) == (2, True, 730)
        asked = [call.path.split("include")[0].split("?")[1] for call in script.received]
        assert asked == ["page=2&limit=500&", "page=6&limit=100&", "page=7&limit=100&", "page=8&limit=100&"]

    def test_is_not_requested_again_where_the_connection_broke(self, serve: Serve) -> None:
        script = serve(reply(503, b""))

        with pytest.raises(OutcomeUnknown):
            heron_at(script.url).list_end_users({}, page=2, whole=True)

        assert len(script.received) == 1
