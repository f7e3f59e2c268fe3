"""Which of a provider's records we know ourselves."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, Link
from linkadmin.links.queries import visible_to
from linkadmin.operations.models import Operation
from linkadmin.providers.types import Cause, RemoteLink

from .forms import SwitchForm


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A provider's record as a page lists it, with our own of the same thing."""

    remote: object
    ours: Link | EndUser | Integration | None = None
    switch: SwitchForm | None = None  # to send, if it can be switched


def links_here(integration: Integration, remote_ids: Iterable[str], *, reader: User) -> dict[str, Link]:
    """Return our links with these ids at a provider, one that has not ended before one that has.

    Those of its other integrations too: some lists of a provider cover the whole account.
    """
    wanted = {each for each in remote_ids if each}
    ours = visible_to(reader).filter(integration__provider=integration.provider, remote_id__in=wanted)
    found = ours.select_related("integration", "end_user", "institution").order_by("-disconnected_at", "id")
    ended = {link.remote_id: link for link in found if link.is_disconnected}
    return ended | {link.remote_id: link for link in found if not link.is_disconnected}


def link_rows(found: Iterable[RemoteLink], here: Mapping[str, Link]) -> list[RecordRow]:
    """Return links as a provider lists them; `here`: those of them that we know, by their id there."""
    waiting = _under_way(here)
    return [RecordRow(_as_we_say(each, waiting), here.get(each.remote_id)) for each in found]


def customers_here(end_user_ids: Iterable[str]) -> dict[str, EndUser]:
    """Return our customers with these ids."""
    return {each.external_id: each for each in EndUser.objects.filter(external_id__in={*end_user_ids})}


def _as_we_say(remote: RemoteLink, waiting: Container[str]) -> RemoteLink:
    """Return what a link's own page would say: that waiting for a code which nobody can give any more is over."""
    seen = remote.observation
    if seen.cause is Cause.UNCONFIRMED and remote.remote_id not in waiting:
        return replace(remote, observation=replace(seen, cause=Cause.NEVER_CONFIRMED))
    return remote


def _under_way(here: Mapping[str, Link]) -> frozenset[str]:
    """Return the ids at the provider of those links that an operation which is not over is about."""
    waiting = Operation.objects.open().filter(link__in=[link.pk for link in here.values()])
    return frozenset(waiting.values_list("link__remote_id", flat=True))
