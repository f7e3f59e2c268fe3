"""Texts and badges of deliveries, ready for templates."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q, When
from django.template import Context
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.exports import Cells, choice, constant, identifier, moment, number, text
from linkadmin.heartbeats import watch
from linkadmin.integrations.models import Integration
from linkadmin.links.listing.marks import sandbox_mark
from linkadmin.timestamps import ago
from linkadmin.web.badges import StateBadge, draw_state
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.sorting import Head

from .models import DeliveryOutcome, DeliveryState, WebhookDelivery, WebhookEndpoint

_ROW = FlatPart("webhooks/_row.html")
IN_ROWS = (  # columns that a row needs: above all, not the payload
    "topic", "remote_link_id", "end_user_id", "state", "outcome", "received_at", "copies",
    "integration__name", "integration__environment",
)  # fmt: skip
# Tone, icon and meaning of each outcome.
LOOKS = {
    DeliveryOutcome.CHANGED: (
        "ok",
        "circle-check",
        gettext_lazy("A status check confirmed a change."),
    ),
    DeliveryOutcome.NO_CHANGE: (
        "quiet",
        "circle-dashed",
        gettext_lazy("A status check found nothing new."),
    ),
    DeliveryOutcome.NO_MATCHING_LINK: (
        "quiet",
        "circle-slash",
        gettext_lazy("It doesn't match any of our links."),
    ),
    DeliveryOutcome.UNRECOGNIZED_TYPE: (
        "warn",
        "circle-question-mark",
        gettext_lazy("We don't recognize this type, so we did nothing."),
    ),
    DeliveryOutcome.INVALID_PAYLOAD: (
        "bad",
        "circle-x",
        gettext_lazy("It's correctly signed, but doesn't match the provider's documentation."),
    ),
    DeliveryOutcome.WAITING_TO_RETRY: (
        "warn",
        "hourglass",
        gettext_lazy("We can't contact the provider right now."),
    ),
    DeliveryOutcome.LATE: (
        "quiet",
        "clock",
        gettext_lazy("It arrived more than a day late, so we didn't check the status."),
    ),
}
OPEN_LOOKS = {
    DeliveryState.PENDING: ("info", "clock", gettext_lazy("Pending")),
    DeliveryState.PROCESSING: ("info", "refresh-cw", gettext_lazy("Processing")),
}


def outcome_badge(delivery: WebhookDelivery, *, with_meaning: bool = False) -> StateBadge:
    if not delivery.outcome:
        tone, icon, label = OPEN_LOOKS[DeliveryState(delivery.state)]
        return StateBadge(tone, icon, watch.ongoing(str(label), _("Waiting for a background worker")))
    outcome = DeliveryOutcome(delivery.outcome)
    tone, icon, explanation = LOOKS[outcome]
    meaning = str(explanation) if with_meaning else ""
    if with_meaning and outcome is DeliveryOutcome.WAITING_TO_RETRY:
        retry = watch.ongoing(_("We'll retry automatically."))
        meaning = f"{meaning} {retry}"
    return StateBadge(tone, icon, str(outcome.label), meaning)


def columns() -> list[Cells]:
    """Of exported deliveries."""
    pending = [When(outcome="", state=state, then=constant(state.label)) for state in DeliveryState]
    return [
        text(_("Topic"), "topic"),
        text(_("Integration"), "integration__name"),
        text(_("Link ID"), "remote_link_id"),
        text(_("Customer ID"), "end_user_id"),
        choice(_("Result"), "outcome", dict(DeliveryOutcome.choices), unless=pending),
        moment(_("Received"), "received_at"),
        number(_("Times received"), "copies"),
        text(_("Request ID"), "request_id"),
        identifier(_("Delivery ID"), "pk"),
    ]


def heads() -> list[Head]:
    received = Head(_("Received"), "table__time", order="received", falls=True)
    return [Head(_("Topic")), Head(_("Link or customer")), Head(_("Result")), received]


def delivery_rows(deliveries: Iterable[WebhookDelivery]) -> str:
    """Markup of table rows; empty without deliveries."""
    return _ROW.fill(
        {
            "url": each.get_absolute_url(),
            "topic": each.topic or _("Unreadable"),
            "integration": each.integration.name,
            "sandbox": sandbox_mark(each.integration),
            "link_id": each.remote_link_id,
            "customer_id": each.end_user_id,
            "none": "" if each.remote_link_id or each.end_user_id else _("none specified"),
            "result": draw_state(outcome_badge(each)),
            "received": ago(each.received_at),
            "times": _("%(count)s times") % {"count": each.copies} if each.copies > 1 else "",
        }
        for each in deliveries
    )


def of_integration(page: Context) -> dict[str, Any]:
    """For the integration's page."""
    integration: Integration = page["integration"]
    live = Q(webhook_secrets__revoked_at=None)
    row = Integration.objects.filter(pk=integration.pk)
    return {
        **row.aggregate(secrets_count=Count("webhook_secrets", filter=live), has_endpoint=Count("webhook_endpoint")),
        "publishes_keys": integration.provider_class.publishes_webhook_keys,
        "last_delivery": integration.deliveries.order_by("-pk").first(),
    }


def endpoint_state(endpoint: WebhookEndpoint | None, live_secrets: object, last: WebhookDelivery | None) -> StateBadge:
    """Whether an integration's webhooks can arrive, and what is missing."""
    if endpoint is None:
        why = _("Without an endpoint URL, no webhooks can arrive.")
        return StateBadge("quiet", "circle-dashed", _("Not set up"), why)
    if not live_secrets:
        why = _("Without a signing secret, we reject every webhook.")
        return StateBadge("bad", "circle-x", _("Rejecting all"), why)
    if last is None:
        return StateBadge("quiet", "circle-dashed", _("Ready"), _("No deliveries yet."))
    return StateBadge("ok", "circle-check", _("Receiving"))
