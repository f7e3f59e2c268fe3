"""Belvo's records, and how often it fetches new data."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from linkadmin.simulator.outcomes import Ask

BELVO_ACCOUNT = "bcef7f35-67f2-4b19-b009-cb38795faf09"  # the account user that created all links
LINK_STATUSES = ("valid", "invalid", "unconfirmed", "token_required")
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
PRACTICE_AUTHORIZATION = "Bearer belvo-sandbox-practice"  # authenticates webhooks unless something else is set


@dataclass(slots=True)
class BelvoLink:
    """The API never shows the last three fields."""

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
    silent: bool = False  # stopped fetching new data, but its status says it works


@dataclass(slots=True)
class LoginAttempt:
    """A sign-in that waits for a code. In memory only: a restart of the simulator ends it."""

    session: str
    link_id: str
    ask: Ask
    expires_at: float
    as_array: bool
    registering: bool
    wrong_codes: int = 0


@dataclass(slots=True)
class WidgetVisit:
    """What an access token of the widget was created for, and how far the customer is. In memory only."""

    link_id: str
    callback_urls: Mapping[str, str]  # for success, exit and event; any may be missing
    expires_at: float
    is_used: bool = False  # the customer has connected
    is_identified: bool = False  # open finance: the customer has entered their document number
    challenge: dict[str, Any] | None = None  # as in the API
    was_wrong_code: bool = False
    error_code: str = ""  # of the last rejected sign-in
    error_message: str = ""


@dataclass(slots=True)
class PortalVisit:
    """A person in the consent portal, with the links whose consents are theirs. In memory only."""

    link_ids: list[str]
    expires_at: float
    is_confirmed: bool = False  # by a sign-in at a bank


@dataclass(slots=True)
class Consent:
    """The consent of an open finance link; without `expired_at` it never ends."""

    link: str
    status: str = "AUTHORISED"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = ""
    expired_at: str | None = None
