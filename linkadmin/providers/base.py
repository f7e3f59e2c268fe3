"""The calls a provider may offer. Each is unsupported unless a provider's module says otherwise."""

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
    RemoteWebhook,
    Removed,
    RepairAddress,
    ReportsRefreshed,
)
from .types import (
    ConnectionReport,
    Deadlines,
    LinkRef,
    NewLink,
    RemoteInstitution,
    RemoteLink,
    Secret,
    Values,
)

T = TypeVar("T")


class Provider(Declared):
    """One provider's API, spoken with one integration's keys.

    Every call raises a `ProviderError`: `NotSent` when nothing left, `OutcomeUnknown` when the answer was lost,
    a `Rejected` when the provider said no, `CodeRequired` when the bank wants a one-time code.
    """

    def __init__(
        self,
        *,
        base_url: str,
        options: Mapping[str, str],
        secrets: Mapping[str, Secret],
        deadlines: Deadlines | None = None,
        allow_loopback: bool = False,
        admission: Admission | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Take an integration's configuration, and who admits its calls.

        Raises KeysRejected if a field of the configuration is missing.
        """
        for field in self.config_fields:
            if field.required and not (secrets if field.secret else options).get(field.name):
                words = f"{field.label}: missing"
                raise KeysRejected(Failure(self._operation("connect"), words=words, reason="not_configured"))
        self.options = options
        self.secrets = secrets
        self.deadlines = deadlines or Deadlines()
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
        """Prove that the address answers and the keys are good."""

    # --- Changes. Each is made once, for one click of one person. ---

    @optional
    def create_link(self, new_link: NewLink) -> RemoteLink:
        """Create a link. Contacts the bank at providers that log in themselves."""

    @optional
    def update_credentials(self, link: LinkRef, values: Values) -> RemoteLink:
        """Give the bank's new credentials to the provider. Contacts the bank."""

    @optional
    def submit_code(self, *, session: Secret, remote_link_id: str, code: Secret | None) -> RemoteLink:
        """Continue a login attempt with the customer's one-time code, or without one where none is expected."""

    @optional
    def refresh_data(self, link: LinkRef, values: Values) -> Accepted:
        """Let the provider fetch a link's data now, with the login it has. It contacts the bank in its own time."""

    @optional
    def change_settings(self, link: LinkRef, values: Values) -> RemoteLink:
        """Change the given settings of a link and leave the others."""

    @optional
    def remove_link(self, link: LinkRef, values: Values) -> Removed:
        """Take a link away, and all that `removal_reach` names with it."""

    @optional
    def replace_token(self, link: LinkRef, values: Values) -> RemoteLink:
        """Hand over a new access token for the same link."""

    @optional
    def create_repair_url(self, link: LinkRef, values: Values) -> RepairAddress:
        """Make an address where the customer can repair this link. Changes nothing about the link."""

    @optional
    def regenerate_reports(self, end_user_id: str) -> ReportsRefreshed:
        """Make a customer's reports anew; those of all customers of the integration if the id is empty."""

    @optional
    def create_end_user(self, end_user_id: str, name: str) -> RemoteEndUser:
        """Let the provider know a customer."""

    @optional
    def rename_end_user(self, end_user_id: str, name: str) -> RemoteEndUser:
        """Change the name under which the provider shows a customer. Raises `NotFound` for one it does not know."""

    @optional
    def switch_data_source(self, remote_id: str, *, enabled: bool) -> RemoteDataSource:
        """Count a source's data in, or leave it out."""

    @optional
    def add_webhook(self, topic: str, url: str) -> RemoteWebhook:
        """Subscribe an address to a topic's messages."""

    @optional
    def switch_webhook(self, webhook: RemoteWebhook, *, enabled: bool) -> RemoteWebhook:
        """Pause a subscription, or let it go on."""

    @optional
    def remove_webhook(self, remote_id: str) -> None:
        """End a subscription."""

    # --- Reads. They never contact a bank, and may be repeated. ---

    @optional
    def read_link(self, link: LinkRef) -> RemoteLink:
        """Read one link as the provider knows it. Never contacts the bank; raises `NotFound` if it is gone."""

    @optional
    def find_link(self, *, remote_id: str, end_user_id: str, institution: str) -> list[RemoteLink]:
        """Return the links that a create with these values may have made. Reads only; to learn a lost outcome."""

    def read_links(self, links: Sequence[LinkRef]) -> list[RemoteLink]:
        """Read one of the `batches`. Links that are gone are left out; others of their customer may come along."""
        found: list[RemoteLink] = []
        for link in links:
            with suppress(NotFound):
                found.append(self.read_link(link))
        return found

    @optional
    def list_links(self, filters: Filters, *, page: int = 1, whole: bool = False) -> RemotePage[RemoteLink]:
        """Return one page of the provider's links; `whole`: as long as it may be, for who reads all of the list."""

    @optional
    def list_institutions(self, left_out: list[LeftOut] | None = None) -> Iterator[RemoteInstitution]:
        """Yield the provider's list of institutions; records that can't be taken over are added to `left_out`."""

    @optional
    def find_institutions(self, filters: Filters, *, page: int = 1) -> RemotePage[RemoteInstitution]:
        """Return one page of the institutions that fit."""

    def read_institution(self, remote_id: str) -> RemoteInstitution:
        """Read one institution by its ID at the provider: out of the list, where it has no endpoint of its own."""
        for institution in self.list_institutions():
            if institution.remote_id == remote_id:
                return institution
        raise NotFound(Failure(self._operation("read_institution")))

    @optional
    def list_consents(self, link: LinkRef) -> list[RemoteConsent]:
        """Return a link's consents, the newest first."""

    @optional
    def read_consent(self, remote_id: str) -> RemoteConsent:
        """Read one consent."""

    @optional
    def list_end_users(self, filters: Filters, *, page: int = 1, whole: bool = False) -> RemotePage[RemoteEndUser]:
        """Return one page of the provider's customers, with how their sources stand; `whole`: as for links."""

    @optional
    def read_end_user(self, end_user_id: str) -> RemoteEndUser:
        """Read one customer. Raises `NotFound` for one the provider does not know."""

    @optional
    def read_processing(self, end_user_id: str) -> str:
        """Return the provider's word for how far a customer's data is processed."""

    @optional
    def list_data_sources(self, end_user_id: str) -> list[RemoteDataSource]:
        """Return the sources of a customer's data."""

    @optional
    def list_connectors(self) -> list[RemoteConnector]:
        """Return what is set up in our account at the provider."""

    @optional
    def list_webhooks(self) -> list[RemoteWebhook]:
        """Return our subscriptions."""

    @optional
    def list_webhook_topics(self) -> list[str]:
        """Return what can be subscribed to."""

    def _key_headers(self) -> Mapping[str, Secret]:
        """Return the headers that carry the keys, where headers do."""
        return {}

    def _basic_auth(self) -> tuple[Secret, Secret] | None:
        """Return user and password of HTTP Basic, where that carries the keys."""
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
        """Make one call; `ids` fill the path, each as one segment, `deadline` is that of reads unless given."""
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
                policy=RetryPolicy.of(call, method),
            )
        except Blocked as blocked:
            failure = blocked.failure
        if self._is_shut_out():
            raise KeysRejected(replace(failure, retry_after=BLOCK_SECONDS))
        raise Blocked(failure)

    def _is_shut_out(self) -> bool:
        """Tell by one cheap read whether all requests are refused, after one that was for no reason we know."""
        try:
            self.test_connection()
        except ProviderError as error:  # any other says nothing about all requests
            return isinstance(error, KeysRejected)
        return False

    def _refuse(self, operation: str, answer: Answer) -> ProviderError:
        """Return the error for an answer that is not 2xx. OutcomeUnknown is made of it where the status says so."""
        return Rejected(Failure(operation, status=answer.status, request_id=answer.request_id))

    def _rate_of(self, call: str, answer: Answer, error: ProviderError | None) -> Rate | None:
        """Return what an answer tells about how often may be called: in the error of a call that came too soon."""
        if error is None or answer.status != HTTPStatus.TOO_MANY_REQUESTS:
            return None
        scope = self.quota_scope(call)
        has_its_own = any(quota.scope == scope for quota in self.quotas)
        return Rate(scope if has_its_own else "", error.failure.retry_after)


def _segment(part: str) -> str:
    """Return an ID as one segment of a path. Dots alone would lead elsewhere, so they are encoded like the rest."""
    return part.replace(".", "%2E") if part in {".", ".."} else quote(part, safe="")
