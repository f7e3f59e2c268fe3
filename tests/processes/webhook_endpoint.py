"""A program that opens Belvo's inbox: `python -m tests.processes.webhook_endpoint` writes its address as JSON."""

import json
import sys

import django

django.setup()

from linkadmin.links.models import Integration  # noqa: E402
from tests.webhooks.webhook_sender import open_inbox  # noqa: E402

if __name__ == "__main__":
    json.dump(open_inbox(Integration.objects.get(provider="belvo")), sys.stdout)
