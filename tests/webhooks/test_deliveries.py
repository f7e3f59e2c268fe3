"""Processing deliveries: who holds one, when it's done, and that nothing is lost when a worker dies."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from linkadmin.webhooks import deliveries
from linkadmin.webhooks.models import DeliveryOutcome, WebhookDelivery, first_id, timed_id
from linkadmin.webhooks.tasks import delete_old
from tests.environment import Environment

from .webhook_sender import belvo_webhook, deliver, mark_processed, open_endpoint, stored_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.database]

CHANGED, NO_CHANGE = DeliveryOutcome.CHANGED, DeliveryOutcome.NO_CHANGE
SECOND = timedelta(seconds=1)


@pytest.fixture
def delivery(env: Environment) -> WebhookDelivery:
    deliver(open_endpoint(env.belvo), belvo_webhook())
    return stored_delivery(env.belvo)


def claimed(now: datetime | None = None) -> list[WebhookDelivery]:
    return deliveries.claim(10, now=now or timezone.now())


def state_of(delivery: WebhookDelivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.outcome


def test_delivery_is_claimed_by_one_worker(delivery: WebhookDelivery) -> None:
    assert claimed() == [delivery]
    assert claimed() == []


def test_oldest_is_claimed_first_up_to_the_limit(env: Environment) -> None:
    address = open_endpoint(env.belvo)
    for number in range(3):
        deliver(address, belvo_webhook(request_id=f"request-{number}"))

    first = deliveries.claim(2, now=timezone.now())

    assert [each.request_id for each in first] == ["request-0", "request-1"]
    assert [each.request_id for each in claimed()] == ["request-2"]


def test_delivery_of_a_dead_worker_is_free_after_a_minute(delivery: WebhookDelivery) -> None:
    now = timezone.now()
    claimed(now)

    assert claimed(now + timedelta(seconds=59)) == []
    assert [each.attempts for each in claimed(now + timedelta(seconds=60))] == [2]


def test_worker_with_an_expired_claim_writes_nothing(delivery: WebhookDelivery) -> None:
    now = timezone.now()
    [slow] = claimed(now)
    [quick] = claimed(now + timedelta(minutes=2))

    assert not deliveries.close([slow], DeliveryOutcome.NO_MATCHING_LINK)
    assert deliveries.close([quick], DeliveryOutcome.UNRECOGNIZED_TYPE)
    assert state_of(delivery) == ("done", "unrecognized_type")


def test_delivery_that_needs_no_read_is_done(delivery: WebhookDelivery) -> None:
    mark_processed(delivery, outcome=DeliveryOutcome.NO_MATCHING_LINK)

    assert state_of(delivery) == ("done", "no_matching_link")
    assert claimed(timezone.now() + timedelta(days=1)) == []


def test_delivery_is_done_once_all_its_links_are_read(env: Environment, delivery: WebhookDelivery) -> None:
    one, other = env.belvo_link(), env.belvo_link("Other", bank="gringotts_mx_retail")
    deliveries.note_links({claimed()[0]: [one, other]})
    now = timezone.now()

    assert deliveries.close_read([one.pk], began_at=now, outcome=CHANGED) == 0
    assert state_of(delivery) == ("processing", "")
    assert deliveries.close_read([other.pk], began_at=now, outcome=NO_CHANGE) == 1
    assert state_of(delivery) == ("done", "changed")


def test_read_that_began_before_the_delivery_closes_nothing(env: Environment, delivery: WebhookDelivery) -> None:
    link = env.belvo_link()
    deliveries.note_links({claimed()[0]: [link]})

    assert deliveries.close_read([link.pk], began_at=delivery.received_at - SECOND, outcome=CHANGED) == 0
    assert deliveries.close_read([link.pk], began_at=delivery.received_at, outcome=CHANGED) == 1


def test_one_read_closes_every_earlier_delivery(env: Environment, delivery: WebhookDelivery) -> None:
    address, link = env.belvo.webhook_endpoint.address, env.belvo_link()
    deliver(address, belvo_webhook())
    for each in claimed():
        deliveries.note_links({each: [link]})
    began_at = timezone.now()
    deliver(address, belvo_webhook())
    deliveries.note_links({claimed()[0]: [link]})

    assert deliveries.close_read([link.pk], began_at=began_at, outcome=NO_CHANGE) == 2
    assert WebhookDelivery.objects.get(state="processing").received_at > began_at


def test_delivery_whose_reads_never_came_is_claimed_again(env: Environment, delivery: WebhookDelivery) -> None:
    deliveries.note_links({claimed()[0]: [env.belvo_link()]})

    assert claimed(timezone.now() + timedelta(minutes=9)) == []
    assert claimed(timezone.now() + timedelta(minutes=11)) == [delivery]


def test_reprocessed_delivery_needs_a_read_of_its_own(env: Environment, delivery: WebhookDelivery) -> None:
    link = env.belvo_link()
    mark_processed(delivery, link, outcome=CHANGED)
    before = timezone.now()

    assert deliveries.reprocess(WebhookDelivery.objects.filter(pk=delivery.pk), by=env.people["ana"])
    deliveries.note_links({claimed()[0]: [link]})

    assert deliveries.close_read([link.pk], began_at=before, outcome=NO_CHANGE) == 0
    assert deliveries.close_read([link.pk], began_at=timezone.now(), outcome=NO_CHANGE) == 1
    assert state_of(delivery) == ("done", "no_change")


def test_reprocessed_delivery_may_match_other_links(env: Environment, delivery: WebhookDelivery) -> None:
    wrong, right = env.belvo_link(), env.belvo_link("Other", bank="gringotts_mx_retail")
    mark_processed(delivery, wrong)
    deliveries.reprocess(WebhookDelivery.objects.filter(pk=delivery.pk), by=env.people["ana"])

    mark_processed(delivery, right)

    assert state_of(delivery) == ("done", "no_change")
    assert list(delivery.links.all()) == [right]


def test_ids_sort_by_time() -> None:
    now = timezone.now()
    ids = [timed_id(now + timedelta(microseconds=number)) for number in range(0, 4_000, 3)]

    assert ids == sorted(ids)
    assert first_id(now) <= ids[0] < first_id(now + timedelta(milliseconds=1))
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}


def test_old_deliveries_are_deleted(env: Environment, delivery: WebhookDelivery) -> None:
    now = timezone.now()
    for days in (89, 91):
        at = now - timedelta(days=days)
        WebhookDelivery.objects.create(id=timed_id(at), integration=env.belvo, key=str(days), received_at=at)

    delete_old()

    assert list(WebhookDelivery.objects.order_by("pk").values_list("key", flat=True)) == ["89", delivery.key]
