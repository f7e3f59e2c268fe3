"""Print the provider's request ID of each stored delivery as JSON: `python -m tests.processes.webhook_keys`."""

import json
import sys

import django

django.setup()

from linkadmin.webhooks.models import WebhookDelivery  # noqa: E402

if __name__ == "__main__":
    json.dump(list(WebhookDelivery.objects.values_list("request_id", flat=True)), sys.stdout)
