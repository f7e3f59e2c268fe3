"""Whom a message names: a link by its id at the provider, or a customer and so all their links."""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.webhooks.models import WebhookDelivery


class Named(NamedTuple):
    """What a message says of the link it is about; empty where it says nothing."""

    remote_id: str
    end_user_id: str


def named_by(delivery: WebhookDelivery) -> Named:
    return Named(delivery.remote_link_id, delivery.end_user_id)


def links_named(integration: Integration, names: Collection[Named]) -> dict[Named, list[Link]]:
    """Return the links of ours, of those that have not ended, that each of them means; none where we know none."""
    links = Link.objects.filter(integration=integration, disconnected_at=None)
    by_id = {link.remote_id: link for link in links.filter(remote_id__in={each.remote_id for each in names} - {""})}
    customers = {each.end_user_id for each in names if not each.remote_id} - {""}
    by_customer: dict[str, list[Link]] = defaultdict(list)
    for link in links.filter(end_user__external_id__in=customers).select_related("end_user").order_by("pk"):
        by_customer[link.end_user.external_id].append(link)
    found = {}
    for named in names:
        if named.remote_id:
            found[named] = [by_id[named.remote_id]] if named.remote_id in by_id else []
        else:
            found[named] = by_customer.get(named.end_user_id, [])
    return found
