"""The row that defines a kind of change, and helpers for reads that prove an outcome.

Such reads never contact a bank. They prove nothing too early: a sign-in may still be running at the provider after the
connection broke, so "didn't happen" counts only once that time has passed.
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

A = TypeVar("A")  # what the provider's method returns
CLOCK_SKEW = timedelta(seconds=60)  # between the provider's clock and ours


@dataclass(frozen=True, slots=True)
class Finding(Generic[A]):
    """What the records prove about a lost response, and the record itself."""

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
    """The form page of a change: title, fields, and what to know first."""

    slug: str
    icon: str
    title: str | Promise  # and the label of its buttons
    lead: str | Promise = ""
    fields: Callable[[Link], tuple[CredentialField, ...]]
    notes: tuple[str | Promise, ...] = ()  # shown above the form
    form: type[ChangeForm] = ChangeForm
    initial: Callable[[Link], Mapping[str, Any]] = lambda _link: {}
    template: str = "operations/change.html"
    context: Callable[[Link], Mapping[str, Any]] = lambda _link: {}  # extra template context
    # Why it isn't available for this link now; empty if it is.
    why_not: Callable[[Link], str | Promise] = lambda _link: ""
    is_beside: bool = True  # in the link's menu, whatever its status
    is_danger: bool = False

    def url_of(self, link: Link) -> str:
        return reverse(f"link-{self.slug}", args=[link.pk])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[A]):
    """A kind of change: who may make it, its one request, and what each outcome means."""

    kind: OperationKind
    capability: Capability
    right: Right
    response: type[A]  # any other type is an unknown outcome
    call: Callable[[Provider, Operation, Values], A]
    call_name: Callable[[Operation, Values], str] = lambda operation, _values: operation.kind  # for quotas
    sends: Callable[[Operation, Values], Values] = lambda _operation, values: values
    check: Callable[[Operation, Values], None] = lambda _operation, _values: None  # raises a Refusal
    # The outcome if a successful response shows the old state; empty otherwise.
    contradicts: Callable[[Operation, A], str] = lambda _operation, _response: ""
    # Applies the result: of the response, of the records, or None for a manual decision or a missing record.
    apply: Callable[[Operation, A | None, datetime], None] = lambda _operation, _response, _at: None
    prove: Callable[[Operation, datetime], Finding[A]]
    done: Explanation | Callable[[Operation], Explanation]
    not_found: Explanation | None = None  # text for a 404
    page: ChangePage | None = None
    is_of_customer: bool = False  # applies to all links of the customer
    shows_in_links: bool = False  # links are checked once it succeeds

    def explain_done(self, operation: Operation) -> Explanation:
        return self.done if isinstance(self.done, Explanation) else self.done(operation)


def has_proof_time_passed(operation: Operation, now: datetime) -> bool:
    """Whether anything the provider started must have finished by now."""
    return now - operation.began_at >= timedelta(seconds=settings.RECONCILE_SETTLED_SECONDS)


def not_done(operation: Operation, now: datetime) -> Finding[Any]:
    return Finding(State.CONFIRMED_NOT_DONE, "shows_it_not") if has_proof_time_passed(operation, now) else NOTHING


def has_new_data(operation: Operation, remote: RemoteLink) -> bool:
    good = remote.observation.last_good_at
    if good is None or good == operation.good_data_before:
        return False
    # A sign-in slightly before the request counts only if the previous one is known.
    return good >= operation.began_at - (CLOCK_SKEW if operation.good_data_before else timedelta(0))


def read(link: Link) -> RemoteLink | None:
    return reading.read(link, in_background=True)


def provider_of(operation: Operation) -> Provider:
    return connections.client_for(operation.integration, in_background=True)


def link_of(operation: Operation) -> Link:
    assert operation.link is not None  # noqa: S101 - for the types: these kinds are about a link
    return operation.link
