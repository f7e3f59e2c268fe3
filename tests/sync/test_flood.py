"""Floods of webhooks: duplicated, in any order, partly forged. Each genuine one takes effect once."""

import json
import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from django.db import connection
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links.models import READ_EVERY, HealthChange, Link, LinkRead
from linkadmin.providers.types import Cause
from linkadmin.simulator.settings import SimulatorSettings
from linkadmin.sync import tasks
from linkadmin.webhooks import refusals
from linkadmin.webhooks.models import DeliveryOutcome, DeliveryState, RefusalCount, WebhookDelivery
from tests.environment import HERON_INTEGRATION, Environment
from tests.webhooks.webhook_sender import (
    AUTHORIZATION,
    FORGED,
    belvo_webhook,
    deliver,
    heron_webhook,
    open_endpoint,
    signed,
)

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]

AT_BELVO = ("valid", "invalid", "token_required")
AT_HERON = (("active", None), ("erroring", "[Plaid ITEM_LOGIN_REQUIRED]"), ("sync_disabled", None))
FORGED_SHARE, MOST_COPIES = 0.2, 5
PER_CUSTOMER = 10  # links of a customer at Heron
COUNTED_ONE_BY_ONE = 100  # refused messages of a minute and an address; later ones by hundreds
WORKERS = 4


@dataclass(frozen=True, slots=True)
class Post:
    """One request: a copy of a genuine webhook about a link, or a forgery."""

    address: str
    body: bytes
    headers: dict[str, str]
    link: Link | None = None


@dataclass
class Flood:
    """Webhooks of links that change at the providers, each sent after its change."""

    env: Environment
    links: list[Link]
    chance: random.Random
    posts: list[Post] = field(default_factory=list)

    def prepare(self, messages: int) -> None:
        """Generate webhooks, each sent one to five times, and forgeries, a fifth of all; in random order."""
        addresses = {each.pk: open_endpoint(each) for each in (self.env.belvo, self.env.heron)}
        for number in range(messages):
            link = self.chance.choice(self.links)
            self.posts += [genuine(link, addresses[link.integration_id], number)] * self.chance.randint(1, MOST_COPIES)
        forgeries = round(len(self.posts) * FORGED_SHARE / (1 - FORGED_SHARE))
        self.posts += [forged(self.chance.choice(self.posts)) for _ in range(forgeries)]
        self.chance.shuffle(self.posts)

    def send(self) -> None:
        told = set()
        for post in self.posts:
            if post.link and post.body not in told:
                told.add(post.body)
                self._change(post.link)
            answer = deliver(post.address, post.body, post.headers)
            assert answer.status_code == (202 if post.link else 401)

    @property
    def genuine(self) -> list[Post]:
        return [post for post in self.posts if post.link]

    def _change(self, link: Link) -> None:
        store = self.env.simulator.store
        with store.lock:
            if link.integration_id == self.env.belvo.pk:
                store.belvo_links[link.remote_id].status = self.chance.choice(AT_BELVO)
            else:
                item = store.heron_links[link.remote_id]
                item.status, item.status_message = self.chance.choice(AT_HERON)
                item.settles_at = None  # otherwise it becomes active on its own, without a webhook


def genuine(link: Link, address: str, number: int) -> Post:
    if link.integration.provider == "belvo":
        body = belvo_webhook(link_id=link.remote_id, request_id=str(uuid.UUID(int=number)))
        return Post(address, body, {"authorization": AUTHORIZATION}, link)
    body = heron_webhook(item_id=link.remote_id, end_user_id=link.end_user.external_id, heron_id=f"ilk_{number}")
    return Post(address, body, signed(body), link)


def forged(like: Post) -> Post:
    """A forged webhook, signed with a guess or with another webhook's signature."""
    body = json.dumps(json.loads(like.body) | {"forged": True}).encode()
    return Post(like.address, body, like.headers if "Heron-Signature" in like.headers else FORGED)


@pytest.fixture
def env(env: Environment) -> Environment:
    refusals._seen.clear()
    env.simulator.configure(SimulatorSettings(heron_limit=0))
    return env


def flood_of(env: Environment, *, belvo: int, heron: int, seed: int) -> Flood:
    """Create links at the simulator and here, with an outdated state."""
    links = [env.belvo_link(f"Acme {number}", cause=Cause.BANK_DOWN) for number in range(belvo)]
    for number in range(0, heron, PER_CUSTOMER):
        links += links_of_a_customer(env, f"item-{number}", min(PER_CUSTOMER, heron - number))
    return Flood(env, links, random.Random(seed))


def links_of_a_customer(env: Environment, name: str, count: int) -> list[Link]:
    links = [env.heron_link(item_id=f"{name}-0", cause=Cause.BANK_DOWN)]
    customer = links[0].end_user
    for number in range(1, count):
        body = {"access_token": "access-sandbox-1", "end_user_id": customer.external_id, "item_id": f"{name}-{number}"}
        env.call_heron("POST", f"/api/integrations/{HERON_INTEGRATION}/links", body)
        links.append(env.let_know(env.heron, customer, f"{name}-{number}", None, Cause.BANK_DOWN))
    return links


def work() -> None:
    """Do what's due, like a worker."""
    tasks.process_deliveries()
    for integration in Integration.objects.all():
        tasks.read_due(str(integration.pk))


@contextmanager
def workers() -> Iterator[None]:
    """Run several workers continuously."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(0.05):
            work()
        connection.close()

    threads = [threading.Thread(target=go_on) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def wait_until_all_is_done(within: float) -> None:
    deadline = time.monotonic() + within
    while WebhookDelivery.objects.exclude(state=DeliveryState.DONE).exists():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def check_messages(flood: Flood, *, messages: int) -> None:
    """Check that each genuine one is stored and closed once, and each forged one rejected and counted."""
    kept = list(WebhookDelivery.objects.all())
    assert (len(kept), sum(each.copies for each in kept)) == (messages, len(flood.genuine))
    assert {each.state for each in kept} == {DeliveryState.DONE}
    assert {each.outcome for each in kept} <= {DeliveryOutcome.CHANGED, DeliveryOutcome.NO_CHANGE}
    refused = len(flood.posts) - len(flood.genuine)
    counted = list(RefusalCount.objects.values_list("count", flat=True))
    assert refused - COUNTED_ONE_BY_ONE * len(counted) < sum(counted) <= refused


def check_states(flood: Flood) -> None:
    """Check that each link has its provider's state."""
    told = {
        remote_id: standing for each in flood.env.simulator.snapshot().values() for remote_id, standing in each.items()
    }
    about = {post.link.pk for post in flood.genuine if post.link}
    ours = {link.remote_id: link.raw_status for link in Link.objects.filter(pk__in=about)}
    assert ours == {remote_id: told[remote_id][0] for remote_id in ours}
    assert not LinkRead.objects.filter(due_at__isnull=False).exists()


def times_read(env: Environment) -> dict[str, list[float]]:
    """Return when each Belvo link and each Heron customer was read, in seconds since 1970."""
    times = defaultdict(list)
    for call in env.calls("GET"):
        for named in [*call.query.get("id__in", "").split(","), call.query.get("end_user_id", "")]:
            if named:
                times[named].append(call.at)
    return times


def test_many_deliveries_take_effect_once(env: Environment) -> None:
    flood = flood_of(env, belvo=6, heron=4, seed=1)
    flood.prepare(messages=50)

    flood.send()
    work()

    check_messages(flood, messages=50)
    check_states(flood)
    assert {HealthChange.objects.filter(link=link).count() for link in flood.links} == {2}
    assert {len(times) for times in times_read(env).values()} == {1}


@pytest.mark.thorough
def test_five_thousand_messages_about_three_hundred_links(env: Environment) -> None:
    flood = flood_of(env, belvo=240, heron=60, seed=7)
    flood.prepare(messages=5000)

    began = timezone.now()
    with workers():
        flood.send()
        wait_until_all_is_done(within=120)
        seconds = (timezone.now() - began).total_seconds()

    check_messages(flood, messages=5000)
    check_states(flood)
    times = times_read(env)
    pauses = [later - sooner for each in times.values() for sooner, later in pairwise(each)]
    assert min(pauses) >= READ_EVERY.total_seconds()
    assert max(len(each) for each in times.values()) <= seconds / READ_EVERY.total_seconds() + 1
