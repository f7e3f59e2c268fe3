"""What a provider keeps of one customer or link, read in one go: records, links, and where the data comes from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from linkadmin.links.models import EndUser, Integration
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import KeysRefused, NotFound, ProviderError
from linkadmin.providers.records import RemoteConsent, RemoteDataSource, RemoteEndUser
from linkadmin.providers.types import Capability, LinkRef, RemoteLink

from .live_queries import Trouble

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One of several answers on a page, or why it is missing; neither: the provider has no such thing."""

    found: T | None = field(default=None, repr=False)
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    is_known: bool  # as far as the provider tells
    record: RemoteEndUser | None
    processing: Part[str]
    links: Part[list[RemoteLink]]
    sources: Part[list[RemoteDataSource]]


@dataclass(frozen=True, slots=True)
class LinkRecord:
    sources: Part[list[RemoteDataSource]]
    consents: Part[list[RemoteConsent]]


def tells_of_customers(integration: Integration) -> bool:
    """Tell whether a provider can be asked about one customer."""
    return integration.can(Capability.END_USERS) or integration.provider_class.customer_filters("") is not None


def tells_of_links(integration: Integration) -> bool:
    """Tell whether a provider keeps something behind a link that a page of its own shows."""
    return integration.can(Capability.DATA_SOURCES) or integration.can(Capability.CONSENTS)


def read_customer(provider: Provider, customer: EndUser) -> CustomerRecord:
    """Read all that a provider keeps of one customer. Raises `ProviderError` if it cannot even be begun."""
    end_user_id, can = customer.external_id, provider.capabilities
    record = None
    if Capability.END_USERS in can:
        try:
            record = provider.read_end_user(end_user_id)
        except NotFound:
            return CustomerRecord(False, None, Part(), Part(), Part())
    filters = provider.customer_filters(end_user_id)
    return CustomerRecord(
        is_known=True,
        record=record,
        processing=_part(lambda: provider.read_processing(end_user_id)) if record else Part(),
        links=Part() if filters is None else _part(lambda: list(provider.list_links(filters).items)),
        sources=_sources(provider, end_user_id),
    )


def read_behind_link(provider: Provider, link: LinkRef) -> LinkRecord:
    """Read what is behind one link. Raises `ProviderError` if the provider refuses our keys."""
    sources: Part[list[RemoteDataSource]] = _sources(provider, link.end_user_id)
    if sources.found is not None:
        sources = Part([each for each in sources.found if each.remote_link_id == link.remote_id])
    has_consents = Capability.CONSENTS in provider.capabilities
    return LinkRecord(sources, _part(lambda: provider.list_consents(link)) if has_consents else Part())


def _sources(provider: Provider, end_user_id: str) -> Part[list[RemoteDataSource]]:
    if Capability.DATA_SOURCES not in provider.capabilities:
        return Part()
    return _part(lambda: provider.list_data_sources(end_user_id))


def _part(read: Callable[[], T]) -> Part[T]:
    """Read one part of a page; what goes wrong with it does not spoil the others, unless it is our keys."""
    try:
        return Part(read())
    except KeysRefused:
        raise
    except ProviderError as error:
        return Part(trouble=Trouble(type(error), error.failure))
