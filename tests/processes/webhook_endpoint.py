"""Opens Belvo's endpoint. Returns its URL."""

from linkadmin.integrations.models import Integration
from tests.webhooks.webhook_sender import open_endpoint


def open_belvo() -> str:
    return open_endpoint(Integration.objects.get(provider="belvo"))
