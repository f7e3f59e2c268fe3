"""Results of calls other than links and institutions, and the filters of lists.

Plain frozen data, without secrets except where the type is `Secret`.
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

# What was entered in a search, by field name.
Filters = Mapping[str, str | tuple[str, ...]]


def params_of(filters: Filters, fields: Iterable[CredentialField]) -> dict[str, str]:
    texts = {field.name: _text_of(filters.get(field.name, "")) for field in fields}
    return {name: text for name, text in texts.items() if text}


def _text_of(value: str | tuple[str, ...]) -> str:
    return value.strip() if isinstance(value, str) else ",".join(value)


@dataclass(frozen=True, slots=True)
class RemotePage(Generic[T]):
    """One page of a provider list."""

    items: tuple[T, ...]
    number: int  # counted from 1
    is_last: bool
    total: int | None = None  # of all pages, if the provider says
    left_out: tuple["LeftOut", ...] = ()  # records we can't use


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record we can't use, named as well as possible."""

    name: str  # empty if it has none
    why: Why


def named(answer: Answer, odd: Iterable[OddRecord], *fields: str) -> tuple[LeftOut, ...]:
    return tuple(LeftOut(_name(answer, record.item, fields), record.why) for record in odd)


def _name(answer: Answer, item: object, fields: Iterable[str]) -> str:
    said = (answer.name(mapping(item).get(field), limit=LONGEST_CUSTOMER_ID) for field in fields)
    return next(filter(None, said), "")


class Reach(StrEnum):
    """What a removal deletes."""

    LINK = "link"
    CUSTOMER = "customer"  # every link of the customer in this integration


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted the request. `link`: the link at that moment, if the response has it."""

    link: RemoteLink | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """A removal. If not `finished`, the provider will do it later."""

    cause: Cause  # of the links from now on
    finished: bool = True
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteRepairUrl:
    """A URL at the provider where the customer repairs a link. Anyone who has it can use it."""

    url: Secret
    expires_in: int  # seconds
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteSession:
    """A visit to the provider's page. Anyone who has the URL can use it; the token, if any, reads the result."""

    url: Secret
    token: Secret
    expires_at: datetime
    request_id: str = ""


class SessionEnd(StrEnum):
    """How a visit to the provider's page ended. Says nothing about the link: only a read does."""

    FINISHED = "finished"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class SessionResult:
    """The result of a visit to the provider's page, by its latest attempt."""

    is_started: bool = False
    end: SessionEnd | None = None
    code: str = ""  # the provider's, if the customer left after an error
    session_id: str = ""  # for the provider's support
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class WebhookKey:
    """A public key that the provider signs webhooks with."""

    jwk: str  # JSON
    is_expired: bool


@dataclass(frozen=True, slots=True)
class ReportsRefreshed:
    """How many links' reports are being regenerated, and the IDs of those that failed."""

    processed: int
    failed: tuple[str, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """A source of a customer's data, and its health."""

    kind: str
    observation: Observation


@dataclass(frozen=True, slots=True)
class RemoteEndUser:
    """A customer at the provider."""

    end_user_id: str  # ours
    remote_id: str = ""
    name: str = field(default="", repr=False)
    status: str = ""  # the provider's value; says nothing about the health of links
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
    """A source of a customer's transactions, with its accounts."""

    remote_id: str
    kind: str
    observation: Observation
    enabled: bool
    remote_link_id: str = ""  # if it comes from a link
    synced_at: datetime | None = None
    accounts: tuple[RemoteAccount, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteConsent:
    """A customer's consent at an open finance bank. It expires independently of the link."""

    remote_id: str
    remote_link_id: str
    status: str
    observation: Observation
    created_at: datetime | None = None
    expires_at: datetime | date | None = None  # a date without time is in the reader's time zone
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteConnector:
    """A data source set up in our account at the provider; Heron calls these integrations."""

    remote_id: str
    name: str
    resource: str
    kind: str


@dataclass(frozen=True, slots=True)
class RemoteWebhook:
    """A subscription to one topic."""

    remote_id: str
    topic: str
    url: str
    enabled: bool = True
    request_id: str = ""


class FullCheckBy(StrEnum):
    """The list that a full check reads."""

    LINKS = "links"  # pages of links have everything
    CUSTOMERS = "customers"  # with the status of their data sources; then the links of some


class WebhookKind(StrEnum):
    """What a webhook is about. Never trusted: only a reason to read."""

    LINK_TROUBLE = "link_trouble"
    CODE_NEEDED = "code_needed"
    LINK_REMOVED = "link_removed"
    LINK_REPAIRED = "link_repaired"
    SESSION_ENDED = "session_ended"  # a visit to the provider's page
    DATA_ARRIVED = "data_arrived"
    DATA_CHANGED = "data_changed"  # of existing data
    CONSENT_ENDING = "consent_ending"
    CONSENT_ENDED = "consent_ended"
    CONSENT_CHANGED = "consent_changed"
    SOURCE_SWITCHED = "source_switched"  # a data source was enabled or disabled
    CUSTOMER_CHANGED = "customer_changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WebhookHint:
    """The content of a webhook, cleaned: which link, customer or consent to read."""

    kind: WebhookKind
    topic: str  # the provider's name of the event, such as LINK invalid_credentials
    known: bool
    remote_link_id: str = ""
    end_user_id: str = ""  # our customer ID, or the provider's
    consent_id: str = ""
    request_id: str = ""
    created_at: datetime | None = None
    session: Secret | None = None  # token of the visit to the provider's page


R = TypeVar("R", RemoteLink, RemoteInstitution, RemoteDataSource, RemoteWebhook)


def expect_id(found: R, remote_id: str) -> R:
    if found.remote_id != remote_id:
        raise ValueError("another record was answered")
    return found
