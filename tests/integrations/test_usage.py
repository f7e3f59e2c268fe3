"""An integration's page says first whether it can be used, and how much of its limits is used."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.integrations.models import CircuitBreaker, Integration
from linkadmin.integrations.recent_calls import RecentCalls
from linkadmin.integrations.usage import CALLS
from linkadmin.providers.base import Provider
from tests.environment import Environment
from tests.webhooks.webhook_sender import deliver, heron_webhook, open_endpoint, signed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]

SOON = timedelta(seconds=30)


def words(env: Environment, name: str = "mia") -> str:
    return env.open(env.belvo.get_absolute_url(), name).words


def pause(env: Environment, *, seconds: float, failures: int = 5, **more: object) -> CircuitBreaker:
    until = timezone.now() + timedelta(seconds=seconds)
    defaults = {"failures": failures, "open_until": until, "open_reason": "in_a_row", **more}
    return CircuitBreaker.objects.update_or_create(integration=env.belvo, defaults=defaults)[0]


@pytest.mark.parametrize("name", ["mia", "aud", "adm"])
def test_calls_that_go_are_open_to_everybody_who_sees_the_page(env: Environment, name: str) -> None:
    Integration.objects.update(key_state=Integration.KeyState.VALID)

    assert "Connection OK Belvo test" in words(env, name)


def test_inactive_integration_says_so_before_anything_else(env: Environment) -> None:
    Integration.objects.update(key_state=Integration.KeyState.REJECTED, is_active=False)

    assert "Inactive Belvo test We send it no requests, and its links keep their last status." in words(env)


def test_rejected_keys_are_said_at_the_head_with_their_time(env: Environment) -> None:
    since = timezone.now() - timedelta(days=3)
    Integration.objects.update(key_state=Integration.KeyState.REJECTED, keys_rejected_at=since)

    assert "API keys rejected Belvo test First rejected 3 days ago" in words(env)


def test_full_pass_takes_as_long_as_the_rate_limit_makes_it(env: Environment) -> None:
    env.belvo_link()

    assert "A full check takes about 1 min at this rate limit" in words(env)


def test_last_webhook_and_signing_secrets_are_on_the_page(env: Environment) -> None:
    assert "Endpoint URL none yet Signing secrets 0 Last webhook none yet" in words(env)
    body = heron_webhook("integration_link.erroring")
    deliver(open_endpoint(env.heron), body, signed(body))

    shown = env.open(env.heron.get_absolute_url(), "mia").words
    assert "Endpoint URL generated Signing secrets 1 Last webhook integration_link.erroring" in shown


def test_pause_says_until_when_and_why(env: Environment) -> None:
    until = timezone.localtime(pause(env, seconds=30).open_until)

    assert f"Paused until {until:%H:%M:%S %Z}: 5 requests failed in a row" in words(env)


def test_pause_says_that_too_many_of_the_last_calls_failed(env: Environment) -> None:
    pause(env, seconds=30, failures=1, open_reason="of_last", recent="x." * 10)

    assert ": 10 of the last 20 requests failed" in words(env)


def test_pause_that_ended_waits_for_one_call(env: Environment) -> None:
    pause(env, seconds=-1)
    assert "Paused. The next request will show whether the provider is responding again." in words(env)

    pause(env, seconds=-1, probe_until=timezone.now() + SOON)
    assert "Testing with one request Belvo test 5 requests failed in a row" in words(env)


def test_calls_under_way_are_named_with_their_time(env: Environment) -> None:
    began, lease = timezone.now() - timedelta(seconds=12), timezone.now() + SOON
    env.belvo.slots.create(call="update_credentials", taken_at=began, lease_until=lease)
    env.belvo.slots.create(call="read_link", lease_until=timezone.now())  # of a process that died

    assert "Requests in flight 1 of 8 Update credentials · 12 s ago" in words(env)
    assert "Read link" not in words(env)


def test_quotas_say_how_much_is_used_until_when_and_on_whose_word(env: Environment) -> None:
    ends = timezone.now() + SOON
    env.belvo.quotas.create(scope="", calls=40, used=12, window_ends_at=ends)
    env.belvo.quotas.create(scope="remove_link", calls=0, reported=True, window_ends_at=ends)

    until = f"{timezone.localtime(ends):%H:%M:%S %Z}"
    assert f"All requests 12 of 40, resets at {until} documented limit" in words(env)
    assert f"Delete link provider asked us to wait, resets at {until} set by the provider" in words(env)


def test_quota_with_no_call_left_is_said_at_the_head(env: Environment) -> None:
    env.belvo.quotas.create(scope="remove_link", calls=5, used=5, window_ends_at=timezone.now() + SOON)

    assert "Rate limited Belvo test" in words(env)


def test_calls_that_left_the_window_are_not_shown_as_used(env: Environment) -> None:
    now, recent = timezone.now(), RecentCalls(30.0, {})
    for seconds in [40] * 70 + [5] * 10:
        recent.add(now - timedelta(seconds=seconds))
    window = {"calls": 80, "used": 80, "recent": recent.write(), "window_ends_at": now + SOON}
    env.belvo.quotas.update_or_create(scope="", defaults=window)
    Integration.objects.update(key_state=Integration.KeyState.VALID)

    assert "Connection OK" in words(env)
    assert "All requests 10 of 80" in words(env)


def test_rejected_keys_are_shown(env: Environment) -> None:
    refused = Integration.KeyState.REJECTED
    Integration.objects.filter(pk=env.belvo.pk).update(key_state=refused, keys_retry_at=timezone.now() + SOON)

    assert "Rejected: we'll try again at" in words(env)
    Integration.objects.update(keys_retry_at=None)
    assert "Rejected: no requests until someone tests the connection" in words(env)


@pytest.mark.parametrize(("name", "drawn"), [("mia", True), ("adm", True), ("aud", False)])
def test_who_may_test_the_connection_reads_that_it_can_end_the_pause(env: Environment, name: str, drawn: bool) -> None:
    pause(env, seconds=30)

    assert ("A successful test closes the circuit breaker." in words(env, name)) is drawn


def test_good_connection_test_ends_the_pause(env: Environment) -> None:
    pause(env, seconds=30)

    env.post(f"{env.belvo.get_absolute_url()}test/", name="mia")

    assert "Connection OK" in words(env)


def test_connection_test_that_finds_no_call_left_blames_no_keys(env: Environment) -> None:
    ends = timezone.now() + SOON
    env.belvo.quotas.create(scope="test_connection", calls=1, used=1, window_ends_at=ends)

    answer = env.post(f"{env.belvo.get_absolute_url()}test/", name="mia")

    env.belvo.refresh_from_db()
    assert env.belvo.key_state == Integration.KeyState.UNTESTED
    assert "the limit of 1 request has been reached. Nothing was sent." in env.open(answer.location, "mia").words


def test_every_call_a_provider_may_offer_has_a_name() -> None:
    offered = {name for name, kind in vars(Provider).items() if name[0] != "_" and type(kind).__name__ == "function"}

    assert offered <= set(CALLS)
