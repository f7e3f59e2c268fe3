"""While requests are paused, nothing is requested from the customer, nothing is sent, and no code is lost."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations import call_pool
from linkadmin.integrations.denials import words_for
from linkadmin.integrations.models import CallQuota, CallSlot, CircuitBreaker, Integration
from linkadmin.integrations.slots import Slot
from linkadmin.links.models import Link, LinkRead
from linkadmin.operations.models import Operation, PendingChallenge, State
from linkadmin.providers.types import Cause
from tests.environment import Environment
from tests.markup import Page

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]


def pause(integration: Integration, *, seconds: float = 30) -> None:
    until = timezone.now() + timedelta(seconds=seconds)
    paused = {"failures": 5, "open_reason": "in_a_row", "open_until": until}
    CircuitBreaker.objects.update_or_create(integration=integration, defaults=paused)


def submit_button(page: Page, words: str) -> dict[str, str]:
    """Attributes of the submit button."""
    assert words in page.words
    (button,) = [
        each for each in page.elements if each.tag == "button" and "button--primary" in each.attrs.get("class", "")
    ]
    return button.attrs


@pytest.fixture
def asked(env: Environment) -> Link:
    """A link whose bank waits for a code."""
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")
    return link


@pytest.mark.parametrize("form", ["new", "credentials", "code"])
def test_form_says_that_requests_are_paused_before_anybody_types_a_secret(
    env: Environment, asked: Link, form: str
) -> None:
    other = env.belvo_link("Blue Fern", bank="gringotts_mx_retail")
    pause(env.belvo)
    url, button = {
        "new": (env.new_link_url("heimdall_mx_retail"), "Create link"),
        "credentials": (f"/links/{other.pk}/credentials/", "Update credentials"),
        "code": (f"/links/{asked.pk}/code/", "Submit code"),
    }[form]

    page = env.open(url)

    attrs = submit_button(page, button)
    assert ("disabled" in attrs, attrs.get("aria-describedby")) == (True, "why-paused")
    assert "Requests to Belvo test are paused until" in page.words
    assert ": 5 requests failed in a row." in page.words


def test_form_of_another_integration_is_unaffected(env: Environment) -> None:
    pause(env.belvo)

    page = env.open(env.new_link_url())

    assert "disabled" not in submit_button(page, "Create link")
    assert "paused" not in page.words


def test_form_opened_before_the_pause_is_refused_without_an_intent(env: Environment) -> None:
    link = env.belvo_link()
    url = f"/links/{link.pk}/credentials/"
    values = env.open(url).form_with("password").values | {"password": "pass_valid"}
    pause(env.belvo)

    page = env.post(url, values)

    assert page.status == 409
    assert ": 5 requests failed in a row. Nothing was sent." in page.words
    assert (env.calls("PUT"), Operation.objects.count()) == ([], 0)
    assert AuditEvent.objects.get(outcome="not_sent").details["reason"] == "paused"


@pytest.mark.parametrize("why", ["paused", "quota", "no place"])
def test_code_that_cannot_be_sent_is_not_used_up(
    env: Environment, asked: Link, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkadmin.integrations.slots.SLOT_WAIT_SECONDS", 0.05)
    values = env.open(f"/links/{asked.pk}/code/").form_with("code").values | {"code": "111111"}
    soon = timezone.now() + timedelta(seconds=30)
    if why == "paused":
        pause(env.belvo)
    elif why == "quota":
        CallQuota.objects.create(integration=env.belvo, scope="submit_code", calls=0, window_ends_at=soon)
    else:
        CallSlot.objects.bulk_create(CallSlot(integration=env.belvo, lease_until=soon) for _each in range(8))

    refused = env.post(f"/links/{asked.pk}/code/", values)

    assert refused.status == (503 if why == "no place" else 409)
    assert "Nothing was sent" in refused.words
    assert PendingChallenge.objects.count() == 1
    assert env.last_operation(asked).state == State.NEEDS_CODE
    CircuitBreaker.objects.update(open_until=None)
    CallQuota.objects.all().delete()
    CallSlot.objects.all().delete()
    env.post(f"/links/{asked.pk}/code/", values)
    assert len(env.calls("PATCH")) == 1
    assert env.last_operation(asked).state == State.SUCCEEDED


def test_request_takes_one_slot_and_releases_it(env: Environment, asked: Link) -> None:
    env.send(f"/links/{asked.pk}/code/", code="111111")
    env.settled()

    assert not CallSlot.objects.exists()
    assert CircuitBreaker.objects.get(integration=env.belvo).recent[-2:] == ".."


@pytest.mark.parametrize("why", ["paused", "quota"])
@pytest.mark.parametrize("form", ["credentials", "code"])
def test_request_denied_after_its_start_ends_as_not_sent(
    env: Environment, asked: Link, monkeypatch: pytest.MonkeyPatch, form: str, why: str
) -> None:
    link = env.belvo_link("Blue Fern", bank="gringotts_mx_retail") if form == "credentials" else asked
    begin, sent = call_pool.start, len(env.calls("PUT"))

    def start(key: UUID, slot: Slot, work: Callable[[], None]) -> None:
        if why == "paused":
            pause(env.belvo)
        else:
            used_up = {"calls": 9, "used": 9, "window_ends_at": timezone.now() + timedelta(seconds=30)}
            CallQuota.objects.update_or_create(integration=env.belvo, scope="", defaults=used_up)
        begin(key, slot, work)

    monkeypatch.setattr(call_pool, "start", start)
    typed = {"password": "pass_valid"} if form == "credentials" else {"code": "111111"}
    env.send(f"/links/{link.pk}/{form}/", **typed)
    env.settled()

    operation = env.last_operation(link)
    assert (operation.state, operation.outcome) == (State.NOT_SENT, why)
    assert words_for(why) in env.open(operation.get_absolute_url()).words
    assert (len(env.calls("PUT")), env.calls("PATCH"), CallSlot.objects.count()) == (sent, [], 0)


def test_last_request_of_a_quota_is_counted_once(env: Environment) -> None:
    link, soon = env.belvo_link(), timezone.now() + timedelta(seconds=30)
    quota = CallQuota.objects.create(integration=env.belvo, scope="update_credentials", calls=1, window_ends_at=soon)

    env.send(f"/links/{link.pk}/credentials/", password="pass_valid")

    quota.refresh_from_db()
    assert (env.last_operation(link).state, quota.used) == (State.SUCCEEDED, 1)


def test_form_refused_by_a_rule_uses_nothing_of_a_quota(env: Environment) -> None:
    env.heron_link(item_id="item-1")
    soon = timezone.now() + timedelta(seconds=30)
    quota = CallQuota.objects.create(integration=env.heron, scope="create_link", calls=1, window_ends_at=soon)
    typed = {"end_user_id": "cus-9", "end_user_name": "Ivy", "access_token": "access-1", "item_id": "item-1"}

    page = env.send(env.new_link_url(), **typed)

    quota.refresh_from_db()
    assert (page.status, quota.used, CallSlot.objects.count()) == (409, 0, 0)


def test_rejected_keys_are_not_used_by_a_queued_task(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    Integration.objects.update(key_state=Integration.KeyState.REJECTED)

    env.prove(link)

    assert env.calls("GET", "/api/links/") == []
    assert LinkRead.objects.get(link=link).due_at is not None
