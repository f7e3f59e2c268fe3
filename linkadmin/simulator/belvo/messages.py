"""Belvo's webhooks: the documented envelope and the data of each event.

No event says "valid again"; only new data shows it. We guessed the counts of new data and of resources other than
accounts, owners, bills and transactions, and the data of `token_required` and `link_deleted`.
All have the same `webhook_id`, the stricter of two readings of the documentation.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from linkadmin.simulator.clock import iso, seconds

from .institutions import Institution
from .records import BelvoLink, Consent

PAUSES = (60, 120, 180, 240, 300)  # seconds before each further attempt; documented as linear, the length is ours
HISTORICAL, RECURRENT = "historical_update", "recurrent_update"
LOADED_BY_DEFAULT = 3  # resources
YEAR = 365 * 86_400  # seconds
COUNTS: Mapping[str, Mapping[str, int]] = {
    "ACCOUNTS": {"total_accounts": 2},
    "OWNERS": {"total_owners": 1},
    "BILLS": {"total_bills": 12},
    "TRANSACTIONS": {
        "total_transactions": 120,
        "total_inflow_transactions": 40,
        "total_outflow_transactions": 80,
    },
}
TROUBLES = {
    "invalid": (
        "invalid_credentials",
        {
            "error_code": "login_error",
            "error_message": "Invalid credentials provided to login to the institution",
            "status": 400,
        },
    ),
    "token_required": (
        "token_required",
        {
            "error_code": "token_required",
            "error_message": "A MFA token is required by the institution to login",
            "status": 428,
        },
    ),
}


def _request_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class BelvoEvent:
    """An event of a link. Without `process` or `request_id` the payload lacks that key."""

    type: str
    code: str
    link: BelvoLink
    data: Mapping[str, Any]
    process: str = ""
    request_id: str = field(default_factory=_request_id)

    @property
    def topic(self) -> str:
        return f"{self.type} {self.code}"

    def body(self, webhook_id: str) -> bytes:
        process = {"process_type": self.process} if self.process else {}
        request = {"request_id": str(uuid.UUID(self.request_id))} if self.request_id else {}  # dashes as in samples
        payload = {
            "webhook_id": webhook_id,
            "webhook_type": self.type,
            **process,
            "webhook_code": self.code,
            "link_id": self.link.id,
            **request,
            "external_id": self.link.external_id,
            "data": self.data,
        }
        return json.dumps(payload, ensure_ascii=False).encode()


def loaded(link: BelvoLink, bank: Institution, request_id: str = "") -> list[BelvoEvent]:
    """History of each resource was loaded: after a first load, a refresh, or a successful update."""
    request = request_id or _request_id()
    return [
        BelvoEvent(resource, HISTORICAL, link, _total(link, resource), HISTORICAL, request)
        for resource in _resources(link, bank)
    ]


def found_more(link: BelvoLink, bank: Institution) -> BelvoEvent:
    resources = _resources(link, bank)
    resource = "TRANSACTIONS" if "TRANSACTIONS" in resources else resources[0]
    name = resource.lower()
    return BelvoEvent(resource, f"new_{name}_available", link, {f"new_{name}": 7}, RECURRENT)


def refused(link: BelvoLink, process: str = RECURRENT, request_id: str = "") -> list[BelvoEvent]:
    if link.status not in TROUBLES:
        return []
    code, data = TROUBLES[link.status]
    return [BelvoEvent("LINK", code, link, data, process, request_id or _request_id())]


def removed(link: BelvoLink, request_id: str) -> BelvoEvent:
    """An asynchronous removal finished."""
    return BelvoEvent("LINK", "link_deleted", link, {}, request_id=request_id)


def of_consent(link: BelvoLink, bank: Institution, consent: Consent, *, ended: bool) -> BelvoEvent:
    what = "expired" if ended else "about_to_expire"
    due = {} if ended else {"consent_due_date": f"{(consent.expired_at or '')[:23]}Z"}  # milliseconds, as in samples
    data = {
        "consent_id": consent.id,
        **due,
        "action": "renew",
        "institution": bank["name"],
        "institution_display_name": bank["display_name"],
        "institution_icon_logo": bank["icon_logo"],
    }
    return BelvoEvent("CONSENT", f"openfinance_consent_{what}", link, data, RECURRENT, request_id="")


def _resources(link: BelvoLink, bank: Institution) -> list[str]:
    return link.fetch_resources or bank["resources"][:LOADED_BY_DEFAULT]


def _total(link: BelvoLink, resource: str) -> Mapping[str, Any]:
    counts = COUNTS.get(resource, {f"total_{resource.lower()}": 1})
    if resource != "TRANSACTIONS":
        return counts
    last = (link.last_accessed_at or link.created_at)[:10]
    return {**counts, "first_transaction_date": iso(seconds(last) - YEAR)[:10], "last_transaction_date": last}
