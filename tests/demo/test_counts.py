"""Every count that links to a list equals that list's length, on every page and for every role."""

import html
import re
from collections import Counter, deque
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.links import count_upkeep
from linkadmin.links.models import Institution, Link, UnrecognizedValue
from tests.markup import Page, read

pytestmark = [pytest.mark.deep, pytest.mark.django_db, pytest.mark.usefixtures("state")]

LISTS = {"link-list", "institution-list", "unrecognized-values", "delivery-list", "end-user-list"}
CALLS = re.compile("export|records|connectors|-webhooks|reports|lookup|fetch")  # pages that ask a provider, and files
LIKE_ONE_ANOTHER = 3  # how many similar pages, and similar links on a page, are followed
ROWS = re.compile(r"<tbody>(.*?)</tbody>", re.DOTALL)
TIMES = re.compile(r"<(time|svg).*?</\1>", re.DOTALL)
# Each leads to another combination of filters.
FILTERS = re.compile(r'<ul class="pills">.*?</ul>|<div class="chips".*?<section', re.DOTALL)
ANCHOR = re.compile(r"<a\b([^>]*)>(.*?)</a>", re.DOTALL)


class Anchor(NamedTuple):
    page: str
    href: str
    text: str
    count: str  # empty if it promises none


@cache
def opened(client: Client, url: str) -> Page | None:
    """Open a page as a user, once: reading pages changes nothing."""
    answer = client.get(url)
    return read(answer) if answer.status_code == 200 and "text/html" in answer["content-type"] else None


def anchors(url: str, page: Page) -> Iterator[Anchor]:
    for attrs, inner in ANCHOR.findall(FILTERS.sub("", page.source)):
        named = dict(re.findall(r'([\w-]+)="(.*?)"', attrs, re.DOTALL))
        if "href" not in named:
            continue
        text = " ".join(re.sub(r"<[^>]*>", " ", TIMES.sub(" ", inner)).split())
        yield Anchor(url, urljoin(url, html.unescape(named["href"])), text, named.get("data-count", ""))


def view_of(url: str) -> str:
    try:
        return resolve(urlsplit(url).path).view_name
    except Resolver404:
        return ""


def kind_of(url: str) -> tuple[str, tuple[str, ...]]:
    """What similar URLs share: the view and the names of the filters."""
    names = {key for key, _value in parse_qsl(urlsplit(url).query)}
    return view_of(url), tuple(sorted(names - {"after", "before", "page", "sort"}))


def every_page(client: Client) -> Iterator[tuple[str, Page]]:
    """Visit the pages a user can reach, a few of each kind."""
    waiting, known, visited = deque(["/"]), {"/"}, Counter[tuple[str, tuple[str, ...]]]()
    while waiting:
        url = waiting.popleft()
        kind = kind_of(url)
        if visited[kind] >= LIKE_ONE_ANOTHER or not (page := opened(client, url)):
            continue
        visited[kind] += 1
        yield url, page
        for anchor in anchors(url, page):
            there = anchor.href.split("#")[0]
            view = view_of(there) if there.startswith("/") and "admin" not in there else ""
            if view and there not in known and not CALLS.search(view):
                known.add(there)
                waiting.append(there)


def length_of(client: Client, url: str) -> int:
    """Count the rows of a list on all its pages."""
    found, there = 0, url
    while there:
        page = opened(client, there)
        assert page, there
        found += sum(rows.count("<tr") for rows in ROWS.findall(page.source)[-1:])
        following = [each.attrs["href"] for each in page.elements if each.attrs.get("rel") == "next"]
        there = urljoin(there, html.unescape(following[0])) if following else ""
    return found


@pytest.fixture(autouse=True)
def varied_data(state: object) -> None:
    """Add data that makes counts and lists differ: disconnected links, repairs being verified, banks that are down."""
    for state_ in ("waiting", "customer_login"):
        link = Link.objects.filter(health=state_, verifying_since=None).order_by("pk")[0]
        link.verifying_since = link.health_since
        Link.objects.filter(pk=link.pk).update(verifying_since=link.health_since, urgency=link.rank())
    banks = Institution.objects.exclude(pk__in=Link.objects.values("institution")).order_by("pk")[:2]
    Institution.objects.filter(pk__in=[*banks.values_list("pk", flat=True)]).update(status="down")
    ours = Institution.objects.filter(links__health="customer_login").order_by("pk").first()
    assert ours
    Institution.objects.filter(pk=ours.pk).update(status="down")
    UnrecognizedValue.objects.bulk_create(
        [UnrecognizedValue(provider="belvo", place="code", value=f"code_{n}", seen=1) for n in range(230)]
    )


@pytest.mark.parametrize(
    "role", [role if role is Role.MANAGER else pytest.param(role, marks=pytest.mark.thorough) for role in Role], ids=str
)
def test_every_count_is_as_long_as_the_list_it_opens(role: Role) -> None:
    client = Client()
    client.force_login(User.objects.filter(roles=role).order_by("pk")[0])
    count_upkeep.recount()
    seen, followed, wrong, untold = set[str](), Counter[object](), list[str](), list[str]()
    for url, page in every_page(client):
        seen.add(view_of(url))
        for anchor in anchors(url, page):
            if not anchor.count and view_of(anchor.href) in LISTS and re.search(r"(?<!-)\b\d+\b(?!-)", anchor.text):
                untold.append(f"{url}: {anchor.text} → {anchor.href}")
            alike = (url.split("?")[0], kind_of(anchor.href))
            if not anchor.count or followed[alike] >= LIKE_ONE_ANOTHER + 5:
                continue
            followed[alike] += 1
            if (length := length_of(client, anchor.href)) != int(anchor.count):
                wrong.append(f"{url}: {anchor.text} says {anchor.count} → {anchor.href} has {length}")
    assert not wrong, "\n".join(wrong)
    assert not untold, "\n".join(untold)
    assert {"overview", "institution-list", "unrecognized-values"} <= seen
    if role is not Role.ADMINISTRATOR:
        assert {"link-list", "end-user-list", "bulk-list"} <= seen
        assert sum(followed.values()) > 40
