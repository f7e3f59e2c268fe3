"""What a provider declares of itself: known without keys, and without a call."""

# mypy: disable-error-code="empty-body"

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from hashlib import sha256
from typing import ClassVar, NoReturn, TypeVar, cast

from linkadmin.providers.messages import gettext_noop as _

from .errors import Failure, Unsupported
from .http.addresses import check_base_url
from .http.admission import Quota
from .records import Filters, FullCheckBy, Reach, WebhookHint
from .types import Capability, CredentialField, InstitutionFields, LinkRef, PracticeHints, Secret, Values

F = TypeVar("F", bound=Callable[..., object])


def optional(call: F) -> F:
    """Mark a call that a provider may offer: it raises Unsupported unless the provider's module overrides it."""

    @wraps(call)
    def unsupported(provider: "Declared", *_args: object, **_values: object) -> NoReturn:
        raise provider._unsupported(call.__name__)

    return cast("F", unsupported)


class Declared:
    """What a provider is, can and asks for; each thing is none or unsupported unless its module says otherwise."""

    kind: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    # The only hosts an integration's base URL may name.
    allowed_hosts: ClassVar[frozenset[str]] = frozenset()
    # What an administrator enters for an integration; the secret ones are encrypted.
    config_fields: ClassVar[tuple[CredentialField, ...]] = ()
    # What the provider calls its own id of a link, for labels: "Item id", "Link id".
    remote_id_label: ClassVar[str] = _("Link ID")
    # Whether it logs in at the bank when a link is created, which may take minutes.
    logs_in_itself: ClassVar[bool] = True
    # What the demo says below its forms.
    practice_hints: ClassVar[PracticeHints] = PracticeHints()
    # What goes when a link is removed, and a sentence on what that means at the provider.
    removal_reach: ClassVar[Reach] = Reach.LINK
    removal_consequence: ClassVar[str] = ""
    # The kinds of links whose data is a report, which is made anew on demand.
    report_kinds: ClassVar[frozenset[str]] = frozenset()
    # How often it may be called. What its answers tell about that comes first.
    quotas: ClassVar[tuple[Quota, ...]] = ()
    # The calls that go to the endpoint of another one, where the provider counts by endpoint.
    counted_as: ClassVar[Mapping[str, str]] = {}
    # How many links `batches` puts together.
    links_per_read: ClassVar[int] = 1
    # What is read page by page to learn how all links stand.
    full_check_by: ClassVar[FullCheckBy] = FullCheckBy.LINKS
    # The words for how a link stands that are understood.
    statuses: ClassVar[frozenset[str]] = frozenset()
    # What may be said about a removal, and about a repair URL, such as the customer's language.
    removal_fields: ClassVar[tuple[CredentialField, ...]] = ()
    address_fields: ClassVar[tuple[CredentialField, ...]] = ()
    # The fields of a new access token for a link.
    token_fields: ClassVar[tuple[CredentialField, ...]] = ()
    # What its lists of links, customers and institutions can be searched by; a required field has to be filled.
    link_filters: ClassVar[tuple[CredentialField, ...]] = ()
    end_user_filters: ClassVar[tuple[CredentialField, ...]] = ()
    institution_filters: ClassVar[tuple[CredentialField, ...]] = ()
    # What an administrator enters as a secret of its deliveries, and whether that is ours to make up.
    webhook_fields: ClassVar[tuple[CredentialField, ...]] = ()
    makes_webhook_secret: ClassVar[bool] = False

    @classmethod
    def check_base_url(cls, url: str, *, allow_loopback: bool = False) -> None:
        """Check an integration's address before it is saved. Raises ValueError with a sentence."""
        check_base_url(url, cls.allowed_hosts, allow_loopback)

    @classmethod
    def quota_scope(cls, call: str) -> str:
        """Return the call under whose name a call's quota is kept."""
        return cls.counted_as.get(call, call)

    @classmethod
    def batches(cls, links: Sequence[LinkRef]) -> list[list[LinkRef]]:
        """Cut links into those that one `read_links` each can be asked for."""
        size = cls.links_per_read
        return [list(links[start : start + size]) for start in range(0, len(links), size)]

    # --- Forms: what a page asks for before a call. Drawn from data, so that no page knows a provider. ---

    @classmethod
    @optional
    def create_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return the fields of a new link at this institution (None where the provider does not ask for one)."""

    @classmethod
    def update_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return the fields whose new values can repair a link at this institution; empty if none can."""
        return ()

    @classmethod
    def code_field(cls, institution: InstitutionFields | None) -> CredentialField | None:
        """Return a one-time code as this institution asks for it; None where it does not say."""
        return None

    @classmethod
    def fixed_values(cls, institution: InstitutionFields | None) -> Mapping[str, str]:
        """Return what every new link at this institution is sent beside the typed values: nobody is asked for it."""
        return {}

    @classmethod
    def settings_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return the settings of a link that can be changed, by the names of `RemoteLink`'s fields."""
        return ()

    @classmethod
    def fetch_fields(cls, institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
        """Return what may be said about a fetch of new data, all of it optional."""
        return ()

    @classmethod
    def removal_call(cls, values: Values) -> str:
        """Return the name of the call that a removal leads to, by which its quota is kept."""
        return "remove_link"

    @classmethod
    def customer_filters(cls, end_user_id: str) -> Filters | None:
        """Return what the list of links is asked by for all of one customer; None where it cannot be."""
        return None

    # --- Deliveries: what the provider tells by itself. A hint to read, never more. ---

    @classmethod
    @optional
    def new_webhook_secret(cls) -> Secret:
        """Make up a secret that deliveries prove themselves with."""

    @classmethod
    @optional
    def webhook_is_genuine(cls, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret]) -> bool:
        """Tell whether a delivery was made by who knows one of the secrets; header names are in lower case.

        Takes the same time for a proof that is nearly right, and never raises for what a stranger sent.
        """

    @classmethod
    @optional
    def read_webhook(cls, body: bytes) -> WebhookHint:
        """Read what a delivery says. Raises ValueError if it is no message of the provider's."""

    @classmethod
    def webhook_key(cls, body: bytes) -> str:
        """Return what two deliveries of one message have in common: a digest, since no provider numbers them."""
        return sha256(body).hexdigest()

    @classmethod
    def _operation(cls, call: str) -> str:
        return f"{cls.kind}.{call}"

    @classmethod
    def _unsupported(cls, call: str) -> Unsupported:
        return Unsupported(Failure(cls._operation(call), reason="unsupported"))
