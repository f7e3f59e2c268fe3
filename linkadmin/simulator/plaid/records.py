"""Plaid's link tokens and visits to its hosted page. In memory only: anyone who has a token or URL can use it."""

import secrets
import uuid
from dataclasses import dataclass, field


@dataclass(slots=True)
class Visit:
    """One visit to the hosted page. `error` is set if the customer left after an error."""

    started_at: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    finished_at: str | None = None
    has_left: bool = False
    error: str = ""


@dataclass(slots=True)
class LinkToken:
    """A link token in update mode, with the hosted page it opens."""

    item_id: str
    client_name: str
    language: str
    countries: tuple[str, ...]
    created_at: str
    expires_at: str
    return_url: str = ""
    chooses_accounts: bool = False
    token: str = field(default_factory=lambda: f"link-sandbox-{uuid.uuid4()}")
    page: str = field(default_factory=lambda: f"lp{secrets.token_hex(16)}")
    visits: list[Visit] = field(default_factory=list)
