"""Every filter and order of the list, and pairs of them, against a recount in Python; and the plans that serve them."""

import random
import uuid
from collections.abc import Callable, Iterator
from copy import copy
from datetime import timedelta
from itertools import combinations

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.links.listing import filters
from linkadmin.links.models import EndUser, Institution, Link, UnrecognizedValue
from linkadmin.paging import EPOCH, Page
from linkadmin.providers.types import Cause, HealthState
from linkadmin.web.sorting import REVERSED
from tests.environment import Environment

pytestmark = [pytest.mark.django_db, pytest.mark.database]

DAY = timedelta(days=1)
SORTS = [f"{sign}{name}" for name in filters.ORDERS for sign in ("", REVERSED)]
CAUSES = {
    Cause.CODE_NEEDED: 30, Cause.LOGIN_REQUIRED: 40, Cause.CONSENT_EXPIRED: 20, Cause.ACCOUNT_LOCKED: 3,
    Cause.BANK_DOWN: 20, Cause.RIGHTS_MISSING: 5, Cause.STALE: 30, Cause.WORKING: 120, Cause.PENDING: 10,
    Cause.GONE: 20, Cause.RENEW_SOON: 10, Cause.UNRECOGNIZED: 20,
}  # fmt: skip
STATES = {
    "customer": {"customer_code", "customer_login", "customer_consent", "customer_bank"},
    "us": {"our_setup", "stale", "unknown"},
    "fine": {"healthy", "setting_up"},
    "somebody": {
        "customer_code",
        "customer_login",
        "customer_consent",
        "customer_bank",
        "our_setup",
        "stale",
        "unknown",
    },
    "customer_bank": {"customer_bank"},
    "disconnected": {"disconnected"},
}
Meets = Callable[[Link], bool]


@pytest.fixture
def links(env: Environment) -> list[Link]:
    """Links of all kinds, many with the same times, so that only their IDs tell them apart."""
    chance, now = random.Random(7), timezone.now()
    staff = [None, None, None, env.people["ana"], env.people["ben"]]
    banks = [None, *Institution.objects.bulk_create(
        Institution(integration=env.heron, name=f"bank-{n}", display_name=f"Bank {n}") for n in range(3)
    )]  # fmt: skip
    customers = EndUser.objects.bulk_create(
        EndUser(external_id=f"cus-{n}", name=f"Name {n % 7}" if n % 3 else "", account_manager=chance.choice(staff))
        for n in range(40)
    )
    made = []
    for n, cause in enumerate(chance.choices(list(CAUSES), weights=list(CAUSES.values()), k=320)):
        customer, bank = chance.choice(customers), chance.choice(banks)
        link = Link(
            integration=chance.choice([env.heron, env.belvo]) if bank is None else env.heron,
            institution=bank,
            end_user=customer,
            account_manager=customer.account_manager,
            assignee=chance.choice(staff),
            remote_id=f"link-{n}",
            cause=cause.value,
            raw_status="odd" if cause is Cause.UNRECOGNIZED and n % 2 else "",
            health_since=now - chance.randrange(12) * 40 * DAY,
            last_good_at=None if n % 5 == 0 else now - chance.randrange(9) * DAY,
            renew_by=now.date() + chance.randrange(-5, 100) * DAY if n % 3 == 0 else None,
        )
        link.health = link.verdict.state.value
        link.verifying_since = now - chance.randrange(3) * 40 * DAY if n % 17 == 0 else None
        link.disconnected_at = now if link.health == HealthState.DISCONNECTED.value else None
        link.urgency = link.rank()
        made.append(link)
    Link.objects.bulk_create(_in_sandbox(made))
    return Link.objects.bulk_create(made)


def _in_sandbox(links: list[Link]) -> Iterator[Link]:
    """The same in another environment, which no list of these may show."""
    sandbox = Integration.objects.create(
        provider="heron", name="Sandbox", environment="sandbox", base_url="https://app.herondata.io"
    )
    for link in links:
        twin = copy(link)
        twin.pk, twin.integration, twin.institution = uuid.uuid4(), sandbox, None
        yield twin


def asked(env: Environment) -> dict[str, Meets]:
    """Each filter's query, and whether it should find a link."""
    now, today, ana = timezone.now(), timezone.localdate(), env.people["ana"]
    heron, bank = env.heron, Institution.objects.get(name="bank-1")
    customer = EndUser.objects.get(external_id="cus-3")
    odd, _created = UnrecognizedValue.objects.get_or_create(provider=heron.provider, place="status", value="odd")
    return {
        **{f"state={each}": lambda link, states=states: link.shown_state in states for each, states in STATES.items()},
        "state=verifying": lambda link: link.is_verifying,
        "state=active": lambda link: not link.is_disconnected,
        "state=escalate": lambda link: link.waits_too_long,
        "state=customer_login&state=disconnected": lambda link: link.shown_state in ("customer_login", "disconnected"),
        f"integration={heron.pk}": lambda link: link.integration_id == heron.pk,
        f"institution={bank.pk}": lambda link: link.institution_id == bank.pk,
        f"customer={customer.pk}": lambda link: link.end_user_id == customer.pk,
        f"unknown={odd.pk}": lambda link: link.raw_status == "odd" and link.integration_id == heron.pk,
        "assigned=nobody": lambda link: link.assignee_id is None,
        "assigned=mine": lambda link: ana.pk in (link.assignee_id, link.account_manager_id),
        f"assigned={env.people['ben'].pk}": lambda link: link.assignee_id == env.people["ben"].pk,
        "older=90": lambda link: max(link.health_since, link.verifying_since or link.health_since) <= now - 90 * DAY,
        "consent=30": lambda link: (
            link.renew_by is not None
            and today <= link.renew_by <= today + 30 * DAY
            and (link.health != "disconnected" or link.is_verifying)
        ),
    }  # fmt: skip


def sort_key(link: Link, sort: str) -> tuple[object, ...]:
    keys = {
        "attention": (link.urgency, link.health_since),
        "since": (link.health_since,),
        "sync": (link.last_good_at or EPOCH,),
        "customer": (link.end_user.name, link.end_user.external_id),
    }
    return (*keys[sort.removeprefix("-")], link.pk)


def page_of(reader: User, query: str, *, see_names: bool = True) -> Page[Link]:
    chosen = filters.read(QueryDict(query), "production")
    listing = chosen.listing(Link.objects.select_related("end_user"), reader, see_names=see_names)
    return listing.page(QueryDict(query))


def walk(reader: User, query: str, way: str, *, see_names: bool = True) -> Iterator[list[Link]]:
    while query:
        page = page_of(reader, query, see_names=see_names)
        yield page.rows
        query = getattr(page, way).removeprefix("?")


def check(reader: User, query: str, expected: list[Link]) -> None:
    forwards = [link.pk for rows in walk(reader, query, "next") for link in rows]
    backwards = [link.pk for rows in walk(reader, f"{query}&before=", "previous") for link in reversed(rows)]
    sort = QueryDict(query).get("sort", "attention")
    inorder = sorted(expected, key=lambda link: sort_key(link, sort), reverse=sort.startswith("-"))
    assert forwards == [link.pk for link in inorder], query
    assert backwards == forwards[::-1], query


@pytest.fixture(params=[True, False], ids=["sorted", "walked"])
def are_sorted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters whose links are few enough to sort, and those that walk the order's index."""
    if not request.param:
        monkeypatch.setattr(filters, "MOST_SORTED", dict.fromkeys(filters.ORDERS, 3))


@pytest.mark.deep
@pytest.mark.usefixtures("are_sorted")
def test_each_filter_finds_its_links_in_each_order(env: Environment, links: list[Link]) -> None:
    ana = env.people["ana"]
    for number, (query, meets) in enumerate({"": lambda _link: True, **asked(env)}.items()):
        expected = [link for link in links if meets(link)]
        assert query == "" or 0 < len(expected) < len(links), query
        for sort in SORTS if number < 2 else [SORTS[number % len(SORTS)], "attention"]:
            check(ana, f"{query}&sort={sort}", expected)
        found = filters.read(QueryDict(query), "production").links(Link.objects.all(), ana)
        assert {link.pk for link in found} == {link.pk for link in expected}, query


@pytest.mark.deep
@pytest.mark.usefixtures("are_sorted")
def test_pairs_of_filters_find_what_both_find(env: Environment, links: list[Link]) -> None:
    pairs = combinations(asked(env).items(), 2)
    for number, ((one, meets), (other, also_meets)) in enumerate(pairs):
        if one.split("=")[0] == other.split("=")[0]:
            continue
        expected = [link for link in links if meets(link) and also_meets(link)]
        check(env.people["ana"], f"{one}&{other}&sort={SORTS[number % len(SORTS)]}", expected)


@pytest.mark.usefixtures("are_sorted")
@pytest.mark.parametrize("query", ["", "state=somebody&", "assigned=mine&"])
def test_readers_who_may_not_see_names_sort_by_customer_id(env: Environment, links: list[Link], query: str) -> None:
    meets = ({"": lambda _link: True} | asked(env))[query.removesuffix("&")]
    pages = walk(env.people["ana"], f"{query}sort=customer", "next", see_names=False)

    found = [(link.end_user.external_id, link.pk) for rows in pages for link in rows]

    assert found == sorted((link.end_user.external_id, link.pk) for link in links if meets(link))


@pytest.mark.deep
@pytest.mark.parametrize("sort", SORTS)
def test_no_list_reads_the_whole_table(env: Environment, links: list[Link], sort: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows are read faster without any index
    last = page_of(env.people["ana"], f"sort={sort}").next.removeprefix("?")

    for query in (f"sort={sort}", last, *(f"{query}&sort={sort}" for query in asked(env))):
        with CaptureQueriesContext(connection) as captured:
            page_of(env.people["ana"], query)
        for each in captured.captured_queries:
            explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
            with connection.cursor() as cursor:
                cursor.execute(f"{explain} {each['sql']}")
                plan = [str(row[-1]) for row in cursor.fetchall()]
            scans = [line for line in plan if line.strip().startswith(("SCAN links_link", "Seq Scan on links_link"))]
            assert all("USING" in line for line in scans), (query, plan)


if connection.vendor == "sqlite":  # PostgreSQL gathers statistics on its own

    @pytest.mark.parametrize(("most", "first"), [(0, "links_enduser"), (4_000, "links_link")])
    def test_without_statistics_customers_are_walked_and_few_links_sorted(
        env: Environment, links: list[Link], monkeypatch: pytest.MonkeyPatch, most: int, first: str
    ) -> None:
        monkeypatch.setattr(filters, "MOST_SORTED", dict.fromkeys(filters.ORDERS, most))

        with CaptureQueriesContext(connection) as captured, connection.cursor() as cursor:
            page_of(env.people["ana"], "state=fine&sort=customer")
            cursor.execute(f"EXPLAIN QUERY PLAN {captured.captured_queries[-1]['sql']}")
            plan = [str(row[-1]) for row in cursor.fetchall()]

        tables = [words[1] for words in map(str.split, plan) if words[0] in ("SCAN", "SEARCH")]
        assert tables[1] == first, plan
