"""Where webhooks go and what proves them, as it is set in the providers' dashboards; and what was sent so far."""

from typing import Any

from .deliveries import Delivery
from .journal import MASK
from .state import World

SHOWN = 100  # deliveries
KNOWN = {"belvo": {"url", "authorization"}, "heron": {"secret"}}


def change(
    world: World,
    *,
    belvo_url: str | None = None,
    belvo_authorization: str | None = None,
    heron_secret: str | None = None,
) -> None:
    """Change what is given; an empty address ends Belvo's webhooks. Raises ValueError."""
    for text in (belvo_authorization, heron_secret):
        if text is not None and not (text and text.isascii() and text.isprintable()):
            raise ValueError("authorization and secret are printable texts of ASCII")
    receiver = world.belvo_webhook
    with world.lock:
        receiver.url = receiver.url if belvo_url is None else belvo_url
        receiver.authorization = belvo_authorization or receiver.authorization
        world.heron_secret = heron_secret or world.heron_secret


def order(world: World, wish: dict[str, Any]) -> None:
    """Change as it was posted. Raises ValueError."""
    for provider, settings in wish.items():
        if provider not in KNOWN or not isinstance(settings, dict) or settings.keys() - KNOWN[provider]:
            raise ValueError("known are url and authorization of belvo, and secret of heron")
        if not all(isinstance(value, str) for value in settings.values()):
            raise ValueError("url, authorization and secret are texts")
    change(world, **{f"{provider}_{name}": text for provider in wish for name, text in wish[provider].items()})


def shown(world: World) -> dict[str, Any]:
    """Tell the settings, secrets masked, how many deliveries there are, and the latest of them, newest first."""
    with world.lock:
        settings = {
            "belvo": {"url": world.belvo_webhook.url, "authorization": MASK},
            "heron": {"secret": MASK, "subscriptions": len(world.webhooks)},
        }
    latest = reversed(world.deliveries.all()[-SHOWN:])
    return {**settings, "counts": world.deliveries.counts(), "deliveries": [_row(each) for each in latest]}


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "provider": delivery.provider,
        "topic": delivery.topic,
        "about": delivery.about,
        "url": delivery.url,
        "made_at": delivery.made_at,
        "attempts": delivery.attempts,
        "status": delivery.status,
        "outcome": delivery.outcome,
        "body": delivery.body.decode(),
    }
