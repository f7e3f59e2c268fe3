"""Search of links, customers and institutions: what Python finds, in the list's order, after all kinds of writes."""

import random
import re
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin.environment import database
from linkadmin.integrations.models import Integration
from linkadmin.links.listing import filters
from linkadmin.links.models import EndUser, Institution, Link, LinkSearch, search_text
from linkadmin.links.search import (
    CUSTOMERS,
    MAX_WORDS,
    clean_words,
    is_too_short,
    may_be_id,
    search,
    search_customers,
    search_institutions,
)
from linkadmin.providers.names import folded
from linkadmin.search import lookups, text_index
from tests.environment import Environment
from tests.search.plans import plans

pytestmark = [pytest.mark.django_db, pytest.mark.database]

# Letters and signs that mean something to LIKE, FTS5, UUIDs or Unicode, and a few that mean nothing.
PIECES = (
    *('"', "%", "_", "\\", "NEAR(", "*", "-", "'", "^", ":", "+", "()", " OR ", " AND ", "NOT ", "{text}:", "[a-z]"),
    *(
        "💡",
        "👩\u200d💻",
        "e\u0301",
        "É",
        "ß",
        "ø",
        "Æ",
        "łódź",
        "İ",
        "ı",
        "ﬁ",
        "¨",
        "\u0301",
        "\u00ad",
        "李明華",
        "ＡＢＣ",
    ),
    *("acme", "Corp", "São João", "Ñandú", "3M", "b3", "1234", "dead", "beef", "a", "x y"),
)
WORK_LIST = ("urgency", "health_since", "id")


class Data:
    """Customers, institutions and links with names made of PIECES."""

    def __init__(self, integration: Integration) -> None:
        self.chance = random.Random(20_261_129)
        banks = Institution.objects.bulk_create(
            Institution(integration=integration, name=f"bank_{number}", display_name=self.name()) for number in range(8)
        )
        self.customers = EndUser.objects.bulk_create(
            EndUser(external_id=f"{self.name()}{number}"[-140:], name=self.name()) for number in range(30)
        )
        self.links = Link.objects.bulk_create(
            Link(
                integration=integration,
                end_user=self.chance.choice(self.customers),
                institution=self.chance.choice([*banks, None]),
                remote_id=f"{self.name()}{number}",
                urgency=self.chance.randrange(3),
                health_since=timezone.now() - timedelta(hours=self.chance.randrange(4)),
            )
            for number in range(60)
        )
        LinkSearch.objects.bulk_create(LinkSearch(link=link, text=search_text(link)) for link in self.links)
        self.banks = list(Institution.objects.order_by("display_name", "id"))
        self.links = list(Link.objects.select_related("institution", "end_user").order_by(*WORK_LIST))
        self.texts = [each for link in self.links for each in (link.end_user.name, link.bank, link.remote_id) if each]

    def name(self) -> str:
        pieces = self.chance.choices(PIECES, k=self.chance.randint(2, 5))
        return self.chance.choice(("", " ")).join(pieces).strip()[:80] or "x"

    def term(self) -> str:
        """A part of a text that exists, or of one that doesn't, or two of them."""
        text = self.chance.choice([self.chance.choice(self.texts), self.name()])
        start = self.chance.randrange(len(text))
        part = text[start : start + self.chance.randint(1, 12)]
        shaped = self.chance.choice((str, str.upper, str.lower))(part)
        return clean_words(f"{shaped} {self.term()}" if self.chance.random() < 0.3 else shaped)


def has_all(words: str, *texts: str) -> bool:
    return all(any(plain in text for text in texts) for word in words.split()[:MAX_WORDS] if (plain := folded(word)))


def begins_ids(words: str, *ids: str) -> bool:
    return all(any(each.startswith(word) for each in ids) for word in words.split()[:MAX_WORDS])


def with_ids(data: Data, words: str) -> list[Link]:
    found = []
    for link in data.links:
        own = (str(link.pk), link.pk.hex)
        ids = (link.remote_id, link.end_user.external_id)
        if all(
            begins_ids(word, *ids) or (len(word.replace("-", "")) >= 3 and begins_ids(word.lower(), *own))
            for word in words.split()[:MAX_WORDS]
        ):
            found.append(link)
    return found


def recount_links(data: Data, words: str, *, see_names: bool = True) -> list[Link]:
    if not see_names or is_too_short(words):
        return with_ids(data, words)
    if may_be_id(words) and (found := with_ids(data, words)):
        return found
    texts = {link.pk: (search_text(link), link.institution.search if link.institution else "") for link in data.links}
    return [link for link in data.links if has_all(words, *texts[link.pk])]


def recount_customers(data: Data, words: str) -> set[EndUser]:
    with_id = {each for each in data.customers if begins_ids(words, each.external_id)}
    if is_too_short(words) or (may_be_id(words) and with_id):
        return with_id
    return {each for each in data.customers if has_all(words, each.search)}


def compare(data: Data, terms: Iterable[str]) -> None:
    for words in terms:
        for see_names in (True, False):
            found = search(Link.objects.all(), words, see_names=see_names).order_by(*WORK_LIST)
            assert list(found) == recount_links(data, words, see_names=see_names), (words, see_names)
        assert set(search_customers(words, see_names=True)) == recount_customers(data, words), words
        assert list(search_institutions(words).order_by("display_name", "id")) == [
            each for each in data.banks if has_all(words, each.search)
        ], words


@pytest.fixture(params=["sorted", "remembered", "looked up", "tested"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How most rows are found."""
    most = 2 if request.param != "sorted" else 4_000
    monkeypatch.setattr(lookups, "MAX_SORTED", most)
    monkeypatch.setattr(lookups, "MAX_REMEMBERED", 6_000 if request.param == "remembered" else most)
    monkeypatch.setattr(text_index, "MAX_LOOKED_UP", 2 if request.param == "tested" else text_index.MAX_LOOKED_UP)


@pytest.mark.usefixtures("way")
def test_search_finds_what_python_finds_in_the_lists_order(env: Environment) -> None:
    data = Data(env.heron)

    compare(data, ["", *PIECES[::3], *(data.term() for _ in range(10))])


def test_names_of_two_institutions_find_nothing(env: Environment) -> None:
    env.heron_link("Acme Corp", bank="First Platypus Bank")
    env.heron_link("Acme Corp", bank="Second Okapi Union", item_id="item-2")

    assert not search(Link.objects.all(), "platypus okapi", see_names=True)
    assert search(Link.objects.all(), "acme second okapi", see_names=True)


def test_repeated_word_is_looked_for_once(env: Environment) -> None:
    env.heron_link("Acme Corp", bank="First Acme Bank")

    statements = []
    for words in ("acme bank", "acme bank ACME Bank acme bank"):
        with CaptureQueriesContext(connection) as captured:
            assert search(Link.objects.all(), words, see_names=True)
        statements.append(len(captured))
    assert statements[0] == statements[1]


@pytest.mark.deep
@pytest.mark.usefixtures("way")
def test_thousands_of_terms_find_what_python_finds(env: Environment) -> None:
    data = Data(env.heron)

    compare(data, [*PIECES, *(data.term() for _ in range(1_000))])


@pytest.mark.parametrize("most", [6_000, 0])
def test_a_frequent_word_walks_the_lists_order(env: Environment, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(lookups, "MAX_SORTED", 0)
    monkeypatch.setattr(lookups, "MAX_REMEMBERED", most)
    env.heron_link("Acme Corp", bank="First Platypus Bank")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")  # of the test's few rows, whose number it guesses

    chosen = filters.read(QueryDict(), "production")
    links = chosen.links(Link.objects.all(), env.people["ana"], is_search=True)
    words = search(links, "acme", see_names=True)
    found = plans(lambda: chosen.found(words, see_names=True, are_few=False).page(QueryDict()))

    assert "link_work_list" in found
    assert not re.search(r"TEMP B-TREE|Sort", found), found


@pytest.mark.parametrize(
    ("url", "found"), [("/links/", "/links/{link.pk}/"), ("/customers/", "/customers/{link.end_user_id}/")]
)
def test_short_search_finds_beginnings_of_ids_or_says_that_it_is_short(env: Environment, url: str, found: str) -> None:
    link = env.heron_link("Acme Corp", item_id="7-item")
    EndUser.objects.filter(pk=link.end_user_id).update(external_id="7-customer")

    by_id, by_name = env.post(url, {"q": "7-"}), env.post(url, {"q": "ac"})

    assert found.format(link=link) in by_id.source
    assert found.format(link=link) not in by_name.source
    assert "Type at least 3 letters or digits in a row" in by_name.words


def test_index_stays_in_step_with_every_kind_of_write(env: Environment) -> None:
    link = env.heron_link("Acme Corp", bank="First Platypus Bank")
    EndUser.objects.bulk_create([EndUser(external_id=link.end_user.external_id, name="x")], ignore_conflicts=True)
    EndUser.objects.bulk_create(
        [EndUser(external_id=link.end_user.external_id, name="Zebra Ltd"), EndUser(external_id="new", name="Quagga")],
        update_conflicts=True,
        unique_fields=["external_id"],
        update_fields=["name", "search"],
    )
    LinkSearch.objects.filter(link=link).update(text="okapi")
    Institution.objects.all().delete()

    assert [each.name for word in ("zebra", "quagga") for each in search_customers(word, see_names=True)] == [
        "Zebra Ltd",
        "Quagga",
    ]
    assert not search_customers("acme", see_names=True)
    assert search(Link.objects.all(), "okapi", see_names=True).get() == link
    assert not search_institutions("platypus")
    call_command("check_search", stdout=StringIO())


@pytest.mark.django_db(transaction=True)  # PostgreSQL creates no index on rows of the same transaction
def test_broken_index_is_reported_and_rebuilt(env: Environment) -> None:
    env.heron_link("Acme Corp")
    with connection.cursor() as cursor:
        cursor.execute(CUSTOMERS.drop_statements(connection.vendor)[0])
    EndUser.objects.create(external_id="new", name="Quagga")

    with pytest.raises(CommandError, match=r"links_enduser\. Run check_search --rebuild"):
        call_command("check_search")
    call_command("check_search", rebuild=True, stdout=StringIO())

    assert search_customers("quagga", see_names=True)


def test_index_that_differs_from_the_texts_is_reported(env: Environment) -> None:
    link = env.heron_link("Acme Corp")
    if connection.vendor == "sqlite":  # without the triggers that PostgreSQL's indexes don't need
        with connection.cursor() as cursor:
            cursor.execute("REPLACE INTO links_linksearch (link_id, text) VALUES (%s, 'other')", [link.pk.hex])
        expected: Any = pytest.raises(CommandError, match="links_linksearch")
    else:
        LinkSearch.objects.filter(link=link).update(text="other")
        expected = nullcontext()

    with expected:
        call_command("check_search", stdout=StringIO())


def test_statements_are_planned_with_their_values(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan for any value would scan: PostgreSQL makes one for prepared statements."""
    monkeypatch.setenv("LINKADMIN_DATABASE_URL", "postgresql://staff@db/linkadmin")
    options = database("LINKADMIN_DATABASE_URL", embedded=Path(), wait_seconds=5)["OPTIONS"]
    assert not {"server_side_binding", "prepare_threshold"} & options.keys()

    for _ in range(10):
        list(search(Link.objects.all(), "acme", see_names=True))

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM pg_prepared_statements")
            assert cursor.fetchone() == (0,)
