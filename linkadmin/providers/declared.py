"""What a provider declares: available without keys and without a request."""

# mypy: disable-error-code="empty-body"

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from hashlib import sha256
from typing import ClassVar, NoReturn, TypeVar, cast
from urllib.parse import urlsplit

from linkadmin.providers.messages import gettext_noop as _

from .errors import Failure, Unsupported
from .http.addresses import check_base_url, is_loopback
from .http.admission import Quota
from .records import Filters, FullCheckBy, Reach, WebhookHint
from .types import Capability, CredentialField, InstitutionFields, LinkRef, PracticeHints, Secret, Values

F = TypeVar("F", bound=Callable[..., object])


def optional(call: F) -> F:
    """Mark an optional call: it raises Unsupported unless the provider overrides it."""

    @wraps(call)
    def unsupported(provider: "Declared", *_args: object, **_values: object) -> NoReturn:
        raise provider._unsupported(call.__name__)

    return cast("F", unsupported)


class Declared:
    """Attributes and forms of a provider. The defaults mean none or unsupported."""

    kind: ClassVar[str]
    label: ClassVar[str]
    full_name: ClassVar[str] = ""  # shown once, with the integration; empty: the label
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    # The only hosts an integration's base URL may name.
    allowed_hosts: ClassVar[frozenset[str]] = frozenset()
    # Those of its sandbox, if it has hosts of its own. Where there are none, a host doesn't tell.
    sandbox_hosts: ClassVar[frozenset[str]] = frozenset()
    # What an administrator enters for an integration; secrets are encrypted.
    config_fields: ClassVar[tuple[CredentialField, ...]] = ()
    # The provider's term for a link's ID.
    remote_id_label: ClassVar[str] = _("Link ID")
    # Whether the provider signs in at the bank when a link is created, which may take minutes.
    signs_in_at_bank: ClassVar[bool] = True
    # Hints below forms in the demo.
    practice_hints: ClassVar[PracticeHints] = PracticeHints()
    # What a removal deletes, and a sentence on what that means at the provider.
    removal_reach: ClassVar[Reach] = Reach.LINK
    removal_consequence: ClassVar[str] = ""
    # Kinds of links whose data is a report that can be regenerated.
    report_kinds: ClassVar[frozenset[str]] = frozenset()
    # Documented rate limits. Limits in responses take precedence.
    quotas: ClassVar[tuple[Quota, ...]] = ()
    # The provider whose integrations this one helps; it has no links of its own.
    companion_of: ClassVar[str] = ""
    # Calls that change nothing, whatever their method: they may be retried.
    repeatable: ClassVar[frozenset[str]] = frozenset()
    # Calls that share another call's endpoint, and so its rate limit.
    counted_as: ClassVar[Mapping[str, str]] = {}
    # Size of a batch.
    links_per_read: ClassVar[int] = 1
    # Links on a page of the whole list, where a full check reads that.
    links_per_page: ClassVar[int] = 100
    # The list that a full check reads.
    full_check_by: ClassVar[FullCheckBy] = FullCheckBy.LINKS
    # The link statuses we understand.
    statuses: ClassVar[frozenset[str]] = frozenset()
    # Origins of the pages where customers repair links.
    hosted_pages: ClassVar[tuple[str, ...]] = ()
    # The page where customers see and withdraw their consents.
    consent_portal: ClassVar[str] = ""
    # Options of a removal.
    removal_fields: ClassVar[tuple[CredentialField, ...]] = ()
    # The fields of a new access token for a link.
    token_fields: ClassVar[tuple[CredentialField, ...]] = ()
    # Search fields for lists of links, customers and institutions.
    link_filters: ClassVar[tuple[CredentialField, ...]] = ()
    end_user_filters: ClassVar[tuple[CredentialField, ...]] = ()
    institution_filters: ClassVar[tuple[CredentialField, ...]] = ()
    # The webhook secret that an administrator enters, and whether we can generate it.
    webhook_fields: ClassVar[tuple[CredentialField, ...]] = ()
    generates_webhook_secret: ClassVar[bool] = False
    # Whether the provider signs webhooks with keys that it publishes by ID.
    publishes_webhook_keys: ClassVar[bool] = False

    @classmethod
    def check_base_url(cls, url: str, *, allow_loopback: bool = False) -> None:
        """Raises InvalidBaseUrl, a ValueError."""
        check_base_url(url, cls.allowed_hosts, allow_loopback)

    @classmethod
    def check_option(cls, name: str, value: str, *, allow_loopback: bool = False) -> None:
        """Check a config field that isn't secret. Raises InvalidBaseUrl, a ValueError."""

    @classmethod
    def needs_access_token(cls, options: Mapping[str, str]) -> bool:
        """Whether a new session takes a link's access token, which staff enter for each."""
        return False

    @classmethod
    def page_url(cls, page: str, *, base_url: str, allow_loopback: bool) -> str:
        """The URL of a provider's page in a browser. A simulator serves it below the name of its host."""
        is_simulated = allow_loopback and is_loopback(base_url)
        return f"{base_url.rstrip('/')}/{page.removeprefix('https://')}" if is_simulated else page

    @classmethod
    def is_sandbox(cls, url: str) -> bool | None:
        """Whether a base URL is the sandbox's. None if it doesn't tell, as in a demo."""
        host = urlsplit(url).hostname or ""
        return host in cls.sandbox_hosts if cls.sandbox_hosts and host in cls.allowed_hosts else None

    @classmethod
    def quota_scope(cls, call: str) -> str:
        return cls.counted_as.get(call, call)

    @classmethod
    def batches(cls, links: Sequence[LinkRef]) -> list[list[LinkRef]]:
        size = cls.links_per_read
        return [list(links[start : start + size]) for start in range(0, len(links), size)]

    # --- Forms, as data: no page knows a provider. ---

    @classmethod
    @optional
    def create_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return the fields of a new link; `institution` is None if the provider doesn't need one."""

    @classmethod
    def update_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return the fields that can repair a link at this institution; empty if none can."""
        return ()

    @classmethod
    def code_field(cls, institution: InstitutionFields | None) -> CredentialField | None:
        """Return the institution's field for a one-time code; None if it doesn't have one."""
        return None

    @classmethod
    def fixed_values(cls, institution: InstitutionFields | None) -> Mapping[str, str]:
        """Return values sent with each new link at this institution without asking anyone."""
        return {}

    @classmethod
    def settings_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return a link's settings that can be changed, named like `RemoteLink`'s fields."""
        return ()

    @classmethod
    def fetch_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return the options of a data refresh, all optional."""
        return ()

    @classmethod
    def removal_call(cls, values: Values) -> str:
        """Return the call that a removal makes: its rate limit applies."""
        return "remove_link"

    @classmethod
    def customer_filters(cls, end_user_id: str) -> Filters | None:
        """Return filters that list all links of a customer; None if that's not possible."""
        return None

    # --- Webhooks: a reason to read, never proof. ---

    @classmethod
    @optional
    def new_webhook_secret(cls) -> Secret:
        pass

    @classmethod
    @optional
    def webhook_is_genuine(cls, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret]) -> bool:
        """Check that the sender knows one of the secrets; header names are in lowercase.

        Takes constant time, and never raises, whatever arrives.
        """

    @classmethod
    @optional
    def webhook_key_id(cls, headers: Mapping[str, str], body: bytes) -> str:
        """Return the ID of the key that a webhook says it's signed with; empty if it can't be genuine."""

    @classmethod
    def secrets_in_webhook(cls, body: bytes) -> Sequence[Secret]:
        """Return the secrets in a webhook, which must not be stored."""
        return ()

    @classmethod
    @optional
    def read_webhook(cls, body: bytes) -> WebhookHint:
        """Parse a webhook. Raises ValueError if it isn't one of the provider's."""

    @classmethod
    def webhook_key(cls, body: bytes) -> str:
        """Return a key that repeated deliveries of one webhook share: a digest, because no provider numbers them."""
        return sha256(body).hexdigest()

    @classmethod
    def _operation(cls, call: str) -> str:
        return f"{cls.kind}.{call}"

    @classmethod
    def _unsupported(cls, call: str) -> Unsupported:
        return Unsupported(Failure(cls._operation(call), reason="unsupported"))
