"""Open Belvo's endpoint and print its URL as JSON: `python -m tests.processes.webhook_endpoint`."""

import json
import sys

import django

django.setup()

from linkadmin.integrations.models import Integration  # noqa: E402
from tests.webhooks.webhook_sender import open_endpoint  # noqa: E402

if __name__ == "__main__":
    json.dump(open_endpoint(Integration.objects.get(provider="belvo")), sys.stdout)
