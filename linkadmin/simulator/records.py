"""What the providers keep besides links and end users: integrations, webhooks, consents."""

import secrets
import uuid
from dataclasses import dataclass, field

RESOURCES = (
    "transaction", "assets_report", "end_user_application", "invoice_factoring_processing", "end_user_files",
    "funder_decision",
)  # fmt: skip
CONSENT_STATUSES = (
    "AUTHORISED", "AWAITING_AUTHORISATION", "AWAITING_AUTHORISATION_CONFIRMATION", "REJECTED", "EXPIRED",
)  # fmt: skip


@dataclass(slots=True)
class Integration:
    """A connector at Heron. Its client id and secret live in memory only."""

    name: str
    resource: str
    type: str = "plaid"
    heron_id: str = field(default_factory=lambda: f"itg_{secrets.token_hex(11)}")
    base_url: str | None = None
    webhook_url: str | None = None
    client_id: str | None = None
    client_secret: str | None = None

    @property
    def link_type(self) -> str:
        """The type that its links inherit."""
        return f"{self.type}_assets_report" if self.resource == "assets_report" else f"{self.type}_integration"


@dataclass(slots=True)
class Webhook:
    """A subscription at Heron. Its headers live in memory only."""

    topic: str
    url: str
    is_enabled: bool = True
    heron_id: str = field(default_factory=lambda: f"wbh_{secrets.token_hex(11)}")
    headers: dict[str, str] | None = None


@dataclass(slots=True)
class Consent:
    """The permission behind a link of open finance; without `expired_at` it never ends."""

    link: str
    status: str = "AUTHORISED"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = ""
    expired_at: str | None = None
