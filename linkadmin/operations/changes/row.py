"""What the table of changes says of each kind: all that is particular to it, so that nothing else asks for a kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.urls import reverse
from django.utils.functional import Promise

from linkadmin.accounts.roles import Right
from linkadmin.links.models import Link
from linkadmin.operations.forms.provider import ChangeForm
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.providers.base import Provider
from linkadmin.providers.types import Capability, CredentialField, Values

A = TypeVar("A")  # what a provider's call returns


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


def _no_values(_link: Link) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """The page of a change on a link's page: what it is called, asks for, and says before it is done."""

    slug: str
    icon: str
    name: str | Promise  # on the button that leads to it
    title: str | Promise
    lead: str | Promise
    submit: str | Promise
    fields: Callable[[Link], tuple[CredentialField, ...]]
    notes: tuple[str | Promise, ...] = ()  # what to know before
    form: type[ChangeForm] = ChangeForm
    initial: Callable[[Link], Mapping[str, Any]] = _no_values
    context: Callable[[Link], Mapping[str, Any]] = _no_values  # what else its template draws
    why_not: Callable[[Link], str | Promise] = lambda _link: ""  # why it can't be done to this link now
    is_beside: bool = True  # among the buttons below the link's details
    is_danger: bool = False

    def url_of(self, link: Link) -> str:
        return reverse(f"link-{self.slug}", args=[link.pk])


def _allow(_operation: Operation, _values: Values) -> None:
    return


def send_all(_operation: Operation, values: Values) -> Values:
    return values


def _note_nothing(_operation: Operation, _response: object, _at: datetime) -> None:
    return


def _believe(_operation: Operation, _response: object) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[A]):
    """A kind of change: who may make it, its one call, and what each end of that call means."""

    kind: OperationKind
    capability: Capability
    right: Right
    response: type[A]  # any other is an unknown outcome
    call: Callable[[Provider, Operation, Values], A]
    call_name: Callable[[Operation, Values], str] = lambda operation, _values: operation.kind  # which quotas count
    sends: Callable[[Operation, Values], Values] = send_all
    check: Callable[[Operation, Values], None] = _allow  # raises a Refusal of ours
    contradicts: Callable[[Operation, A], str] = _believe  # the outcome, if a good response shows the old state
    # What came of it: by its response, by what the records show, or, with None, by a person's word or an absence.
    apply: Callable[[Operation, A | None, datetime], None] = _note_nothing
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
