"""A generated population: the same for the same seed, complete over all pages, and up to date after changes."""

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from linkadmin.simulator.belvo.institutions import INSTITUTIONS, kind_of
from linkadmin.simulator.fields import COMPARE
from linkadmin.simulator.generated import Population
from linkadmin.simulator.server import Simulator

from .conftest import Belvo, Heron, MovableClock
from .listing import clients, end_users, pages, states

SIZE = 3000
USERS = 2100
DAY = 86_400
NEW_WORLD = """
from linkadmin.simulator.clock import LeadClock
from linkadmin.simulator.generated import Population
from linkadmin.simulator.store import Store
store = Store(LeadClock(lambda: 1_790_000_000.0))
store.generate(Population(7, 3000, 3000))
print([list(each.values())[17] for each in (store.belvo_links, store.consents, store.heron_links, store.end_users)])
"""


@pytest.fixture
def simulator(clock: MovableClock) -> Iterator[Simulator]:
    with Simulator(clock=clock, population=Population(7, SIZE, SIZE)) as running:
        yield running


def test_the_same_seed_generates_the_same_data_in_another_process(simulator: Simulator) -> None:
    store = simulator.store
    here = [list(each.values())[17] for each in (store.belvo_links, store.consents, store.heron_links, store.end_users)]

    there = subprocess.run([sys.executable, "-c", NEW_WORLD], capture_output=True, check=True, text=True).stdout

    assert there.strip() == str(here)


def test_another_seed_generates_other_data(clock: MovableClock, belvo: Belvo) -> None:
    with Simulator(clock=clock, population=Population(8, SIZE, 0)) as other:
        client = Belvo(other.url, auth=belvo.session.auth)
        with client.session:
            there = pages(client)

    here = pages(belvo)
    assert not {row["id"] for row in here} & {row["id"] for row in there}
    assert not {row["external_id"] for row in here} & {row["external_id"] for row in there}


@pytest.mark.parametrize("size", [7, 100, 1000])
def test_the_pages_show_every_link_once_the_newest_first(belvo: Belvo, size: int) -> None:
    rows = pages(belvo, "status=invalid" if size == 7 else "", size)

    assert len({row["id"] for row in rows}) == len(rows) > 20
    assert size == 7 or len(rows) == SIZE
    assert rows == sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)


def test_a_page_beyond_the_end_is_empty(belvo: Belvo, heron: Heron) -> None:
    page = belvo("GET", "/api/links/?page=99&page_size=1000").json()
    users = heron("GET", "/api/end_users?page=99&order_by=created_asc").json()

    assert (page["count"], page["results"], page["next"]) == (SIZE, [], None)
    assert (users["_meta"]["total"], users["end_users"]) == (USERS, [])


def test_a_link_is_found_by_its_id_as_it_is_listed(belvo: Belvo) -> None:
    rows = belvo("GET", "/api/links/?page_size=20&page=3").json()["results"]

    assert [belvo.link(row["id"]) for row in rows] == rows


def test_an_id_that_was_never_given_is_not_found(belvo: Belvo) -> None:
    known = belvo("GET", "/api/links/?page_size=1").json()["results"][0]["id"]
    other = known[:-1] + ("0" if known[-1] != "0" else "1")
    of_another_version = f"{known[:14]}1{known[15:]}"

    assert belvo("GET", f"/api/links/{other}/").status_code == 404
    assert belvo("GET", f"/api/links/{of_another_version}/").status_code == 404
    assert belvo("GET", f"/api/links/?id__in={other},nonsense,{known}").json()["count"] == 1


def test_a_generated_link_has_the_fields_of_a_registered_one(belvo: Belvo) -> None:
    registered = belvo.link(belvo.new_link(external_id="customer-1", fetch_resources=["ACCOUNTS"]))
    generated = pages(belvo, "status=valid&access_mode=recurrent")[1]

    assert list(generated) == list(registered)
    assert {name: type(value) for name, value in generated.items()} == {
        name: type(value) for name, value in registered.items()
    }
    assert [len(generated[name]) for name in ("id", "created_at", "institution_user_id")] == [
        len(registered[name]) for name in ("id", "created_at", "institution_user_id")
    ]


FILTERS = [
    ("status", "", "valid"),
    ("status", "in", "invalid,token_required"),
    ("institution", "", "erebor_mx_retail"),
    ("institution", "in", "capivara_br_retail,planet_mx_employment"),
    ("access_mode", "", "single"),
    ("refresh_rate", "", "24h"),
    ("created_by", "not_in", "nobody"),
    ("created_by", "not_in", "bcef7f35-67f2-4b19-b009-cb38795faf09"),
    ("created_at", "", "2026-03"),
    ("created_at", "gt", "2026-03-01"),
    ("created_at", "gte", "2026-03-01T12:00:00Z"),
    ("created_at", "lt", "2025-01-01"),
    ("created_at", "lte", "2025-01-01"),
    ("created_at", "range", "2025-01-01,2025-02-01"),
    ("created_at", "range", "2025-02-01,2025-01-01"),
]


@pytest.mark.parametrize(("field", "how", "text"), FILTERS)
def test_a_filter_finds_what_looking_at_all_finds(belvo: Belvo, field: str, how: str, text: str) -> None:
    belvo.new_link("maria")
    compare = COMPARE["day" if field == "created_at" and not how else how]
    expected = [row for row in pages(belvo) if compare(row[field], text)]

    assert pages(belvo, f"{field}{'__' * bool(how)}{how}={text}") == expected


def test_filters_are_combined(belvo: Belvo) -> None:
    everything = pages(belvo)
    wanted = [row for row in everything if row["status"] == "invalid" and row["created_at"] > "2025-09"]

    found = pages(belvo, "status=invalid&created_at__gte=2025-09-01", size=9)

    assert found == wanted != []


@pytest.mark.parametrize("field", ["id", "external_id", "institution_user_id"])
def test_links_are_found_by_what_names_them(belvo: Belvo, field: str) -> None:
    everything = pages(belvo)
    keys = {everything[number][field] for number in (5, 700, 2999)}

    several = pages(belvo, f"{field}__in={','.join(keys)},unknown")
    one = pages(belvo, f"{field}={everything[5][field]}")

    assert several == [row for row in everything if row[field] in keys]
    assert everything[5] in one


def test_an_invalid_date_is_rejected(belvo: Belvo) -> None:
    assert belvo("GET", "/api/links/?created_at__gte=yesterday").status_code == 400


def test_links_have_the_states_of_a_real_portfolio(belvo: Belvo) -> None:
    rows = pages(belvo)
    seen = Counter(row["status"] for row in rows)
    banks = Counter(row["institution"] for row in rows).most_common()

    assert 0.96 < seen["valid"] / SIZE < 0.995
    assert 0.006 < seen["invalid"] / SIZE < 0.022
    assert min(seen["token_required"], seen["unconfirmed"]) > 0
    assert banks[0][1] > 1.3 * banks[1][1] > 3 * banks[9][1]
    assert {name for name, _ in banks} == set(INSTITUTIONS)
    assert rows[-1]["created_at"] < "2024-09-23" < "2026-09-19" < rows[0]["created_at"]


def test_links_are_of_every_kind(belvo: Belvo) -> None:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for row in pages(belvo):
        kinds[kind_of(INSTITUTIONS[row["institution"]])][row["status"]] += 1

    shares = {kind: statuses.total() / SIZE for kind, statuses in kinds.items()}
    assert {kind: round(share, 1) for kind, share in shares.items()} == pytest.approx(
        {"openfinance": 0.35, "bank": 0.35, "fiscal": 0.2, "employment": 0.1}, abs=0.06
    )
    assert all(statuses["invalid"] for statuses in kinds.values())
    assert [kind for kind, statuses in kinds.items() if statuses["token_required"]] == [
        "bank"
    ]  # no other link needs a code


def test_a_consent_is_as_its_link_is(simulator: Simulator, belvo: Belvo) -> None:
    links = {row["id"]: row for row in pages(belvo)}
    found = belvo("GET", "/api/consents/?page_size=1000").json()["results"]

    of = {(links[each["link"]]["status"], each["status"]) for each in found}
    assert of == {
        ("valid", "AUTHORISED"),
        ("valid", "EXPIRED"),
        ("invalid", "REJECTED"),
        ("unconfirmed", "AWAITING_AUTHORISATION"),
    }
    statuses = Counter(each["status"] for each in found)
    assert statuses["AUTHORISED"] > 0.9 * len(found) > 20 * statuses["EXPIRED"] > 0


def test_links_that_work_are_fetched_as_time_goes_by_and_others_are_not(belvo: Belvo, clock: MovableClock) -> None:
    before = {row["id"]: row for row in pages(belvo, "refresh_rate=7d")}

    clock.forward(8 * DAY)
    after = {row["id"]: row for row in pages(belvo, "refresh_rate=7d")}

    moved = {key for key, row in after.items() if row["last_accessed_at"] != before[key]["last_accessed_at"]}
    still = {row["status"] for key, row in after.items() if key not in moved}
    assert 0.95 < len(moved) / len(after) < 0.99
    assert {after[key]["status"] for key in moved} == {"valid"}
    assert all(after[key]["last_accessed_at"] > "2026-09-22" for key in moved)
    assert still == {"valid", "invalid", "token_required", "unconfirmed"}


@pytest.mark.parametrize(
    ("order", "field", "backwards"),
    [
        ("last_updated_desc", "last_updated", True),
        ("last_updated_asc", "last_updated", False),
        ("created_desc", "created", True),
        ("created_asc", "created", False),
    ],
)
def test_end_users_are_listed_in_any_order(heron: Heron, order: str, field: str, backwards: bool) -> None:
    rows = end_users(heron, f"order_by={order}")

    assert len({row["end_user_id"] for row in rows}) == len({row["heron_id"] for row in rows}) == USERS
    moments = [row[field] for row in rows]
    assert moments == sorted(moments, reverse=backwards)


def test_an_end_user_is_found_by_either_id_as_it_is_listed(heron: Heron) -> None:
    for row in end_users(heron)[::300]:
        for key in (row["end_user_id"], row["heron_id"]):
            assert heron("GET", f"/api/end_users/{key}").json()["end_user"] == row
            assert heron("GET", f"/api/end_users?heron_id={row['heron_id']}").json()["end_users"] == [row]


@pytest.mark.parametrize("field", ["name", "status"])
def test_end_users_are_filtered(heron: Heron, field: str) -> None:
    heron("POST", "/api/end_users", {"end_user": {"end_user_id": "mine", "name": "Harbour Tools", "status": "failed"}})
    everything = end_users(heron)
    text = {"name": everything[50]["name"], "status": "failed"}[field]

    found = end_users(heron, f"{field}={text}")

    assert found == [row for row in everything if row[field] == text] != []


def test_the_three_views_of_links_agree(heron: Heron) -> None:
    rows = end_users(heron, "include_data_sources=true")
    counted = states(heron)

    for row in [row for row in rows if row["data_sources"][0]["status"] != "active"][:20]:
        links = heron.links_of(row["end_user_id"])
        sources = heron("GET", f"/api/end_users/{row['end_user_id']}/data_sources").json()
        received = [{"type": "integration_link", "status": link["status"]} for link in links]
        assert row["data_sources"] == received
        assert [source["reference_id"] for source in sources] == [link["item_id"] for link in links]
    assert counted.total() == SIZE
    assert set(counted) == {"active", "erroring", "sync_disabled", "deleted_in_plaid"}


def test_broken_items_say_why_with_a_code_of_plaid(heron: Heron) -> None:
    rows = end_users(heron, "include_data_sources=true")
    broken = [row["end_user_id"] for row in rows if {"erroring"} & {each["status"] for each in row["data_sources"]}]
    links = [link for key in broken for link in heron.links_of(key) if link["status"] == "erroring"]

    messages = [link["status_message"] for link in links if link["status_message"]]
    assert any(message.startswith("[ITEM_LOGIN_REQUIRED] ") for message in messages)
    assert len({message.split("]")[0] for message in messages}) > 3


def test_a_million_links_are_there_at_once(clock: MovableClock) -> None:
    with Simulator(clock=clock, population=Population(7, 1_000_000, 1_000_000)) as simulator:
        belvo, heron = clients(simulator)
        with belvo.session, heron.session:
            deep = [belvo("GET", f"/api/links/?page_size=1000&page={page}").json() for page in (1, 500, 1000)]
            users = heron("GET", "/api/end_users?limit=1000&page=700").json()

            assert {page["count"] for page in deep} == {1_000_000}
            assert len({row["id"] for page in deep for row in page["results"]}) == 3000
            assert (deep[2]["next"], users["_meta"]["pages"], len(users["end_users"])) == (None, 700, 1000)
            assert belvo.link(deep[1]["results"][3]["id"]) == deep[1]["results"][3]


@pytest.mark.parametrize("size", [-1, 10**9])
def test_a_size_out_of_bounds_is_rejected(size: int) -> None:
    with pytest.raises(ValueError, match="a population has from 0"):
        Population(belvo_links=size)
