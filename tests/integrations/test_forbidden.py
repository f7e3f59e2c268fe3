"""403s: the provider's own about permissions and quotas, and a firewall's about one request."""

from datetime import timedelta

import pytest
import requests
from django.urls import reverse
from django.utils import timezone

from linkadmin.integrations.models import CallQuota, Integration
from linkadmin.links.models import Link, LinkRead
from linkadmin.operations.models import State
from tests.environment import Environment
from tests.markup import Page
from tests.providers.conftest import Script, reply

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

CHEAP = {"belvo": "/api/institutions/", "heron": "/api/hello_world/authenticated"}


def let_fail(env: Environment, *, path: str, answer: str, times: int = 1, method: str = "GET") -> None:
    fault = {"method": method, "path": path, "times": times, "answer": answer}
    assert requests.post(f"{env.simulator.url}/faults.json", json=fault, timeout=60).status_code == 201


def ask_about(env: Environment, link: Link) -> Page:
    """Check a link's status by hand, and return the link's page."""
    env.post(f"{link.get_absolute_url()}refresh/")
    env.settled()
    return env.open(link.get_absolute_url())


def try_keys(env: Environment, integration: Integration) -> None:
    env.post(reverse("integration-test", args=[integration.pk]), name="adm")
    integration.refresh_from_db()


def cheap_reads(env: Environment, provider: str) -> int:
    return sum(call.query.get("page_size") != "100" for call in env.calls("GET", CHEAP[provider]))


def link_of(env: Environment, provider: str) -> Link:
    return env.belvo_link() if provider == "belvo" else env.heron_link()


def path_of(link: Link) -> str:
    if link.integration.provider == "belvo":
        return f"/api/links/{link.remote_id}/"
    return f"/api/end_users/{link.end_user.external_id}/"


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize(("provider", "answer"), [("belvo", "permission_denied"), ("heron", "heron_403")])
def test_rejection_by_name_stops_all_calls_until_a_good_test(env: Environment, provider: str, answer: str) -> None:
    link = link_of(env, provider)
    let_fail(env, path=path_of(link), answer=answer)

    ask_about(env, link)

    link.integration.refresh_from_db()
    assert link.integration.keys_rejected
    assert link.integration.keys_retry_at == timezone.now() + timedelta(seconds=900)
    assert cheap_reads(env, provider) == 0

    try_keys(env, link.integration)
    ask_about(env, link)

    assert not link.integration.keys_rejected
    assert len(env.calls("GET", path_of(link))) == 2
    assert not CallQuota.objects.filter(used__gte=2**31 - 1).exists()
    link.refresh_from_db()
    assert link.check_failed == ""


@pytest.mark.parametrize("provider", ["belvo", "heron"])
def test_rejection_by_a_firewall_concerns_that_one_request(env: Environment, provider: str) -> None:
    link = link_of(env, provider)
    let_fail(env, path=path_of(link), answer="html_403")

    ask_about(env, link)
    link.integration.refresh_from_db()

    assert len(env.calls("GET", path_of(link))) == 1
    assert cheap_reads(env, provider) == 1
    assert not link.integration.keys_rejected
    ask_about(env, link)
    assert len(env.calls("GET", path_of(link))) == 2


def test_credentials_a_firewall_rejects_do_not_stop_the_integration(env: Environment) -> None:
    link = env.belvo_link()
    let_fail(env, method="PUT", path="/api/links/", answer="html_403")

    page = env.send(f"/links/{link.pk}/credentials/", password="pass_union")
    env.settled()

    operation = env.last_operation()
    assert (operation.state, operation.outcome, operation.counts_as_attempt) == (State.REJECTED, "Blocked", False)
    assert "firewall rejected this request" in page.words
    assert len(env.calls("PUT", "/api/links/")) == 1
    env.belvo.refresh_from_db()
    assert not env.belvo.keys_rejected


@pytest.mark.parametrize("provider", ["belvo", "heron"])
def test_firewall_that_rejects_the_cheap_read_too_stops_all_calls(env: Environment, provider: str) -> None:
    link = link_of(env, provider)
    let_fail(env, path="/api/", answer="html_403", times=2)

    ask_about(env, link)

    link.integration.refresh_from_db()
    assert link.integration.keys_rejected
    assert len(env.calls("GET", path_of(link))) + cheap_reads(env, provider) == 2
    try_keys(env, link.integration)
    assert not link.integration.keys_rejected


def test_good_test_resumes_reads_that_rejected_keys_paused(env: Environment) -> None:
    link = env.belvo_link()
    let_fail(env, path="/api/links/", answer="permission_denied")

    env.prove(link)
    try_keys(env, env.belvo)

    due_at = LinkRead.objects.get(link=link).due_at
    assert due_at is not None
    assert due_at < timezone.now() + timedelta(seconds=15)


class TestTooManyCalls:
    """A 429 pauses what its limit covers, for as long as the provider says."""

    def test_at_belvo_holds_every_call(self, env: Environment) -> None:
        link, other = env.belvo_link(), env.belvo_link("Beta", bank="heimdall_mx_retail")
        credentials = f"/links/{other.pk}/credentials/"
        form = env.open(credentials).form_with("password")
        script = Script([reply(429, [], Retry_After="40")])
        Integration.objects.filter(pk=env.belvo.pk).update(base_url=script.url)

        ask_about(env, link)
        env.post(credentials, form.values | {"password": "pass_valid"})
        env.settled()
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
        self, env: Environment, said: str | None
    ) -> None:
        link = env.belvo_link()
        script = Script([reply(429, [], **({} if said is None else {"Retry_After": said}))])
        Integration.objects.filter(pk=env.belvo.pk).update(base_url=script.url)

        assert [self._wait_after(env, link) for _each in range(6)] == [60, 120, 240, 480, 900, 900]
        script.stop()

    def test_that_ended_starts_with_a_minute_again(self, env: Environment) -> None:
        link, url = env.belvo_link(), env.belvo.base_url
        script = Script([reply(429, [])])
        Integration.objects.filter(pk=env.belvo.pk).update(base_url=script.url)
        assert [self._wait_after(env, link) for _each in range(2)] == [60, 120]
        Integration.objects.filter(pk=env.belvo.pk).update(base_url=url)
        CallQuota.objects.filter(integration=env.belvo).update(window_ends_at=timezone.now())
        ask_about(env, link)
        Integration.objects.filter(pk=env.belvo.pk).update(base_url=script.url)

        assert self._wait_after(env, link) == 60
        script.stop()

    def test_without_a_reported_end_is_ended_by_a_good_test(self, env: Environment) -> None:
        link = env.belvo_link()
        CallQuota.objects.create(
            integration=env.belvo, scope="", calls=0, guesses=3, window_ends_at=timezone.now() + timedelta(minutes=5)
        )
        ask_about(env, link)
        assert env.calls("GET", path_of(link)) == []

        try_keys(env, env.belvo)
        ask_about(env, link)

        assert len(env.calls("GET", path_of(link))) == 1

    def test_with_a_reported_end_is_not_ended_by_a_good_test(self, env: Environment) -> None:
        link = env.belvo_link()
        CallQuota.objects.create(
            integration=env.belvo,
            scope="",
            calls=0,
            reported=True,
            window_ends_at=timezone.now() + timedelta(minutes=5),
        )

        try_keys(env, env.belvo)
        ask_about(env, link)

        assert env.calls("GET", path_of(link)) == []

    def _wait_after(self, env: Environment, link: Link) -> int:
        """End the current wait, call again, and return the length of the next wait in seconds."""
        CallQuota.objects.filter(integration=env.belvo).update(window_ends_at=timezone.now())
        checked_at = timezone.now()
        ask_about(env, link)
        quota = CallQuota.objects.get(integration=env.belvo, scope="", calls=0)
        return round((quota.window_ends_at - checked_at).total_seconds() / 10) * 10
