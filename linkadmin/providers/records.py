"""What a provider's lists are searched by and hold beside links and institutions, and what it answers to a change.

Plain data, frozen, and free of secrets except where the type says `Secret`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from .http.answer import Answer
from .names import LONGEST_CUSTOMER_ID
from .reading import OddRecord, Why, mapping
from .types import Cause, CredentialField, Observation, RemoteInstitution, RemoteLink, Secret

T = TypeVar("T")

# What was typed or chosen in a search, by the names of the fields that a provider declares for it.
Filters = Mapping[str, str | tuple[str, ...]]


def params_of(filters: Filters, fields: Iterable[CredentialField]) -> dict[str, str]:
    """Return the parameters of a search: of these fields, those that are filled."""
    texts = {field.name: _text_of(filters.get(field.name, "")) for field in fields}
    return {name: text for name, text in texts.items() if text}


def _text_of(value: str | tuple[str, ...]) -> str:
    """Return what was typed or chosen in one field, several values with commas between them."""
    return value.strip() if isinstance(value, str) else ",".join(value)


@dataclass(frozen=True, slots=True)
class RemotePage(Generic[T]):
    """One page of a provider's list."""

    items: tuple[T, ...]
    number: int  # counted from 1
    is_last: bool
    total: int | None = None  # of all pages, where the provider tells
    left_out: tuple["LeftOut", ...] = ()  # records on it that can't be taken over


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record of a provider's list that can't be taken over, named as well as it can be."""

    name: str  # empty if it has none
    why: Why


def named(answer: Answer, odd: Iterable[OddRecord], *fields: str) -> tuple[LeftOut, ...]:
    """Return these records, each with the first of the fields that says anything."""
    return tuple(LeftOut(_name(answer, record.item, fields), record.why) for record in odd)


def _name(answer: Answer, item: object, fields: Iterable[str]) -> str:
    said = (answer.name(mapping(item).get(field), limit=LONGEST_CUSTOMER_ID) for field in fields)
    return next(filter(None, said), "")


class Reach(StrEnum):
    """How much one removal takes along."""

    LINK = "link"
    CUSTOMER = "customer"  # every link of the customer in that integration


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider will do it; `link` is how the link stood at that moment, where the answer tells."""

    link: RemoteLink | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """A link, or all that goes with it, was taken away; not `finished`: it will be, in the provider's own time."""

    cause: Cause  # what the links are from now on
    finished: bool = True
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RepairAddress:
    """An address at the provider where the customer repairs a link. Whoever has it can use it."""

    url: Secret
    expires_in: int  # seconds
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ReportsRefreshed:
    """How many links' reports are made anew, and the ids of those that could not be."""

    processed: int
    failed: tuple[str, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """Where a customer's data came from, and how that source stands."""

    kind: str
    observation: Observation


@dataclass(frozen=True, slots=True)
class RemoteEndUser:
    """A customer as the provider knows them."""

    end_user_id: str  # ours
    remote_id: str = ""
    name: str = field(default="", repr=False)
    status: str = ""  # the provider's word; says nothing about the health of links
    created_at: datetime | None = None
    updated_at: datetime | None = None
    sources: tuple[RemoteSource, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """A bank account within a data source."""

    remote_id: str
    enabled: bool
    transactions: int | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class RemoteDataSource:
    """One source of a customer's transactions, with its accounts."""

    remote_id: str
    kind: str
    observation: Observation
    enabled: bool
    remote_link_id: str = ""  # of the link it comes from, if it comes from one
    synced_at: datetime | None = None
    accounts: tuple[RemoteAccount, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteConsent:
    """A customer's permission at a bank of open finance: a clock of its own beside the link."""

    remote_id: str
    remote_link_id: str
    status: str
    observation: Observation
    created_at: datetime | None = None
    expires_at: datetime | date | None = None  # a mere day is one in the reader's zone
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteConnector:
    """What the provider itself calls an integration: one source of data, set up in our account there."""

    remote_id: str
    name: str
    resource: str
    kind: str


@dataclass(frozen=True, slots=True)
class RemoteWebhook:
    """A subscription to one topic's messages."""

    remote_id: str
    topic: str
    url: str
    enabled: bool = True
    request_id: str = ""


class FullCheckBy(StrEnum):
    """What a full check reads page by page to learn how all links stand."""

    LINKS = "links"  # their pages say everything
    CUSTOMERS = "customers"  # with how their sources stand; then the links of some of them


class WebhookKind(StrEnum):
    """What a delivery is about. What it says is never taken for the truth: it is a reason to read."""

    LINK_TROUBLE = "link_trouble"
    CODE_NEEDED = "code_needed"
    LINK_REMOVED = "link_removed"
    DATA_ARRIVED = "data_arrived"
    DATA_CHANGED = "data_changed"  # within data that was there
    CONSENT_ENDING = "consent_ending"
    CONSENT_ENDED = "consent_ended"
    CONSENT_CHANGED = "consent_changed"
    SOURCE_SWITCHED = "source_switched"  # a source of data was enabled or disabled
    CUSTOMER_CHANGED = "customer_changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WebhookHint:
    """What a delivery says, cleaned: which link, customer or consent is worth reading now."""

    kind: WebhookKind
    topic: str  # the provider's own word for the event, such as LINK invalid_credentials
    known: bool
    remote_link_id: str = ""
    end_user_id: str = ""  # ours, or the provider's id of the customer
    consent_id: str = ""
    request_id: str = ""
    created_at: datetime | None = None


R = TypeVar("R", RemoteLink, RemoteInstitution, RemoteConsent, RemoteDataSource, RemoteWebhook)


def expect_id(found: R, remote_id: str) -> R:
    """Return a record if it has this ID. Raises ValueError for another one."""
    if found.remote_id != remote_id:
        raise ValueError("another record was answered")
    return found
