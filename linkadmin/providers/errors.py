"""What can go wrong at a provider: one class for each reaction of a caller.

No error contains a request body, header or response body, only what's safe to show.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .types import Cause, Challenge, Observation

BLOCK_SECONDS = 900.0  # pause after a 403 that concerns the whole integration


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One of the errors in a response, cleaned. Any part may be empty."""

    code: str = ""
    words: str = ""
    field: str = ""  # form field, if it's about one
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call, cleaned: safe to store, log and show."""

    operation: str  # our name for the call, such as belvo.update_credentials
    status: int = 0  # HTTP status; 0 without a response
    code: str = ""  # the provider's own code
    words: str = ""  # the provider's message, at most 500 characters
    request_id: str = ""
    retry_after: float | None = None  # seconds
    fields: Mapping[str, str] = field(default_factory=dict)  # form field -> the provider's message
    entries: tuple[ErrorEntry, ...] = ()  # all errors, the one to act on first
    body: str = ""  # the body if it isn't JSON: empty, html, unreadable
    reason: str = ""  # ours, for a lost response: timeout, reset, oversized, unreadable, ...


class ProviderError(Exception):
    """A failed call. `outcome_unknown`: the provider may have acted anyway."""

    outcome_unknown = False

    def __init__(self, failure: Failure, observation: Observation | None = None) -> None:
        super().__init__(f"{failure.operation}: {failure.status} {failure.code or failure.reason}")
        self.failure = failure
        self.observation = observation  # what the error says about the link's health, if anything


class NotSent(ProviderError):
    """Nothing was sent: DNS, connect, TLS, blocked address, no free slot. Safe to retry."""


class OutcomeUnknown(ProviderError):
    """The request left but no valid response arrived. Only a read can show whether the provider acted."""

    outcome_unknown = True


class Rejected(ProviderError):
    """The provider said no and changed nothing."""


class InvalidInput(Rejected):
    """The request is invalid: correct the fields and send it again."""


class SignInRejected(Rejected):
    """The bank rejected the credentials or the code. Counts as a sign-in attempt."""


class CodeExpired(Rejected):
    """The sign-in attempt expired: the credentials have to be entered again."""


class Duplicate(Rejected):
    """The provider already has this link."""


class NotFound(Rejected):
    """The provider doesn't have this link: deleted, or in another account or environment."""


class Blocked(Rejected):
    """A 403 that names no missing permission or quota, such as a firewall's page. Concerns this one request.

    Says nothing about our keys or about the link.
    """


class NewConnectionNeeded(Rejected):
    """This link can't be repaired: the customer has to connect again."""


class Busy(Rejected):
    """Not now: rate limited, another session open, just refreshed. `failure.retry_after` may say when."""


class KeysRejected(Rejected):
    """Our keys or permissions are wrong. Concerns the whole integration, never the customer.

    With `failure.retry_after`, calls resume then; without, a person has to act.
    """


def forbidden(failure: Failure, *, names_reason: bool) -> ProviderError:
    """`names_reason`: the response names a missing permission or quota.

    A 403 for the connection test, the cheapest read, means that all calls are denied.
    """
    if names_reason or failure.operation.endswith(".test_connection"):
        return KeysRejected(replace(failure, retry_after=BLOCK_SECONDS))
    return Blocked(replace(failure, retry_after=None))


class CodeRequired(ProviderError):
    """The bank wants a one-time code: the next step, not a failure."""

    def __init__(self, failure: Failure, challenge: Challenge) -> None:
        waiting = Observation(cause=Cause.CODE_WAITING, raw_code=failure.code, raw_words=failure.words)
        super().__init__(failure, waiting)
        self.challenge = challenge


class Unsupported(ProviderError):
    """This provider can't do this. Check `capabilities` first."""
