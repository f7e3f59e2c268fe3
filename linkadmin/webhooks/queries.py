"""Queries of the delivery list: filters, search by any ID or topic, keyset pages."""

from datetime import timedelta

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.ids import as_uuid
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, Link
from linkadmin.paging import PAGE_SIZE, Keyset
from linkadmin.providers.records import WebhookKind

from .models import DeliveryLink, DeliveryOutcome, DeliveryState, WebhookDelivery, first_id

NEWEST_FIRST = Keyset("pk", newest_first=True)
COUNT_LIMIT = 1_000  # unrecognized deliveries; more show as "1,000+"
OPEN = "open"
SPANS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}


class DeliveryFilter(django_filters.FilterSet):  # type: ignore[misc]
    integration = django_filters.ModelChoiceFilter(
        queryset=Integration.objects.order_by("name"), label=_("Integration"), empty_label=_("Any integration")
    )
    outcome = django_filters.ChoiceFilter(
        method="of_outcome",
        label=_("Result"),
        empty_label=_("Any result"),
        choices=[(OPEN, _("Pending")), *DeliveryOutcome.choices],
    )
    type = django_filters.ChoiceFilter(
        method="of_type", label=_("Type"), empty_label=_("Any type"), choices=[("unknown", _("Unknown"))]
    )
    within = django_filters.ChoiceFilter(
        method="of_time",
        label=_("Received"),
        empty_label=_("Any time"),
        choices=[("1h", _("Last hour")), ("24h", _("Last 24 hours")), ("7d", _("Last 7 days"))],
    )

    class Meta:
        model = WebhookDelivery
        fields = ["integration", "outcome", "type", "within"]

    def of_outcome(
        self, deliveries: "QuerySet[WebhookDelivery]", _name: str, value: str
    ) -> "QuerySet[WebhookDelivery]":
        if value == OPEN:
            return deliveries.exclude(state=DeliveryState.DONE)
        # The index of outcomes has only rows with one, and SQLite uses it only if the query says so.
        return deliveries.filter(outcome=value).exclude(outcome="")

    def of_type(self, deliveries: "QuerySet[WebhookDelivery]", _name: str, _value: str) -> "QuerySet[WebhookDelivery]":
        return unrecognized(deliveries)

    def of_time(self, deliveries: "QuerySet[WebhookDelivery]", _name: str, value: str) -> "QuerySet[WebhookDelivery]":
        return deliveries.filter(pk__gte=first_id(timezone.now() - SPANS[value]))


def unrecognized(deliveries: "QuerySet[WebhookDelivery]") -> "QuerySet[WebhookDelivery]":
    # Unreadable payloads are of unknown kind, too.
    return deliveries.filter(kind=WebhookKind.UNKNOWN.value)


def count_unrecognized() -> int:
    return unrecognized(WebhookDelivery.objects.order_by())[:COUNT_LIMIT].count()


def search(deliveries: "QuerySet[WebhookDelivery]", words: str) -> "QuerySet[WebhookDelivery]":
    found = Q(remote_link_id=words) | Q(end_user_id=words) | Q(request_id=words) | Q(consent_id=words)
    links = Link.objects.filter(end_user__in=EndUser.objects.filter(external_id=words))
    if pasted := as_uuid(words):
        links = links | Link.objects.filter(Q(pk=pasted) | Q(end_user=pasted))
        found |= Q(pk=pasted) | Q(request_id__in=[str(pasted), pasted.hex])
    about = DeliveryLink.objects.filter(link__in=list(links.values_list("pk", flat=True)[:PAGE_SIZE]))
    by_id = deliveries.filter(found | Q(pk__in=about.values("delivery")))
    return by_id if by_id.exists() else deliveries.filter(topic__icontains=words)
