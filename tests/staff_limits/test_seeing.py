"""How many customers one person sees: opened, and named in lists, parts and the palette."""

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin import settings as product
from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link
from linkadmin.operations.models import Operation
from linkadmin.paging import PAGE_SIZE
from linkadmin.providers.types import Cause
from linkadmin.staff_limits import counting
from linkadmin.staff_limits.kinds import LimitKind
from linkadmin.webhooks.models import WebhookDelivery
from tests.environment import HTMX, Environment

from .conftest import Limits

pytestmark = [pytest.mark.django_db, pytest.mark.database]

REACHED = "You've reached a limit"


def status(env: Environment, url: str, name: str = "ana", **headers: str) -> int:
    answer = env.client(name).get(url, headers=headers)
    if answer.streaming:
        assert b"".join(answer)  # type: ignore[arg-type]
    return answer.status_code


def events(action: str) -> list[tuple[str, dict[str, object]]]:
    return [(each.actor, each.details) for each in AuditEvent.objects.filter(action=action).order_by("seq")]


def urls_of(link: Link) -> Iterator[str]:
    yield from (link.get_absolute_url(), f"{link.get_absolute_url()}history/", link.end_user.get_absolute_url())


def test_the_customer_that_crosses_the_limit_is_not_opened(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(2, 3))

    opened = [status(env, link.get_absolute_url()) for link in links[:5]]

    assert opened == [200, 200, 200, 429, 429]
    page = env.open(links[4].get_absolute_url())
    assert REACHED in page.words
    assert "You've opened as many customers as one person can in an hour: 3." in page.words
    assert links[4].end_user.name not in page.source
    viewed = AuditEvent.objects.filter(action="link.viewed").values_list("object_id", flat=True)
    assert set(viewed) == {str(link.pk) for link in links[:3]}


def test_all_pages_of_one_customer_count_once(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(1, 1))

    assert [status(env, url) for url in urls_of(links[0])] == [200, 200, 200]
    assert [status(env, url) for url in urls_of(links[1])] == [429, 429, 429]
    assert [status(env, url, "ben") for url in urls_of(links[1])] == [200, 200, 200]


def test_the_refused_person_reads_until_when_and_who_can_help(
    env: Environment, links: list[Link], limits: Limits
) -> None:
    limits(customers_opened=(1, 1))
    first = timezone.now()
    status(env, links[0].get_absolute_url(), "mia")
    answer = env.client("mia").get(links[1].get_absolute_url())

    assert first + timedelta(hours=1) <= timezone.now() + timedelta(seconds=int(answer["Retry-After"]) + 1)
    assert "Try again after" in answer.content.decode()
    assert "ask an account manager" not in answer.content.decode(), "nobody lifts their own"
    status(env, links[0].get_absolute_url())
    assert "ask an account manager to lift the limit: Mia" in env.open(links[1].get_absolute_url()).words


def test_warning_and_stop_are_one_event_each(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(2, 4))

    for link in links:
        status(env, link.get_absolute_url())

    assert events("staff.limit_warned") == [("ana", {"limit": "customers_opened", "counted": 2})]
    assert events("staff.limit_reached") == [("ana", {"limit": "customers_opened", "counted": 4})]


def test_an_hour_later_others_can_be_opened(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(1, 2))
    now = timezone.now()
    moments = [(0, 0), (30, 1), (59, 2), (61, 2), (62, 3), (91, 3)]  # minutes, link

    with time_machine.travel(now, tick=False) as clock:
        opened = []
        for minutes, number in moments:
            clock.move_to(now + timedelta(minutes=minutes))
            env.client().force_login(env.people["ana"])
            opened.append(status(env, links[number].get_absolute_url()))

    assert opened == [200, 200, 429, 200, 429, 200]


def test_a_list_names_no_more_customers_than_the_limit(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_listed=(6, 12))

    assert [status(env, "/links/") for _ in range(3)] == [200, 200, 200]
    assert status(env, "/customers/") == 200, "the same customers"
    limits(customers_listed=(6, 11))
    assert [status(env, "/links/", "ben"), status(env, "/customers/?sort=name", "ben")] == [429, 429]

    assert events("staff.limit_warned") == [("ana", {"limit": "customers_listed", "counted": 12})]
    assert events("staff.limit_reached") == [("ben", {"limit": "customers_listed", "counted": 0})]


def test_a_part_says_so_in_its_place_and_polling_stops(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_listed=(5, 11))

    answer = env.client().get("/links/", headers=HTMX)

    assert (answer.status_code, answer["HX-Reswap"], answer["HX-Push-Url"]) == (286, "afterbegin show:top", "false")
    assert REACHED in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_searching_and_the_palette_count(env: Environment, limits: Limits) -> None:
    for name in ("Quixote", "Zorba", "Umbrella"):
        env.belvo_link(name)
    limits(customers_listed=(1, 1))

    found = [env.post("/find/", {"anything": "quixote"}, htmx=True), env.post("/links/", {"q": "quixote"})]
    refused = [env.post("/find/", {"anything": "zorba"}, htmx=True), env.post("/links/", {"q": "umbrella"})]

    assert ["Quixote" in page.source for page in found] == [True, True]
    assert [(page.status, REACHED in page.source) for page in refused] == [(286, True), (429, True)]
    assert not any(name in page.source for page in refused for name in ("Zorba", "Umbrella"))


def test_every_page_of_a_list_counts_on(env: Environment, limits: Limits) -> None:
    for number in range(PAGE_SIZE + 3):
        env.let_know(env.belvo, env.customer(), f"remote-{number}", env.bank(), Cause.LOGIN_REFUSED)
    limits(customers_listed=(PAGE_SIZE + 2, PAGE_SIZE + 2))
    [rest] = set(re.findall(r'href="(\?after=[^"]+)"', env.open("/links/").source))

    assert [status(env, f"/links/{rest}"), status(env, "/links/")] == [429, 200]
    limits(customers_listed=(PAGE_SIZE + 3, PAGE_SIZE + 3))
    assert [status(env, f"/links/{rest}"), status(env, "/links/?before=")] == [200, 200]


def test_masked_names_do_not_count(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_listed=(1, 1))

    assert [status(env, url, "aud") for url in ("/links/", "/customers/", "/links/export/")] == [200, 200, 200]
    assert [status(env, url, "mia") for url in ("/links/", "/customers/")] == [429, 429]


def test_a_process_forgets_the_oldest_first(
    env: Environment, links: list[Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {(LimitKind.EXPORTS, uuid4()): counting.KnownUse() for _each in range(2)}
    monkeypatch.setattr(counting, "_known", others)
    monkeypatch.setattr(counting, "MOST_REMEMBERED", 3)
    status(env, links[0].get_absolute_url())

    with CaptureQueriesContext(connection) as asked:
        status(env, links[0].get_absolute_url())

    assert [each["sql"] for each in asked.captured_queries if "staff_limits" in each["sql"]] == []


def test_customer_of_a_webhook_counts_also_without_links_here(env: Environment, limits: Limits) -> None:
    limits(customers_listed=(1, 1))
    found = [
        WebhookDelivery.objects.create(
            integration=env.belvo, key=str(number), end_user_id=f"unknown-{number}", payload={"name": "Acme Corp"}
        )
        for number in range(2)
    ]

    assert [status(env, each.get_absolute_url()) for each in found] == [200, 429]


@pytest.mark.parametrize("url", ["/links/export/", "/customers/export/", "/operations/export/"])
def test_names_in_a_file_count_as_one_export_and_not_as_seen(
    env: Environment, links: list[Link], limits: Limits, url: str
) -> None:
    for link in links[:2]:
        Operation.objects.create(
            kind="update_credentials", state="rejected", integration=env.belvo, link=link, end_user=link.end_user,
            actor=env.people["ana"], operation_key=uuid4(),
        )  # fmt: skip
    limits(customers_listed=(1, 1), exports=(1, 1))

    assert [status(env, url, "mia") for _ in range(2)] == [200, 429]

    assert [details["limit"] for _actor, details in events("staff.limit_reached")] == ["exports"]


def test_more_names_than_the_limit_has_room_for_ask_for_a_filter(
    env: Environment, links: list[Link], limits: Limits
) -> None:
    limits(customers_listed=(5, 11))

    page = env.open("/links/")

    assert page.status == 429
    assert "Choose fewer, with a filter." in page.words


def test_five_exports_a_day(env: Environment, limits: Limits) -> None:
    limits(exports=product.STAFF_LIMITS["exports"])
    now = timezone.now()

    with time_machine.travel(now, tick=False) as clock:
        exported = [status(env, "/institutions/export/", "mia") for _ in range(6)]
        clock.shift(timedelta(hours=23))
        env.client("mia").force_login(env.people["mia"])
        exported.append(status(env, "/institutions/export/", "mia"))
        clock.shift(timedelta(hours=2))
        env.client("mia").force_login(env.people["mia"])
        exported.append(status(env, "/institutions/export/", "mia"))

    assert exported == [200] * 5 + [429, 429, 200]


def test_nothing_typed_is_lost(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(1, 1))
    status(env, links[0].get_absolute_url())

    answer = env.client().post(f"{links[1].get_absolute_url()}notes/", {"text": "Called"}, headers=HTMX)

    assert (answer.status_code, answer["HX-Reswap"]) == (286, "afterbegin show:top")
    assert "What you typed is still here" in answer.content.decode()
    assert not links[1].notes.exists()


def test_a_limit_of_none_is_off(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(0, 0), customers_listed=(0, 0), exports=(0, 0))

    urls = ["/links/", *[link.get_absolute_url() for link in links], *["/links/export/"] * 7]

    assert {status(env, url, "mia") for url in urls} == {200}
