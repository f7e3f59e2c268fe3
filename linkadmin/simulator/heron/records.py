"""Heron's records, and how often it fetches new data."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

ITEM_STATUSES = ("pending", "active", "syncing", "erroring", "sync_disabled", "deleted_in_plaid")
RESOURCES = (
    "transaction", "assets_report", "end_user_application", "invoice_factoring_processing", "end_user_files",
    "funder_decision",
)  # fmt: skip
PLAID_PULLS = timedelta(days=1)
PRACTICE_SECRET = "sec_sandbox_practice"  # noqa: S105 - what proves webhooks until something else is set


@dataclass(slots=True)
class HeronEndUser:
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
    """A link at Heron. At `settles_at` it takes the status and message in `settles_as`."""

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
    silent: bool = False  # stopped fetching new data, but its status says it works
    is_repaired: bool = False  # by its customer at Plaid, which the next refresh finds out
    source_enabled: bool = True  # its data source is included in analytics


@dataclass(slots=True)
class HeronIntegration:
    """A connector at Heron. Its client ID and secret are in memory only."""

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
        return f"{self.type}_assets_report" if self.resource == "assets_report" else f"{self.type}_integration"


@dataclass(slots=True)
class Webhook:
    """A subscription at Heron. Its headers are in memory only."""

    topic: str
    url: str
    is_enabled: bool = True
    heron_id: str = field(default_factory=lambda: f"wbh_{secrets.token_hex(11)}")
    headers: dict[str, str] | None = None
