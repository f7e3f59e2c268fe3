"""What can go wrong at a provider: one class per thing a caller does differently.

No error carries a request body, a header or a response body: only what a colleague may read aloud.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .types import Cause, Challenge, Observation

BLOCK_SECONDS = 900.0  # how long calls are held back after a 403 that concerns the whole integration


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One of the errors a provider lists, cleaned; any of it may be empty."""

    code: str = ""
    words: str = ""
    field: str = ""  # of the form, if it is about one
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """The facts of a failed call, cleaned: safe to store, to log and to show."""

    operation: str  # our name of the call, such as belvo.update_credentials
    status: int = 0  # HTTP status; 0 when no answer came
    code: str = ""  # the provider's own code
    words: str = ""  # the provider's own words, at most 500 characters
    request_id: str = ""
    retry_after: float | None = None  # seconds
    fields: Mapping[str, str] = field(default_factory=dict)  # form field -> what the provider says about it
    entries: tuple[ErrorEntry, ...] = ()  # all that the provider lists, the one to act on first
    body: str = ""  # what came instead of words: empty, html, unreadable
    reason: str = ""  # ours, for what happened on the line: timeout, reset, oversized, unreadable, ...


class ProviderError(Exception):
    """A call to a provider did not end well. `outcome_unknown` says whether it may have acted all the same."""

    outcome_unknown = False

    def __init__(self, failure: Failure, observation: Observation | None = None) -> None:
        super().__init__(f"{failure.operation}: {failure.status} {failure.code or failure.reason}")
        self.failure = failure
        self.observation = observation  # what the refusal says about the link's health, if anything


class NotSent(ProviderError):
    """Nothing left this process: DNS, connect, TLS, address guard, no free place. Safe to try again."""


class OutcomeUnknown(ProviderError):
    """The request left and no valid answer came back: only reading can tell whether the provider acted."""

    outcome_unknown = True


class Rejected(ProviderError):
    """The provider answered no, and nothing was changed."""


class InvalidInput(Rejected):
    """The request is wrong: correct the fields and send it again."""


class LoginRefused(Rejected):
    """The bank refused the credentials or the code. Counts against the attempt budget."""


class CodeTooLate(Rejected):
    """The login attempt waiting for a code is over; the credentials have to be entered again."""


class Duplicate(Rejected):
    """The provider knows this link already."""


class NotFound(Rejected):
    """The provider does not know this link: removed, or another account or environment."""


class Blocked(Rejected):
    """A 403 that names no right and no quota, such as a firewall's page: this one request was refused.

    It says nothing about our keys, nor about what the request was about.
    """


class Busy(Rejected):
    """Not now: rate limit, another session, refreshed moments ago. `failure.retry_after` may say when."""


class KeysRejected(Rejected):
    """Our own keys or rights are wrong. Concerns the whole integration, never the customer.

    With `failure.retry_after` it is tried again by then; without, it lasts until a person acts.
    """


def forbidden(failure: Failure, *, names_reason: bool) -> ProviderError:
    """Return the error of a 403; `names_reason`: the provider itself says that a right or a quota is missing.

    The cheap read that tests the connection decides about all calls, so being refused it is no single refusal.
    """
    if names_reason or failure.operation.endswith(".test_connection"):
        return KeysRejected(replace(failure, retry_after=BLOCK_SECONDS))
    return Blocked(replace(failure, retry_after=None))


class CodeRequired(ProviderError):
    """The bank wants a one-time code. Not a failure: the next step."""

    def __init__(self, failure: Failure, challenge: Challenge) -> None:
        waiting = Observation(cause=Cause.CODE_WAITING, raw_code=failure.code, raw_words=failure.words)
        super().__init__(failure, waiting)
        self.challenge = challenge


class Unsupported(ProviderError):
    """This provider cannot do this. A page that asks first never sees it."""
