"""Which of a provider's records we know ourselves."""

from collections.abc import Iterable, Mapping

from linkadmin.accounts.models import User
from linkadmin.links.models import EndUser, Integration, Link
from linkadmin.links.queries import visible_to
from linkadmin.operations.models import Operation


def links_here(integration: Integration, remote_ids: Iterable[str], *, reader: User) -> dict[str, Link]:
    """Return our links with these ids at a provider, one that has not ended before one that has.

    Those of its other integrations too: some lists of a provider cover the whole account.
    """
    wanted = {each for each in remote_ids if each}
    ours = visible_to(reader).filter(integration__provider=integration.provider, remote_id__in=wanted)
    found = ours.select_related("integration", "end_user", "institution").order_by("-ended_at", "id")
    ended = {link.remote_id: link for link in found if link.is_ended}
    return ended | {link.remote_id: link for link in found if not link.is_ended}


def under_way(here: Mapping[str, Link]) -> frozenset[str]:
    """Return the ids at the provider of those links that an operation which is not over is about."""
    waiting = Operation.objects.open().filter(link__in=[link.pk for link in here.values()])
    return frozenset(waiting.values_list("link__remote_id", flat=True))


def customers_here(end_user_ids: Iterable[str]) -> dict[str, EndUser]:
    """Return our customers with these ids."""
    return {each.external_id: each for each in EndUser.objects.filter(external_id__in={*end_user_ids})}
