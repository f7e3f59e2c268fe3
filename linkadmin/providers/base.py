"""The calls a provider may offer. Each raises Unsupported unless a provider overrides it."""

# mypy: disable-error-code="empty-body"

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from .declared import Declared, optional
from .errors import BLOCK_SECONDS, Blocked, Failure, InvalidInput, KeysRejected, NotFound, ProviderError, Rejected
from .http.admission import Admission, Rate
from .http.answer import Answer
from .http.client import HttpClient, Json, Message
from .http.retries import Backoff, RetryPolicy
from .records import (
    Accepted,
    Filters,
    LeftOut,
    RemoteConnector,
    RemoteConsent,
    RemoteDataSource,
    RemoteEndUser,
    RemotePage,
    RemoteRepairUrl,
    RemoteSession,
    RemoteWebhook,
    Removed,
    ReportsRefreshed,
    SessionResult,
    WebhookKey,
)
from .types import (
    ConnectionReport,
    Deadlines,
    LinkRef,
    NewLink,
    NewSession,
    RemoteInstitution,
    RemoteLink,
    ReturnUrls,
    Secret,
    Values,
)

T = TypeVar("T")


class Provider(Declared):
    """One provider's API, called with one integration's keys.

    Every call raises a `ProviderError`: `NotSent` if nothing left, `OutcomeUnknown` if the response was lost,
    a `Rejected` if the provider said no, `CodeRequired` if the bank wants a one-time code.
    """

    def __init__(
        self,
        *,
        base_url: str,
        options: Mapping[str, str],
        secrets: Mapping[str, Secret],
        admission: Admission,
        deadlines: Deadlines | None = None,
        allow_loopback: bool = False,
        backoff: Backoff | None = None,
    ) -> None:
        """Raises KeysRejected if a required config field has no value."""
        for field in self.config_fields:
            if field.required and not (secrets if field.secret else options).get(field.name):
                words = f"{field.label}: missing"
                raise KeysRejected(Failure(self._operation("connect"), words=words, reason="not_configured"))
        self.options = options
        self.secrets = secrets
        self.deadlines = deadlines or Deadlines()
        self._page_url = partial(self.page_url, base_url=base_url, allow_loopback=allow_loopback)
        self._http = HttpClient(
            base_url,
            allowed_hosts=self.allowed_hosts,
            allow_loopback=allow_loopback,
            headers=self._key_headers(),
            auth=self._basic_auth(),
            keys=tuple(self.secrets.values()),
            admission=admission,
            backoff=backoff,
        )

    @optional
    def test_connection(self) -> ConnectionReport:
        """Prove that the base URL responds and the keys are valid."""

    # --- Changes: each sent once, for one click by one person. ---

    @optional
    def create_link(self, new_link: NewLink) -> RemoteLink:
        """Create a link. Contacts the bank if `signs_in_at_bank`."""

    @optional
    def update_credentials(self, link: LinkRef, values: Values) -> RemoteLink:
        """Send new credentials to the provider. Contacts the bank."""

    @optional
    def submit_code(self, *, session: Secret, remote_link_id: str, code: Secret | None) -> RemoteLink:
        """Continue a sign-in attempt with the customer's one-time code; None where the bank expects no input."""

    @optional
    def refresh_data(self, link: LinkRef, values: Values) -> Accepted:
        """Have the provider fetch new data, in its own time, with the stored credentials."""

    @optional
    def change_settings(self, link: LinkRef, values: Values) -> RemoteLink:
        """Change only the given settings of a link."""

    @optional
    def remove_link(self, link: LinkRef, values: Values) -> Removed:
        """Delete a link, and everything else that `removal_reach` names."""

    @optional
    def replace_token(self, link: LinkRef, values: Values) -> RemoteLink:
        pass

    @optional
    def create_repair_url(
        self, link: LinkRef, values: Values, return_urls: ReturnUrls | None = None
    ) -> RemoteRepairUrl:
        """Create a URL where the customer can repair this link. Changes nothing about the link."""

    @optional
    def create_session(self, new_session: NewSession) -> RemoteSession:
        """Create a visit to the provider's own page, where the customer repairs a link. Contacts no bank.

        Raises `NewConnectionNeeded` if this link can't be repaired.
        """

    @optional
    def regenerate_reports(self, end_user_id: str) -> ReportsRefreshed:
        """Regenerate a customer's reports, or with an empty ID those of all customers of the integration."""

    @optional
    def create_end_user(self, end_user_id: str, name: str) -> RemoteEndUser:
        pass

    @optional
    def rename_end_user(self, end_user_id: str, name: str) -> RemoteEndUser:
        """Raises `NotFound` for an unknown customer."""

    @optional
    def switch_data_source(self, remote_id: str, *, enabled: bool) -> RemoteDataSource:
        pass

    @optional
    def add_webhook(self, topic: str, url: str) -> RemoteWebhook:
        pass

    @optional
    def switch_webhook(self, webhook: RemoteWebhook, *, enabled: bool) -> RemoteWebhook:
        pass

    @optional
    def remove_webhook(self, remote_id: str) -> None:
        pass

    # --- Reads: never contact a bank, and may be retried. ---

    @optional
    def read_link(self, link: LinkRef) -> RemoteLink:
        """Read one link. Never contacts the bank; raises `NotFound` if it's gone."""

    @optional
    def find_link(self, *, remote_id: str, end_user_id: str, institution: str) -> list[RemoteLink]:
        """Return the links that a create with these values may have made, to resolve an unknown outcome."""

    def read_links(self, links: Sequence[LinkRef]) -> list[RemoteLink]:
        """Read one of the `batches`. Omits links that are gone; may include others of their customer."""
        found: list[RemoteLink] = []
        for link in links:
            with suppress(NotFound):
                found.append(self.read_link(link))
        return found

    @optional
    def list_links(self, filters: Filters, *, page: int = 1, whole: bool = False) -> RemotePage[RemoteLink]:
        """Return one page of links. With `whole`, pages are as long as possible, for reading the entire list."""

    @optional
    def list_institutions(self, left_out: list[LeftOut] | None = None) -> Iterator[RemoteInstitution]:
        """Yield all institutions. Records we can't use are added to `left_out`."""

    @optional
    def find_institutions(self, filters: Filters, *, page: int = 1) -> RemotePage[RemoteInstitution]:
        pass

    def read_institution(self, remote_id: str) -> RemoteInstitution:
        for institution in self.list_institutions():
            if institution.remote_id == remote_id:
                return institution
        raise NotFound(Failure(self._operation("read_institution")))

    @optional
    def list_consents(self, link: LinkRef) -> list[RemoteConsent]:
        """Newest first."""

    @optional
    def list_end_users(self, filters: Filters, *, page: int = 1, whole: bool = False) -> RemotePage[RemoteEndUser]:
        """Return one page of customers with the status of their data sources; `whole` as in `list_links`."""

    @optional
    def read_end_user(self, end_user_id: str) -> RemoteEndUser:
        """Raises `NotFound` for an unknown customer."""

    @optional
    def read_processing(self, end_user_id: str) -> str:
        pass

    @optional
    def list_data_sources(self, end_user_id: str) -> list[RemoteDataSource]:
        pass

    @optional
    def list_connectors(self) -> list[RemoteConnector]:
        pass

    @optional
    def read_item_id(self, access_token: Secret) -> str:
        """Return the ID of the link that an access token is for."""

    @optional
    def read_session(self, token: Secret) -> SessionResult:
        """Return the result of a visit to the provider's page. Raises `NotFound` if it's too long ago."""

    @optional
    def read_webhook_key(self, key_id: str) -> WebhookKey:
        """Return a public key of the provider's webhooks. Raises `NotFound` for an unknown ID."""

    @optional
    def list_webhooks(self) -> list[RemoteWebhook]:
        pass

    @optional
    def list_webhook_topics(self) -> list[str]:
        pass

    def _key_headers(self) -> Mapping[str, Secret]:
        return {}

    def _basic_auth(self) -> tuple[Secret, Secret] | None:
        # Username and password, if HTTP Basic carries the keys.
        return None

    def _call(
        self,
        call: str,
        method: str,
        path: str,
        *ids: str,
        read: Callable[[Answer], T | ProviderError],
        refuse: Callable[[str, Answer], ProviderError] | None = None,
        deadline: float = 0.0,
        params: Mapping[str, str] | None = None,
        json: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Send one request. `ids` fill the path, one segment each; the default deadline is the one for reads."""
        operation, refuse_this = self._operation(call), refuse or self._refuse
        if not all(ids):
            raise InvalidInput(Failure(operation, reason="bad_id"))
        try:
            return self._http.call(
                operation,
                Message(method, path.format(*map(_segment, ids)), params or {}, json, headers or {}),
                deadline=deadline or self.deadlines.read,
                read=read,
                refuse=lambda answer: refuse_this(operation, answer),
                rate=partial(self._rate_of, call),
                policy=RetryPolicy.READ if call in self.repeatable else RetryPolicy.of(call, method),
            )
        except Blocked as blocked:
            failure = blocked.failure
        if self._denies_all_requests():
            raise KeysRejected(replace(failure, retry_after=BLOCK_SECONDS))
        raise Blocked(failure)

    def _denies_all_requests(self) -> bool:
        # After a 403 without a known reason.
        try:
            self.test_connection()
        except ProviderError as error:  # any other error concerns this one request
            return isinstance(error, KeysRejected)
        return False

    def _refuse(self, operation: str, answer: Answer) -> ProviderError:
        """An ambiguous status becomes OutcomeUnknown in the client."""
        return Rejected(Failure(operation, status=answer.status, request_id=answer.request_id))

    def _rate_of(self, call: str, answer: Answer, error: ProviderError | None) -> Rate | None:
        # By default, only a 429 says something about the rate limit.
        if error is None or answer.status != HTTPStatus.TOO_MANY_REQUESTS:
            return None
        scope = self.quota_scope(call)
        has_its_own = any(quota.scope == scope for quota in self.quotas)
        return Rate(scope if has_its_own else "", error.failure.retry_after)


def _segment(part: str) -> str:
    """Encode an ID as one path segment. A segment of dots alone would lead elsewhere, so they're encoded too."""
    return part.replace(".", "%2E") if part in {".", ".."} else quote(part, safe="")
