"""Adds a bank with every possible field to an integration, and links to repair there."""

from typing import Any

from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.models import EndUser, Institution, Link
from linkadmin.providers.types import Cause, Observation, RemoteLink

TEXTS = ("username", "username2", "username3", "token")
PASSWORDS = ("password", "password2")


def add_bank(name: str, count: int) -> dict[str, Any]:
    """Return the IDs of the bank and the links."""
    integration = Integration.objects.get(name=name)
    fields = [{"name": each, "type": "text", "label": each} for each in TEXTS]
    fields += [{"name": each, "type": "password", "label": each} for each in PASSWORDS]
    # Tax authorities also accept a certificate with its key.
    bank = Institution.objects.create(
        integration=integration, name="parrot_mx_fiscal", display_name="Echo", form_fields=fields
    )
    links = [_link(bank, number) for number in range(count)]
    return {"bank": str(bank.pk), "links": links}


def _link(bank: Institution, number: int) -> str:
    name = {"name": f"Customer {number} of the echo server"}
    customer, _made = EndUser.objects.get_or_create(external_id=f"echo-{number:02}", defaults=name)
    link = Link(integration=bank.integration, end_user=customer, institution=bank, remote_id=f"echo-{number:02}")
    seen = Observation(cause=Cause.LOGIN_REFUSED, raw_status="invalid")
    health.start_link(
        RemoteLink(remote_id=link.remote_id, observation=seen),
        link,
        health.Report(seen, health.Source.WEBHOOK, timezone.now()),
    )
    return f"/links/{link.pk}/"
