"""At most one request per click: double clicks, two tabs, two colleagues, a slow bank."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from linkadmin import settings as product
from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, State
from tests.environment import HTMX, Environment
from tests.slowness import SlowProvider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

CLICKS = 4


def at_once(env: Environment, name: str, send: Callable[[Client], HttpResponse]) -> list[HttpResponse]:
    """Send the same request from several tabs of one browser at once."""
    barrier = threading.Barrier(CLICKS)

    def click(_number: int) -> HttpResponse:
        tab = Client()
        tab.cookies = env.client(name).cookies
        try:
            barrier.wait(60)
            return send(tab)
        finally:
            connections.close_all()

    env.client(name)
    with ThreadPoolExecutor(CLICKS) as tabs:
        return list(tabs.map(click, range(CLICKS)))


def places_of(operation: Operation) -> set[str]:
    """Where a click may lead: to the link, or to the progress page if the request is still in flight."""
    assert operation.link is not None
    return {operation.link.get_absolute_url(), operation.get_absolute_url()}


def credentials_form(env: Environment, link: Link, name: str = "ana") -> tuple[str, dict[str, str]]:
    url = f"/links/{link.pk}/credentials/"
    return url, env.open(url, name).form_with("password").values | {"password": "pass_valid"}


def test_form_sent_twice_is_one_request_and_one_outcome(env: Environment) -> None:
    url, values = credentials_form(env, env.belvo_link())

    first, second = env.post(url, values), env.post(url, values)

    assert (first.status, first.location) == (second.status, second.location)
    assert len(env.calls("PUT")) == 1
    assert Operation.objects.count() == 1


def test_form_sent_from_many_tabs_at_once_is_one_request(env: Environment) -> None:
    url, values = credentials_form(env, env.belvo_link())

    answers = at_once(env, "ana", lambda tab: tab.post(url, values))

    assert {answer.status_code for answer in answers} == {303}
    assert {answer["Location"] for answer in answers} <= places_of(env.last_operation())
    assert len(env.calls("PUT")) == 1


def test_rejected_form_sent_twice_shows_the_same_rejection(env: Environment) -> None:
    url, values = credentials_form(env, env.belvo_link())
    values["password"] = "pass_invalid"

    first, second = env.post(url, values), env.post(url, values)

    assert (first.status, second.status) == (422, 422)
    assert "Wrong password" in second.words
    assert len(env.calls("PUT")) == 1


def test_create_sent_from_many_tabs_at_once_is_one_request(env: Environment) -> None:
    url = env.new_link_url()
    typed = {"end_user_id": "cus-1", "end_user_name": "Ivy", "item_id": "item-1", "access_token": "access-sandbox"}
    values = env.open(url).form_with("item_id").values | typed

    answers = at_once(env, "ana", lambda tab: tab.post(url, values))

    assert {answer.status_code for answer in answers} == {303}
    assert len(env.calls("POST")) == 1
    assert Link.objects.count() == 1


def test_code_sent_from_many_tabs_at_once_is_one_request(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")
    url = f"/links/{link.pk}/code/"
    values = env.open(url).form_with("code").values | {"code": "111111"}

    answers = at_once(env, "ana", lambda tab: tab.post(url, values))

    assert {answer["Location"] for answer in answers} <= places_of(env.last_operation())
    assert len(env.calls("PATCH")) == 1


def test_code_sent_twice_is_one_request(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")
    url = f"/links/{link.pk}/code/"
    values = env.open(url).form_with("code").values | {"code": "111111"}

    first, second = env.post(url, values), env.post(url, values)

    assert first.location == second.location == link.get_absolute_url()
    assert len(env.calls("PATCH")) == 1


def test_form_resent_with_different_values_is_refused(env: Environment) -> None:
    url = env.new_link_url()
    typed = {"end_user_id": "cus-1", "end_user_name": "Ivy", "item_id": "item-1", "access_token": "access-invalid"}
    values = env.open(url).form_with("item_id").values | typed
    env.post(url, values)

    page = env.post(url, values | {"item_id": "item-2"})

    assert page.status == 409
    assert "This form was already sent with different values." in page.words
    assert len(env.calls("POST")) == 1


def test_key_of_one_person_means_nothing_for_another(env: Environment) -> None:
    one, other = env.belvo_link("Acme Corp"), env.belvo_link("Blue Fern Bakery", bank="gringotts_mx_retail")
    url, values = credentials_form(env, one)
    env.post(url, values)

    answer = env.post(f"/links/{other.pk}/credentials/", values, "ben")

    assert answer.location == other.get_absolute_url()
    assert len(env.calls("PUT")) == 2


@pytest.mark.usefixtures("slow")
def test_second_person_is_refused_and_sees_who_is_working(env: Environment) -> None:
    link = env.belvo_link()
    url, of_ben = credentials_form(env, link, "ben")
    env.send(url, "ana", password="slow_1")

    page = env.post(url, of_ben, "ben")

    assert page.status == 409
    assert "ana is already working on this: “Update credentials” is still in progress." in page.words
    assert len(env.calls("PUT")) == 1


@pytest.mark.usefixtures("slow")
def test_form_is_not_shown_while_an_operation_is_open(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", "ana", password="slow_1")

    page = env.open(f"/links/{link.pk}/credentials/", "ben")

    assert "Contacting the bank…" in page.words
    assert "Started by Ana" in page.words
    assert "password" not in page.inputs()


@pytest.mark.usefixtures("slow")
def test_two_people_cannot_create_the_same_item(env: Environment) -> None:
    url = env.new_link_url()
    typed = {"end_user_id": "cus-1", "end_user_name": "Ivy", "item_id": "item-1", "access_token": "access-slow-1"}
    env.send(url, "ana", **typed)

    page = env.send(url, "ben", **typed)

    assert page.status == 409
    assert len(env.calls("POST")) == 1


def test_form_responds_within_two_seconds() -> None:
    assert product.OPERATION_ANSWER_SECONDS < 2


@pytest.mark.usefixtures("slow")
def test_slow_bank_shows_progress(env: Environment) -> None:
    """The bank takes longer than the form waits, so the progress page opens during the request."""
    link = env.belvo_link()
    url, values = credentials_form(env, link)

    answer = env.post(url, values | {"password": "slow_1"})

    operation = env.last_operation(link)
    assert (answer.location, operation.state) == (operation.get_absolute_url(), State.SENDING)
    assert "Contacting the bank…" in env.open(answer.location).words


def test_page_polls_until_the_outcome_and_then_redirects(env: Environment, slow: SlowProvider) -> None:
    link = env.belvo_link()
    answer = env.send(f"/links/{link.pk}/credentials/", password="slow_1")

    running = env.client().get(f"{answer.location}live/", headers=HTMX)
    slow.answers()
    env.settled()
    over = env.client().get(f"{answer.location}live/", headers=HTMX)

    assert running.status_code == 200
    assert "<html" not in running.content.decode()
    assert (over.status_code, over["HX-Redirect"]) == (286, link.get_absolute_url())


def test_slow_bank_that_asks_for_a_code_leads_to_the_code_step(env: Environment, slow: SlowProvider) -> None:
    link = env.belvo_link()
    answer = env.send(f"/links/{link.pk}/credentials/", password="slow_mfa_1")

    slow.answers()
    env.settled()
    over = env.client().get(f"{answer.location}live/", headers=HTMX)

    assert (over.status_code, over["HX-Redirect"]) == (286, f"/links/{link.pk}/code/")


@pytest.mark.usefixtures("slow")
def test_reopened_page_shows_progress(env: Environment) -> None:
    link = env.belvo_link()
    answer = env.send(f"/links/{link.pk}/credentials/", password="slow_1")

    again = env.open(answer.location, "ben")
    on_link = env.open(link.get_absolute_url(), "ben")

    assert "Contacting the bank…" in again.words
    assert "“Update credentials” is still in progress." in on_link.words
    assert answer.location in on_link.links()


def test_requests_without_a_slot_are_refused(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkadmin.integrations.slots.SLOT_WAIT_SECONDS", 0.05)
    for _each in range(8):
        env.belvo.slots.create(call="read_link", lease_until=timezone.now() + timedelta(seconds=45))
    url, values = credentials_form(env, env.belvo_link())

    page = env.post(url, values)

    assert page.status == 503
    assert "Nothing was sent. Try again in a few seconds." in page.words
    assert not Operation.objects.exists()


def links_of_one_customer(env: Environment, count: int) -> list[Link]:
    links = [env.belvo_link() for _each in range(count)]
    Link.objects.update(end_user=links[0].end_user)
    return list(Link.objects.all())


def send_all_at_once(forms: list[tuple[str, dict[str, str]]], browser: Client) -> list[int]:
    """Submit several forms at once; returns the HTTP statuses."""
    barrier = threading.Barrier(len(forms))

    def send(form: tuple[str, dict[str, str]]) -> int:
        tab = Client()
        tab.cookies = browser.cookies
        try:
            barrier.wait(60)
            return tab.post(*form).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(forms)) as tabs:
        return list(tabs.map(send, forms))


def test_last_attempt_is_shared_by_all_links_of_a_customer_at_a_bank(env: Environment) -> None:
    links = links_of_one_customer(env, CLICKS)
    env.send(f"/links/{links[0].pk}/credentials/", password="pass_invalid")
    forms = [credentials_form(env, link) for link in links]

    answers = send_all_at_once([(url, values | {"password": "pass_invalid"}) for url, values in forms], env.client())

    env.settled()
    assert len(env.calls("PUT")) == 2
    assert sorted(answers) == [409, 409, 409, 422]


def test_last_code_is_shared_by_all_links_of_a_customer_at_a_bank(env: Environment) -> None:
    links = links_of_one_customer(env, CLICKS)
    for link in links:
        env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")
    for _each in range(2):
        env.send(f"/links/{links[0].pk}/code/", code="999999")
    urls = [f"/links/{link.pk}/code/" for link in links]
    forms = [(url, env.open(url).form_with("code").values | {"code": "999999"}) for url in urls]

    answers = send_all_at_once(forms, env.client())

    env.settled()
    assert len(env.calls("PATCH")) == 3
    assert sorted(answers) == [303, 409, 409, 409]
