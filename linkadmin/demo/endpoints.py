"""The demo's webhook endpoints: the simulated providers get their URLs and deliver to them."""

import json
from pathlib import Path
from typing import Any

from linkadmin.integrations.models import Integration
from linkadmin.providers.types import Capability, Secret
from linkadmin.simulator.belvo.records import PRACTICE_AUTHORIZATION
from linkadmin.simulator.heron.account import TOPICS
from linkadmin.simulator.heron.records import PRACTICE_SECRET
from linkadmin.simulator.state_file import write
from linkadmin.webhooks import endpoints
from linkadmin.webhooks.models import WebhookEndpoint

from .scenarios import BELVO, HERON, PLAID

SECRETS = {BELVO: PRACTICE_AUTHORIZATION, HERON: PRACTICE_SECRET}


def connect(*, simulator_state: Path, belvo_webhook: Path, plaid_webhook: Path, url: str, simulator_url: str) -> None:
    """Give each simulated integration an endpoint, and tell its provider the URL under `url`.

    Belvo's and Plaid's go into files for the simulator's command line, Heron's into its stored subscriptions.
    """
    plaid_webhook.write_text("")  # a demo of an earlier version has none
    for integration in Integration.objects.filter(base_url=simulator_url).that_can(Capability.WEBHOOK_DELIVERIES):
        address = url + _open(integration).address
        if integration.provider == BELVO:
            belvo_webhook.write_text(address)
        elif integration.provider == PLAID:
            plaid_webhook.write_text(address)
        elif integration.provider == HERON and simulator_state.exists():
            _subscribe(simulator_state, address)


def _open(integration: Integration) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.filter(integration=integration).first() or endpoints.renew(integration, by=None)
    if integration.provider in SECRETS and not integration.webhook_secrets.exists():
        endpoints.add_secret(integration, Secret(SECRETS[integration.provider]), by=None, after=0)
    return endpoint


def _subscribe(simulator_state: Path, address: str) -> None:
    state: dict[str, Any] = json.loads(simulator_state.read_text())
    kept = [each for each in state["heron"].get("webhooks", []) if "/webhooks/heron/" not in each["url"]]
    state["heron"]["webhooks"] = kept + [{"topic": topic, "url": address} for topic in TOPICS]
    write(simulator_state, state)
