"""Messages as pages show them: every text made once, so that templates only place them."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.heartbeats import watch
from linkadmin.web.badges import StateBadge

from .models import DeliveryOutcome, DeliveryState, WebhookDelivery

# Tone, icon and meaning of each outcome.
LOOKS = {
    DeliveryOutcome.CHANGED: (
        "ok",
        "circle-check",
        gettext_lazy("A read after it showed that something had changed."),
    ),
    DeliveryOutcome.NO_CHANGE: (
        "quiet",
        "circle-dashed",
        gettext_lazy("A read after it showed what was known already."),
    ),
    DeliveryOutcome.NO_MATCHING_LINK: (
        "quiet",
        "circle-slash",
        gettext_lazy("It is about nothing that we have, or names nothing."),
    ),
    DeliveryOutcome.UNRECOGNIZED_TYPE: (
        "warn",
        "circle-question-mark",
        gettext_lazy("No table of ours knows this type, so nothing came of it."),
    ),
    DeliveryOutcome.INVALID_PAYLOAD: (
        "bad",
        "circle-x",
        gettext_lazy("It proved to be the provider's, and is not what the provider documents."),
    ),
    DeliveryOutcome.WAITING_TO_RETRY: (
        "warn",
        "hourglass",
        gettext_lazy("The provider cannot be asked for now."),
    ),
    DeliveryOutcome.LATE: (
        "quiet",
        "clock",
        gettext_lazy("It was more than a day old when it arrived, so it led to no status check."),
    ),
}
OPEN_LOOKS = {
    DeliveryState.PENDING: ("info", "clock", gettext_lazy("Not worked yet")),
    DeliveryState.PROCESSING: ("info", "refresh-cw", gettext_lazy("Its links are being read")),
}


def outcome_badge(delivery: WebhookDelivery, *, with_meaning: bool = False) -> StateBadge:
    """Return what came of a message, as icon and word; with what that means, if asked for."""
    if not delivery.outcome:
        tone, icon, label = OPEN_LOOKS[DeliveryState(delivery.state)]
        return StateBadge(tone, icon, watch.ongoing(str(label), _("Waiting for background work")))
    outcome = DeliveryOutcome(delivery.outcome)
    tone, icon, told = LOOKS[outcome]
    meaning = str(told) if with_meaning else ""
    if with_meaning and outcome is DeliveryOutcome.WAITING_TO_RETRY:
        meaning = f"{meaning} {watch.ongoing(_('It is tried again by itself.'))}"
    return StateBadge(tone, icon, str(outcome.label), meaning)
