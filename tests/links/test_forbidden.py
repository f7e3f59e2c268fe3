"""Answers with status 403: the provider's own about rights and quotas, and a firewall's about one request."""

from datetime import timedelta

import pytest
import requests
from django.urls import reverse
from django.utils import timezone

from linkadmin.links.models import CallQuota, Integration, Link
from linkadmin.operations.models import State
from linkadmin.sync.models import LinkRead
from tests.house import House
from tests.markup import Page
from tests.providers.conftest import Script, reply

pytestmark = pytest.mark.django_db(transaction=True)

CHEAP = {"belvo": "/api/institutions/", "heron": "/api/hello_world/authenticated"}


def let_fail(house: House, *, path: str, answer: str, times: int = 1, method: str = "GET") -> None:
    fault = {"method": method, "path": path, "times": times, "answer": answer}
    assert requests.post(f"{house.simulator.url}/faults.json", json=fault, timeout=60).status_code == 201


def ask_about(house: House, link: Link) -> Page:
    """Let a person ask the provider about a link, and return the link's page after the answer."""
    house.post(f"{link.get_absolute_url()}refresh/")
    house.settled()
    return house.open(link.get_absolute_url())


def try_keys(house: House, integration: Integration) -> None:
    house.post(reverse("integration-test", args=[integration.pk]), name="adm")
    integration.refresh_from_db()


def cheap_reads(house: House, provider: str) -> int:
    return sum(call.query.get("page_size") != "100" for call in house.calls("GET", CHEAP[provider]))


def link_of(house: House, provider: str) -> Link:
    return house.belvo_link() if provider == "belvo" else house.heron_link()


def path_of(link: Link) -> str:
    if link.integration.provider == "belvo":
        return f"/api/links/{link.remote_id}/"
    return f"/api/end_users/{link.end_user.external_id}/"


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize(("provider", "answer"), [("belvo", "permission_denied"), ("heron", "heron_403")])
def test_refusal_by_name_stops_all_calls_until_a_good_test(house: House, provider: str, answer: str) -> None:
    link = link_of(house, provider)
    let_fail(house, path=path_of(link), answer=answer)

    ask_about(house, link)

    link.integration.refresh_from_db()
    assert link.integration.keys_refused
    assert link.integration.keys_retry_at == timezone.now() + timedelta(seconds=900)
    assert cheap_reads(house, provider) == 0

    try_keys(house, link.integration)
    ask_about(house, link)

    assert not link.integration.keys_refused
    assert len(house.calls("GET", path_of(link))) == 2
    assert not CallQuota.objects.filter(used__gte=2**31 - 1).exists()
    link.refresh_from_db()
    assert link.ask_failed == ""


@pytest.mark.parametrize("provider", ["belvo", "heron"])
def test_refusal_by_a_firewall_concerns_that_one_request(house: House, provider: str) -> None:
    link = link_of(house, provider)
    let_fail(house, path=path_of(link), answer="html_403")

    ask_about(house, link)
    link.integration.refresh_from_db()

    assert len(house.calls("GET", path_of(link))) == 1
    assert cheap_reads(house, provider) == 1
    assert not link.integration.keys_refused
    ask_about(house, link)
    assert len(house.calls("GET", path_of(link))) == 2


def test_credentials_that_a_firewall_refuses_are_told_so_and_the_integration_goes_on(house: House) -> None:
    link = house.belvo_link()
    let_fail(house, method="PUT", path="/api/links/", answer="html_403")

    page = house.send(f"/links/{link.pk}/credentials/", password="pass_union")
    house.settled()

    operation = house.last_operation()
    assert (operation.state, operation.outcome, operation.counts_as_attempt) == (State.REJECTED, "Blocked", False)
    assert "firewall rejected this request" in page.words
    assert len(house.calls("PUT", "/api/links/")) == 1
    house.belvo.refresh_from_db()
    assert not house.belvo.keys_refused


@pytest.mark.parametrize("provider", ["belvo", "heron"])
def test_firewall_that_refuses_the_cheap_read_too_stops_all_calls(house: House, provider: str) -> None:
    link = link_of(house, provider)
    let_fail(house, path="/api/", answer="html_403", times=2)

    ask_about(house, link)

    link.integration.refresh_from_db()
    assert link.integration.keys_refused
    assert len(house.calls("GET", path_of(link))) + cheap_reads(house, provider) == 2
    try_keys(house, link.integration)
    assert not link.integration.keys_refused


def test_good_test_lets_reads_go_on_that_refused_keys_held(house: House) -> None:
    link = house.belvo_link()
    let_fail(house, path="/api/links/", answer="permission_denied")

    house.prove(link)
    try_keys(house, house.belvo)

    due_at = LinkRead.objects.get(link=link).due_at
    assert due_at is not None
    assert due_at < timezone.now() + timedelta(seconds=15)


class TestTooManyCalls:
    """A 429 holds what the limit covers, for as long as the provider tells."""

    def test_at_belvo_holds_every_call(self, house: House) -> None:
        link, other = house.belvo_link(), house.belvo_link("Beta", bank="heimdall_mx_retail")
        credentials = f"/links/{other.pk}/credentials/"
        form = house.open(credentials).form_with("password")
        script = Script([reply(429, [], Retry_After="40")])
        Integration.objects.filter(pk=house.belvo.pk).update(base_url=script.url)

        ask_about(house, link)
        house.post(credentials, form.values | {"password": "pass_valid"})
        house.settled()
        script.stop()

        assert len(script.received) == 1

    @pytest.mark.parametrize(
        "said",
        [
            "9" * 400,
            None,
            *(
                pytest.param(said, marks=pytest.mark.thorough)
                for said in ("-1", "1.5", "60s", "60000", "1764300000000", "soon")
            ),
        ],
    )
    def test_without_a_time_that_can_be_read_waits_a_minute_and_then_longer(
        self, house: House, said: str | None
    ) -> None:
        link = house.belvo_link()
        script = Script([reply(429, [], **({} if said is None else {"Retry_After": said}))])
        Integration.objects.filter(pk=house.belvo.pk).update(base_url=script.url)

        assert [self._wait_after(house, link) for _each in range(6)] == [60, 120, 240, 480, 900, 900]
        script.stop()

    def test_that_is_over_begins_with_a_minute_again(self, house: House) -> None:
        link, url = house.belvo_link(), house.belvo.base_url
        script = Script([reply(429, [])])
        Integration.objects.filter(pk=house.belvo.pk).update(base_url=script.url)
        assert [self._wait_after(house, link) for _each in range(2)] == [60, 120]
        Integration.objects.filter(pk=house.belvo.pk).update(base_url=url)
        CallQuota.objects.filter(integration=house.belvo).update(window_ends_at=timezone.now())
        ask_about(house, link)
        Integration.objects.filter(pk=house.belvo.pk).update(base_url=script.url)

        assert self._wait_after(house, link) == 60
        script.stop()

    def test_that_nobody_told_the_end_of_is_ended_by_a_good_test(self, house: House) -> None:
        link = house.belvo_link()
        CallQuota.objects.create(
            integration=house.belvo, scope="", calls=0, guesses=3, window_ends_at=timezone.now() + timedelta(minutes=5)
        )
        ask_about(house, link)
        assert house.calls("GET", path_of(link)) == []

        try_keys(house, house.belvo)
        ask_about(house, link)

        assert len(house.calls("GET", path_of(link))) == 1

    def test_whose_end_the_provider_told_is_not_ended_by_a_good_test(self, house: House) -> None:
        link = house.belvo_link()
        CallQuota.objects.create(
            integration=house.belvo, scope="", calls=0, told=True, window_ends_at=timezone.now() + timedelta(minutes=5)
        )

        try_keys(house, house.belvo)
        ask_about(house, link)

        assert house.calls("GET", path_of(link)) == []

    def _wait_after(self, house: House, link: Link) -> int:
        """Let the wait before be over, ask once more, and return how long is waited after that, in seconds."""
        CallQuota.objects.filter(integration=house.belvo).update(window_ends_at=timezone.now())
        asked_at = timezone.now()
        ask_about(house, link)
        quota = CallQuota.objects.get(integration=house.belvo, scope="", calls=0)
        return round((quota.window_ends_at - asked_at).total_seconds() / 10) * 10
