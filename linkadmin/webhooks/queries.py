"""Queries of the delivery list: filters, search by any ID or topic, keyset pages."""

from collections.abc import Sequence
from datetime import timedelta

import django_filters
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.ids import as_uuid
from linkadmin.links.listing.in_environment import EnvironmentFilterSet
from linkadmin.links.models import Link
from linkadmin.providers.records import WebhookKind
from linkadmin.search.lookups import Condition, equals, is_id, is_one_of, look_up
from linkadmin.web.sorting import Order

from .models import DeliveryLink, DeliveryOutcome, DeliveryState, WebhookDelivery, first_id

ORDERS = {"received": Order((_("newest first"), _("oldest first")), ("pk",), falls=True)}
COUNT_LIMIT = 1_000  # unrecognized deliveries; more show as "1,000+"
OPEN = "open"
ID_COLUMNS = ("remote_link_id", "end_user_id", "request_id", "consent_id")
MAX_TOPICS = 20  # to look up; if more match, the newest deliveries are soon among them
# Steps from one topic to the next in the index, instead of reading all rows.
_PROCESSED_TOPICS = """
    WITH RECURSIVE topics(topic) AS (
        SELECT MIN(topic) FROM webhooks_webhookdelivery WHERE state = 'done'
        UNION ALL
        SELECT (SELECT MIN(topic) FROM webhooks_webhookdelivery WHERE state = 'done' AND topic > topics.topic)
        FROM topics WHERE topic IS NOT NULL
    )
    SELECT topic FROM topics WHERE topic IS NOT NULL LIMIT 1000
"""
SPANS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}


class DeliveryFilter(EnvironmentFilterSet):
    outcome = django_filters.ChoiceFilter(
        method="of_outcome",
        label=_("Result"),
        choices=[(OPEN, _("Pending")), *DeliveryOutcome.choices],
    )
    type = django_filters.ChoiceFilter(
        method="of_type",
        label=_("Type"),
        choices=[("unknown", _("Unknown"))],
    )
    within = django_filters.ChoiceFilter(
        method="of_time",
        label=_("Received"),
        choices=[("1h", _("Last hour")), ("24h", _("Last 24 hours")), ("7d", _("Last 7 days"))],
    )

    class Meta:
        model = WebhookDelivery
        fields = ["integration", "outcome", "type", "within"]

    def of_outcome(
        self, deliveries: "QuerySet[WebhookDelivery]", _name: str, value: str
    ) -> "QuerySet[WebhookDelivery]":
        if value == OPEN:
            return look_up(deliveries, [_pending(~Q(state=DeliveryState.DONE))])
        # The index of outcomes has only rows with one, and SQLite uses it only if the query says so.
        return deliveries.filter(outcome=value).exclude(outcome="")

    def of_type(self, deliveries: "QuerySet[WebhookDelivery]", _name: str, _value: str) -> "QuerySet[WebhookDelivery]":
        return unrecognized(deliveries)

    def of_time(self, deliveries: "QuerySet[WebhookDelivery]", _name: str, value: str) -> "QuerySet[WebhookDelivery]":
        return deliveries.filter(pk__gte=first_id(timezone.now() - SPANS[value]))


def unrecognized(deliveries: "QuerySet[WebhookDelivery]") -> "QuerySet[WebhookDelivery]":
    # Unreadable payloads are of unknown kind, too.
    return deliveries.filter(kind=WebhookKind.UNKNOWN.value)


def count_unrecognized(here: Q) -> int:
    """Those that meet a condition, up to a limit."""
    return unrecognized(WebhookDelivery.objects.filter(here).order_by())[:COUNT_LIMIT].count()


def search(deliveries: "QuerySet[WebhookDelivery]", words: str) -> "QuerySet[WebhookDelivery]":
    """Find deliveries by any ID of theirs or of a link they're about; if there are none, by a part of their topic."""
    found = look_up(deliveries, _having_id(words))
    if not found.query.is_empty():
        return found
    topics = [topic for topic in _topics() if words.casefold() in topic.casefold()]
    if not topics or len(topics) > MAX_TOPICS:
        return deliveries.filter(topic__in=topics)
    return look_up(
        deliveries, [*(_processed(equals("topic", topic)) for topic in topics), _pending(Q(topic__in=topics))]
    )


def by_ids(ids: Sequence[str]) -> "QuerySet[WebhookDelivery]":
    """Deliveries with one of these as their own ID, or as that of their request or consent."""
    own = [is_id("pk", pasted) for each in ids if (pasted := as_uuid(each))]
    named = [is_one_of(column, ids) for column in ("request_id", "consent_id")]
    pending = _pending(Q(request_id__in=ids) | Q(consent_id__in=ids))
    return look_up(WebhookDelivery.objects.all(), [*own, *map(_processed, named), pending])


def _having_id(words: str) -> list[Condition]:
    texts, links = {words}, [Q(end_user__external_id=words)]
    conditions = []
    if pasted := as_uuid(words):
        texts |= {str(pasted), pasted.hex}
        links += [Q(pk=pasted), Q(end_user=pasted)]
        conditions.append(is_id("pk", pasted))
    conditions += [_processed(is_one_of(column, texts)) for column in ID_COLUMNS]
    conditions.append(_pending(Q.create([(f"{column}__in", texts) for column in ID_COLUMNS], Q.OR)))
    for link in links:
        about = Q(pk__in=DeliveryLink.objects.filter(link__in=Link.objects.filter(link)).values("delivery"))
        conditions.append(Condition(about, about))
    return conditions


def _processed(condition: Condition) -> Condition:
    return Condition(condition.indexed & Q(state=DeliveryState.DONE), condition.tested)


def _pending(condition: Q) -> Condition:
    """There are few, and an index of them."""
    return Condition(condition & ~Q(state=DeliveryState.DONE), condition)


def _topics() -> list[str]:
    pending = WebhookDelivery.objects.exclude(state=DeliveryState.DONE)
    with connection.cursor() as cursor:
        cursor.execute(_PROCESSED_TOPICS)
        return [*(topic for (topic,) in cursor.fetchall()), *pending.values_list("topic", flat=True).distinct()]
