"""How events are chained: what is hashed, and with which key."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

GENESIS = "0" * 64
_DOMAIN = b"linkadmin-audit-v1"
FACTS = (
    "seq",
    "at",
    "actor_id",
    "actor",
    "actor_role",
    "action",
    "object_type",
    "object_id",
    "outcome",
    "operation_id",
    "request_id",
    "details",
)


def canonical_text(facts: Mapping[str, object]) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=instant_text)


def instant_text(instant: datetime) -> str:
    # Both databases store microseconds.
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def chained_hash(canonical: str, *, prev: str) -> str:
    return hashlib.sha256(_DOMAIN + canonical.encode() + prev.encode()).hexdigest()


def keyed_mac(event_hash: str, *, key: bytes) -> str:
    return hmac.new(key, event_hash.encode(), hashlib.sha256).hexdigest()


def audit_key() -> bytes:
    if not settings.AUDIT_KEY:
        raise ImproperlyConfigured("LINKADMIN_AUDIT_KEY isn't set. Nothing can be recorded, so nothing is allowed.")
    return str(settings.AUDIT_KEY).encode()
