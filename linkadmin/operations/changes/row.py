"""What the table of changes says of each kind, so that nothing else asks for a kind; and reads that prove an outcome.

Such reads never contact a bank, and prove nothing before its time: a login may still be running at the provider after
the connection broke, so "not done" is believed only once that time is over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise

from linkadmin.accounts.roles import Right
from linkadmin.integrations import connections
from linkadmin.links.models import Link
from linkadmin.operations import reading
from linkadmin.operations.forms.provider import ChangeForm
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.providers.base import Provider
from linkadmin.providers.types import Capability, CredentialField, RemoteLink, Values

A = TypeVar("A")  # what a provider's call returns
CLOCK_SKEW = timedelta(seconds=60)  # between the provider's clock and ours


@dataclass(frozen=True, slots=True)
class Finding(Generic[A]):
    """What the records prove about a lost response, and what they show of the thing itself."""

    state: State
    why: str = ""
    shown: A | None = None


NOTHING: Finding[Any] = Finding(State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened, what it means, what to do."""

    tone: str
    title: str | Promise
    meaning: str | Promise
    advice: str | Promise = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """The page of a change on a link's page: what it is called, asks for, and says before it is done."""

    slug: str
    icon: str
    name: str | Promise  # on the button that leads to it
    title: str | Promise
    lead: str | Promise = ""
    submit: str | Promise
    fields: Callable[[Link], tuple[CredentialField, ...]]
    notes: tuple[str | Promise, ...] = ()  # what to know before
    form: type[ChangeForm] = ChangeForm
    initial: Callable[[Link], Mapping[str, Any]] = lambda _link: {}
    template: str = "operations/change.html"
    context: Callable[[Link], Mapping[str, Any]] = lambda _link: {}  # what else its template draws
    why_not: Callable[[Link], str | Promise] = lambda _link: ""  # why it can't be done to this link now
    is_beside: bool = True  # among the buttons below the link's details
    is_danger: bool = False

    def url_of(self, link: Link) -> str:
        return reverse(f"link-{self.slug}", args=[link.pk])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[A]):
    """A kind of change: who may make it, its one call, and what each end of that call means."""

    kind: OperationKind
    capability: Capability
    right: Right
    response: type[A]  # any other is an unknown outcome
    call: Callable[[Provider, Operation, Values], A]
    call_name: Callable[[Operation, Values], str] = lambda operation, _values: operation.kind  # which quotas count
    sends: Callable[[Operation, Values], Values] = lambda _operation, values: values
    check: Callable[[Operation, Values], None] = lambda _operation, _values: None  # raises a Refusal of ours
    # The outcome, if a good response shows the old state.
    contradicts: Callable[[Operation, A], str] = lambda _operation, _response: ""
    # What came of it: by its response, by what the records show, or, with None, by a person's word or an absence.
    apply: Callable[[Operation, A | None, datetime], None] = lambda _operation, _response, _at: None
    prove: Callable[[Operation, datetime], Finding[A]]
    done: Explanation | Callable[[Operation], Explanation]
    not_found: Explanation | None = None  # what it means that the provider knows no such thing
    page: ChangePage | None = None
    is_of_customer: bool = False  # done on a link's page to all the customer's links
    is_void_if_lost: bool = False  # made or not, nobody has it: there is nothing to find out
    shows_result: bool = False  # on the operation's own page
    shows_in_links: bool = False  # so that links are read once it is done

    def explain_done(self, operation: Operation) -> Explanation:
        return self.done if isinstance(self.done, Explanation) else self.done(operation)


def is_settled(operation: Operation, now: datetime) -> bool:
    """Tell whether whatever the provider began would be over by now."""
    return now - operation.began_at >= timedelta(seconds=settings.RECONCILE_SETTLED_SECONDS)


def not_done(operation: Operation, now: datetime) -> Finding[Any]:
    return Finding(State.CONFIRMED_NOT_DONE, "shows_it_not") if is_settled(operation, now) else NOTHING


def has_new_data(operation: Operation, remote: RemoteLink) -> bool:
    """Tell whether the provider had a good answer of the bank after we sent."""
    good = remote.observation.last_good_at
    if good is None or good == operation.good_data_before:
        return False
    # Only where the login before it is known can one that seems a little earlier than the call be told from it.
    return good >= operation.began_at - (CLOCK_SKEW if operation.good_data_before else timedelta(0))


def read(link: Link) -> RemoteLink | None:
    return reading.read(link, in_background=True)


def provider_of(operation: Operation) -> Provider:
    return connections.client_for(operation.integration, in_background=True)


def link_of(operation: Operation) -> Link:
    assert operation.link is not None  # noqa: S101 - for the types: these kinds are about a link
    return operation.link
