"""What the two providers keep, and how often each fetches new data by itself."""

import secrets
import uuid
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from .drill import Ask

BELVO_ACCOUNT = "bcef7f35-67f2-4b19-b009-cb38795faf09"  # the account user that all links are created by
LINK_STATUSES = ("valid", "invalid", "unconfirmed", "token_required")
ITEM_STATUSES = ("pending", "active", "syncing", "erroring", "sync_disabled", "deleted_in_plaid")
RESOURCES = (
    "transaction", "assets_report", "end_user_application", "invoice_factoring_processing", "end_user_files",
    "funder_decision",
)  # fmt: skip
CONSENT_STATUSES = (
    "AUTHORISED", "AWAITING_AUTHORISATION", "AWAITING_AUTHORISATION_CONFIRMATION", "REJECTED", "EXPIRED",
)  # fmt: skip
REFRESH_RATES = {
    "6h": timedelta(hours=6),
    "12h": timedelta(hours=12),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
PLAID_PULLS = timedelta(days=1)
# What proves webhooks until something else is set.
PRACTICE_AUTHORIZATION = "Bearer belvo-sandbox-practice"
PRACTICE_SECRET = "sec_sandbox_practice"  # noqa: S105


@dataclass(slots=True)
class BelvoLink:
    """A link at Belvo. The last three fields are never shown by the API."""

    institution: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    access_mode: str = "recurrent"
    last_accessed_at: str | None = None
    created_at: str = ""
    external_id: str | None = None
    institution_user_id: str | None = None
    status: str = "valid"
    created_by: str = BELVO_ACCOUNT
    refresh_rate: str | None = "7d"
    credentials_storage: str | None = "store"
    fetch_resources: list[str] = field(default_factory=list)
    stale_in: str | None = "365d"
    refusals: int = 0  # wrong passwords in a row
    refreshed_at: str | None = None
    silent: bool = False  # it stopped fetching new data, and says that it works


@dataclass(slots=True)
class LoginAttempt:
    """A login that waits for a code. Kept in memory only: a restart of the simulator ends it."""

    session: str
    link_id: str
    ask: Ask
    expires_at: float
    as_array: bool
    registering: bool
    wrong_codes: int = 0


@dataclass(slots=True)
class EndUser:
    end_user_id: str
    heron_id: str = field(default_factory=lambda: f"eus_{secrets.token_hex(11)}")
    name: str | None = None
    status: str = "new"
    is_portfolio: bool = False
    created: str = ""
    last_updated: str = ""
    last_processed_at: str | None = None
    meta: dict[str, str] | None = None


@dataclass(slots=True)
class HeronLink:
    """A link at Heron. With `settles_at` it takes the status and message of `settles_as` at that moment."""

    item_id: str
    end_user_id: str
    integration: str = "itg_sandbox_transactions"
    status: str = "active"
    status_message: str | None = None
    created: str = ""
    last_updated: str = ""
    last_successful_sync: str | None = None
    type: str = ""
    data_source_heron_id: str = field(default_factory=lambda: f"dso_{secrets.token_hex(11)}")
    settles_at: str | None = None
    settles_as: tuple[str, str | None] = ("active", None)
    silent: bool = False  # it stopped fetching new data, and says that it works
    source_enabled: bool = True  # its data source takes part in the analytics


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
class BelvoWebhook:
    """The one address that Belvo tells everything to, set in its dashboard; an empty one is none. In memory only."""

    url: str = ""
    authorization: str = PRACTICE_AUTHORIZATION
    webhook_id: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(slots=True)
class Consent:
    """The permission behind a link of open finance; without `expired_at` it never ends."""

    link: str
    status: str = "AUTHORISED"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = ""
    expired_at: str | None = None


def as_dict(record: Any, hidden: Container[str] = ()) -> dict[str, Any]:
    """Return the fields of a record in order, except for the hidden ones."""
    return {name: getattr(record, name) for name in record.__slots__ if name not in hidden}
