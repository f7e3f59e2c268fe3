"""What a provider has, next to what we have: lists of links, and all records of one customer or link."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, Link
from linkadmin.links.queries import visible_to
from linkadmin.operations.models import Operation
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import KeysRejected, NotFound, ProviderError
from linkadmin.providers.records import RemoteConsent, RemoteDataSource, RemoteEndUser
from linkadmin.providers.types import Capability, Cause, LinkRef, RemoteLink

from .forms import SwitchForm
from .live_queries import QueryFailure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PartialAnswer(Generic[T]):
    """One of several answers on a page, or why it's missing. Both None: the provider has no such thing."""

    found: T | None = field(default=None, repr=False)
    trouble: QueryFailure | None = None


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    is_known: bool  # according to the provider
    record: RemoteEndUser | None
    processing: PartialAnswer[str]
    links: PartialAnswer[list[RemoteLink]]
    sources: PartialAnswer[list[RemoteDataSource]]


@dataclass(frozen=True, slots=True)
class LinkRecord:
    sources: PartialAnswer[list[RemoteDataSource]]
    consents: PartialAnswer[list[RemoteConsent]]


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A provider's record, with our own of the same thing."""

    remote: object
    ours: Link | EndUser | Integration | None = None
    switch: SwitchForm | None = None  # if it can be turned on or off


def tells_of_customers(integration: Integration) -> bool:
    return integration.can(Capability.END_USERS) or integration.provider_class.customer_filters("") is not None


def tells_of_links(integration: Integration) -> bool:
    return integration.can(Capability.DATA_SOURCES) or integration.can(Capability.CONSENTS)


def read_customer(provider: Provider, customer: EndUser) -> CustomerRecord:
    """Read all records of one customer. Raises `ProviderError` if the first request fails."""
    end_user_id, can = customer.external_id, provider.capabilities
    record = None
    if Capability.END_USERS in can:
        try:
            record = provider.read_end_user(end_user_id)
        except NotFound:
            return CustomerRecord(False, None, PartialAnswer(), PartialAnswer(), PartialAnswer())
    filters = provider.customer_filters(end_user_id)
    return CustomerRecord(
        is_known=True,
        record=record,
        processing=_part(lambda: provider.read_processing(end_user_id)) if record else PartialAnswer(),
        links=PartialAnswer() if filters is None else _part(lambda: list(provider.list_links(filters).items)),
        sources=_sources(provider, end_user_id),
    )


def read_behind_link(provider: Provider, link: LinkRef) -> LinkRecord:
    """Read the records behind one link. Raises `ProviderError` if the provider rejects our API keys."""
    sources: PartialAnswer[list[RemoteDataSource]] = _sources(provider, link.end_user_id)
    if sources.found is not None:
        sources = PartialAnswer([each for each in sources.found if each.remote_link_id == link.remote_id])
    has_consents = Capability.CONSENTS in provider.capabilities
    return LinkRecord(sources, _part(lambda: provider.list_consents(link)) if has_consents else PartialAnswer())


def links_here(integration: Integration, remote_ids: Iterable[str], *, reader: User) -> dict[str, Link]:
    """Return our links with these provider IDs, connected ones before disconnected ones.

    Includes the provider's other integrations: some lists cover the whole account.
    """
    wanted = {each for each in remote_ids if each}
    ours = visible_to(reader).filter(integration__provider=integration.provider, remote_id__in=wanted)
    found = ours.select_related("integration", "end_user", "institution").order_by("-disconnected_at", "id")
    ended = {link.remote_id: link for link in found if link.is_disconnected}
    return ended | {link.remote_id: link for link in found if not link.is_disconnected}


def link_rows(found: Iterable[RemoteLink], here: Mapping[str, Link]) -> list[RecordRow]:
    """`here` maps provider IDs to our links."""
    operations = Operation.objects.open().filter(link__in=[link.pk for link in here.values()])
    waiting = frozenset(operations.values_list("link__remote_id", flat=True))
    return [RecordRow(_as_we_say(each, waiting), here.get(each.remote_id)) for each in found]


def _sources(provider: Provider, end_user_id: str) -> PartialAnswer[list[RemoteDataSource]]:
    if Capability.DATA_SOURCES not in provider.capabilities:
        return PartialAnswer()
    return _part(lambda: provider.list_data_sources(end_user_id))


def _part(read: Callable[[], T]) -> PartialAnswer[T]:
    try:
        return PartialAnswer(read())
    except KeysRejected:
        raise
    except ProviderError as error:
        return PartialAnswer(trouble=QueryFailure(type(error), error.failure))


def _as_we_say(remote: RemoteLink, waiting: Container[str]) -> RemoteLink:
    """Return a link as its own page shows it: if nobody can enter the code anymore, it isn't waiting for one."""
    seen = remote.observation
    if seen.cause is Cause.UNCONFIRMED and remote.remote_id not in waiting:
        return replace(remote, observation=replace(seen, cause=Cause.NEVER_CONFIRMED))
    return remote
