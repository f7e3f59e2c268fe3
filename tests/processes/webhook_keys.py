"""The provider's request ID of each stored delivery."""

from linkadmin.webhooks.models import WebhookDelivery


def request_ids() -> list[str]:
    return list(WebhookDelivery.objects.values_list("request_id", flat=True))
