"""The calls a provider may offer. Each is unsupported unless a provider's module says otherwise."""

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Protocol, TypeVar

from .addresses import check_base_url
from .errors import Failure, InvalidInput, KeysRefused, ProviderError, Rejected, Unsupported
from .http import Answer, Door, Json, fill_path
from .types import (
    Capability,
    ConnectionReport,
    CredentialField,
    Deadlines,
    LinkRef,
    NewLink,
    RemoteInstitution,
    RemoteLink,
    Secret,
)

T = TypeVar("T")


class InstitutionFields(Protocol):
    """The part of an institution that decides which fields a form has."""

    @property
    def name(self) -> str: ...
    @property
    def form_fields(self) -> object: ...


class Provider:
    """One provider's API, spoken with one integration's keys.

    Every call raises a `ProviderError`: `NotSent` when nothing left, `OutcomeUnknown` when the answer was lost,
    a `Rejected` when the provider said no, `CodeRequired` when the bank wants a one-time code.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    # The only hosts an integration's base URL may name.
    allowed_hosts: ClassVar[frozenset[str]] = frozenset()
    # What an administrator enters for an integration; the secret ones are sealed.
    config_fields: ClassVar[tuple[CredentialField, ...]] = ()
    # What the provider calls its own id of a link, for labels: "Item id", "Link id".
    remote_id_label: ClassVar[str] = "Link id"

    def __init__(
        self,
        *,
        base_url: str,
        options: Mapping[str, str],
        secrets: Mapping[str, Secret],
        deadlines: Deadlines | None = None,
        allow_loopback: bool = False,
    ) -> None:
        """Take an integration's configuration. Raises KeysRefused if a field of it is missing."""
        for field in self.config_fields:
            if field.required and not (secrets if field.secret else options).get(field.name):
                words = f"{field.label}: missing"
                raise KeysRefused(Failure(self._operation("connect"), words=words, reason="not_configured"))
        self.options = options
        self.secrets = secrets
        self.deadlines = deadlines or Deadlines()
        self._door = Door(
            base_url,
            allowed_hosts=self.allowed_hosts,
            allow_loopback=allow_loopback,
            headers=self._key_headers(),
            auth=self._basic_auth(),
        )

    @classmethod
    def check_base_url(cls, url: str, *, allow_loopback: bool = False) -> None:
        """Check an integration's address before it is saved. Raises ValueError with a sentence."""
        check_base_url(url, cls.allowed_hosts, allow_loopback)

    def test_connection(self) -> ConnectionReport:
        """Prove that the address answers and the keys are good."""
        raise self._unsupported("test_connection")

    @classmethod
    def create_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return the fields of a new link at this institution (None where the provider does not ask for one)."""
        raise Unsupported(Failure(operation=f"{cls.kind}.create_fields", reason="unsupported"))

    @classmethod
    def update_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return the fields whose new values can repair a link at this institution; empty if none can."""
        return ()

    @classmethod
    def fixed_values(cls, institution: InstitutionFields | None) -> Mapping[str, str]:
        """Return what every new link at this institution is sent beside the typed values: nobody is asked for it."""
        return {}

    def create_link(self, new_link: NewLink) -> RemoteLink:
        """Create a link. Contacts the bank at providers that log in themselves."""
        raise self._unsupported("create_link")

    def update_credentials(self, link: LinkRef, values: Mapping[str, str | Secret]) -> RemoteLink:
        """Give the bank's new credentials to the provider. Contacts the bank."""
        raise self._unsupported("update_credentials")

    def submit_token(self, *, session: Secret, remote_link_id: str, token: Secret | None) -> RemoteLink:
        """Continue a login attempt with the customer's one-time code, or without one where none is expected."""
        raise self._unsupported("submit_token")

    def read_link(self, link: LinkRef) -> RemoteLink:
        """Read one link as the provider knows it. Never contacts the bank; raises `NotFound` if it is gone."""
        raise self._unsupported("read_link")

    def find_link(self, *, remote_id: str, end_user_id: str, institution: str) -> list[RemoteLink]:
        """Return the links that a create with these values may have made. Reads only; to learn a lost outcome."""
        raise self._unsupported("find_link")

    def list_institutions(self) -> Iterator[RemoteInstitution]:
        """Yield the provider's catalogue of institutions."""
        raise self._unsupported("list_institutions")

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
        read: Callable[[Answer], T],
        refuse: Callable[[str, Answer], ProviderError] | None = None,
        deadline: float = 0.0,
        params: Mapping[str, str] | None = None,
        json: Json | None = None,
    ) -> T:
        """Make one call through the door; `ids` fill the path, `deadline` is that of reads unless given."""
        operation, refuse_this = self._operation(call), refuse or self._refuse
        try:
            filled = fill_path(path, *ids)
        except ValueError:
            filled = ""
        if not filled:
            raise InvalidInput(Failure(operation, reason="bad_id"))
        return self._door.call(
            operation,
            method,
            filled,
            deadline=deadline or self.deadlines.read,
            read=read,
            refuse=lambda answer: refuse_this(operation, answer),
            params=params,
            json=json,
        )

    def _refuse(self, operation: str, answer: Answer) -> ProviderError:
        """Return the error for an answer that is not 2xx. The door makes it OutcomeUnknown where the status says so."""
        return Rejected(Failure(operation, status=answer.status, request_id=answer.request_id))

    def _operation(self, call: str) -> str:
        return f"{self.kind}.{call}"

    def _unsupported(self, call: str) -> Unsupported:
        return Unsupported(Failure(self._operation(call), reason="unsupported"))
