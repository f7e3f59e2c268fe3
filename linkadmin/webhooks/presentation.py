"""Messages as pages show them: every text made once, so that templates only place them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.heartbeats import watch
from linkadmin.web.badges import StateBadge

from .models import DeliveryOutcome, DeliveryState, WebhookDelivery

# Tone and icon of each outcome.
LOOKS = {
    DeliveryOutcome.CHANGED: ("ok", "circle-check"),
    DeliveryOutcome.NO_CHANGE: ("quiet", "circle-dashed"),
    DeliveryOutcome.NO_MATCHING_LINK: ("quiet", "circle-slash"),
    DeliveryOutcome.UNRECOGNIZED_TYPE: ("warn", "circle-question-mark"),
    DeliveryOutcome.INVALID_PAYLOAD: ("bad", "circle-x"),
    DeliveryOutcome.WAITING_TO_RETRY: ("warn", "hourglass"),
    DeliveryOutcome.LATE: ("quiet", "clock"),
}
OPEN_LOOKS = {
    DeliveryState.PENDING: ("info", "clock", gettext_lazy("Not worked yet")),
    DeliveryState.PROCESSING: ("info", "refresh-cw", gettext_lazy("Its links are being read")),
}
MEANINGS = {
    DeliveryOutcome.CHANGED: gettext_lazy("A read after it showed that something had changed."),
    DeliveryOutcome.NO_CHANGE: gettext_lazy("A read after it showed what was known already."),
    DeliveryOutcome.NO_MATCHING_LINK: gettext_lazy("It is about nothing that we have, or names nothing."),
    DeliveryOutcome.UNRECOGNIZED_TYPE: gettext_lazy("No table of ours knows this type, so nothing came of it."),
    DeliveryOutcome.INVALID_PAYLOAD: gettext_lazy(
        "It proved to be the provider's, and is not what the provider documents."
    ),
    DeliveryOutcome.WAITING_TO_RETRY: gettext_lazy("The provider cannot be asked for now."),
    DeliveryOutcome.LATE: gettext_lazy("It was more than a day old when it arrived, so it led to no status check."),
}


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One line of the list of messages."""

    url: str
    topic: str
    through: str
    about: str
    customer_id: str
    outcome: StateBadge
    received: datetime | None
    copies: int


def outcome_badge(delivery: WebhookDelivery, *, with_meaning: bool = False) -> StateBadge:
    """Return what came of a message, as icon and word; with what that means, if asked for."""
    if delivery.outcome:
        outcome = DeliveryOutcome(delivery.outcome)
        tone, icon = LOOKS[outcome]
        return StateBadge(tone, icon, str(outcome.label), _meaning(outcome) if with_meaning else "")
    tone, icon, label = OPEN_LOOKS[DeliveryState(delivery.state)]
    return StateBadge(tone, icon, watch.ongoing(str(label), _("Waiting for background work")))


def _meaning(outcome: DeliveryOutcome) -> str:
    meaning = str(MEANINGS[outcome])
    if outcome is not DeliveryOutcome.WAITING_TO_RETRY:
        return meaning
    return f"{meaning} {watch.ongoing(_('It is tried again by itself.'))}"


def rows(deliveries: Iterable[WebhookDelivery]) -> list[DeliveryRow]:
    return [_row(delivery) for delivery in deliveries]


def _row(delivery: WebhookDelivery) -> DeliveryRow:
    return DeliveryRow(
        url=delivery.get_absolute_url(),
        topic=delivery.topic or _("Not readable"),
        through=delivery.integration.name,
        about=delivery.remote_link_id,
        customer_id=delivery.end_user_id,
        outcome=outcome_badge(delivery),
        received=delivery.received_at,
        copies=delivery.copies,
    )
