"""What a provider keeps of one customer or link, read in one go: records, links, and where the data comes from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import KeysRejected, NotFound, ProviderError
from linkadmin.providers.records import RemoteConsent, RemoteDataSource, RemoteEndUser
from linkadmin.providers.types import Capability, LinkRef, RemoteLink

from .live_queries import QueryFailure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PartialAnswer(Generic[T]):
    """One of several answers on a page, or why it is missing; neither: the provider has no such thing."""

    found: T | None = field(default=None, repr=False)
    trouble: QueryFailure | None = None


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    is_known: bool  # as far as the provider tells
    record: RemoteEndUser | None
    processing: PartialAnswer[str]
    links: PartialAnswer[list[RemoteLink]]
    sources: PartialAnswer[list[RemoteDataSource]]


@dataclass(frozen=True, slots=True)
class LinkRecord:
    sources: PartialAnswer[list[RemoteDataSource]]
    consents: PartialAnswer[list[RemoteConsent]]


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
    """Read what is behind one link. Raises `ProviderError` if the provider refuses our keys."""
    sources: PartialAnswer[list[RemoteDataSource]] = _sources(provider, link.end_user_id)
    if sources.found is not None:
        sources = PartialAnswer([each for each in sources.found if each.remote_link_id == link.remote_id])
    has_consents = Capability.CONSENTS in provider.capabilities
    return LinkRecord(sources, _part(lambda: provider.list_consents(link)) if has_consents else PartialAnswer())


def _sources(provider: Provider, end_user_id: str) -> PartialAnswer[list[RemoteDataSource]]:
    if Capability.DATA_SOURCES not in provider.capabilities:
        return PartialAnswer()
    return _part(lambda: provider.list_data_sources(end_user_id))


def _part(read: Callable[[], T]) -> PartialAnswer[T]:
    """Read one part of a page; what goes wrong with it does not spoil the others, unless it is our keys."""
    try:
        return PartialAnswer(read())
    except KeysRejected:
        raise
    except ProviderError as error:
        return PartialAnswer(trouble=QueryFailure(type(error), error.failure))
