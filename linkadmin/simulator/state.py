"""The world of the simulator: what the two providers know. One lock guards it, and nobody sleeps while holding it."""

import base64
import hashlib
import hmac
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field

from .clock import Clock, iso, seconds
from .drill import Ask, Kind
from .heron_drill import SETTLES_AFTER
from .institutions import INSTITUTIONS, Institution
from .wire import ConnectionCut

BELVO_ACCOUNT = "bcef7f35-67f2-4b19-b009-cb38795faf09"  # the account user that all links are created by
LINK_STATUSES = ("valid", "invalid", "unconfirmed", "token_required")
ITEM_STATUSES = ("pending", "active", "syncing", "erroring", "sync_disabled", "deleted_in_plaid")
INTEGRATIONS = {
    "itg_sandbox_transactions": {"name": "Plaid sandbox, transactions", "resource": "transaction"},
    "itg_sandbox_assets": {"name": "Plaid sandbox, asset reports", "resource": "assets_report"},
}
LINK_TYPES = {"transaction": "plaid_integration", "assets_report": "plaid_assets_report"}


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
    kind: Kind
    lifetime: int  # seconds
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


class World:
    """Everything the two providers know, and the clock they look at."""

    def __init__(self, clock: Clock = time.time) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.changed = threading.Event()
        self.stopping = threading.Event()
        self.renewed_at = 0.0  # seconds since 1970
        self.salt = secrets.token_hex(16)
        self.institutions: dict[str, Institution] = {name: dict(bank) for name, bank in INSTITUTIONS.items()}
        self.belvo_links: dict[str, BelvoLink] = {}
        self.attempts: dict[str, LoginAttempt] = {}
        self.end_users: dict[str, EndUser] = {}
        self.heron_links: dict[str, HeronLink] = {}

    def now(self) -> str:
        return iso(self.clock())

    def wait(self, delay: int) -> None:
        """Let `delay` seconds pass, as a slow bank does. Raises ConnectionCut when the server stops meanwhile."""
        if delay and self.stopping.wait(delay):
            raise ConnectionCut

    def save(self) -> None:
        """Note that something worth keeping has changed."""
        self.changed.set()

    def institution_user_id(self, institution: str, username: str) -> str:
        """Name a person at an institution by a salted digest: 44 characters, and no way back to the username."""
        person = f"{institution}\n{username}".encode()
        return base64.urlsafe_b64encode(hmac.digest(bytes.fromhex(self.salt), person, hashlib.sha256)).decode()

    def twin(self, institution_user_id: str) -> BelvoLink | None:
        """Find the finished link of the same person at the same institution."""
        same = (link for link in self.belvo_links.values() if link.institution_user_id == institution_user_id)
        return next((link for link in same if link.status != "unconfirmed"), None)

    def open_attempt(self, link: BelvoLink, ask: Ask, *, as_array: bool, registering: bool) -> LoginAttempt:
        """Start to wait for a code; an older attempt of the same link is void."""
        self.drop_attempts(link.id)
        attempt = LoginAttempt(
            session=secrets.token_hex(16),
            link_id=link.id,
            kind=ask.kind,
            lifetime=ask.lifetime,
            expires_at=self.clock() + ask.lifetime,
            as_array=as_array,
            registering=registering,
        )
        self.attempts[attempt.session] = attempt
        return attempt

    def drop_attempts(self, link_id: str) -> None:
        self.attempts = {session: kept for session, kept in self.attempts.items() if kept.link_id != link_id}

    def end_user(self, key: str) -> EndUser | None:
        """Find an end user by either of its ids."""
        if key in self.end_users:
            return self.end_users[key]
        return next((user for user in self.end_users.values() if user.heron_id == key), None)

    def settled_links(self) -> list[HeronLink]:
        """All links of Heron, those that were due in the status they were to take."""
        for link in self.heron_links.values():
            if link.settles_at and seconds(link.settles_at) <= self.clock():
                self._settle(link, link.settles_at)
        return list(self.heron_links.values())

    def _settle(self, link: HeronLink, moment: str) -> None:
        link.status, link.status_message = link.settles_as
        link.last_updated, link.settles_at = moment, None
        if link.status == "active":
            link.last_successful_sync = moment
        self.save()

    def settle_later(self, link: HeronLink, status: str, message: str | None) -> None:
        link.settles_at = iso(self.clock() + SETTLES_AFTER)
        link.settles_as = (status, message)
