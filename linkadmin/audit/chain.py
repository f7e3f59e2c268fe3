"""How events are chained: what is hashed, and with which key."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

GENESIS = "0" * 64
_DOMAIN = b"linkadmin-audit-v1"


def instant_text(instant: datetime) -> str:
    # Both databases store microseconds.
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=instant_text)


def canonical_text(facts: Mapping[str, object]) -> str:
    return _encoder.encode(facts)


def chained_hash(canonical: str, *, prev: str) -> str:
    return hashlib.sha256(_DOMAIN + canonical.encode() + prev.encode()).hexdigest()


def keyed_mac(event_hash: str, *, key: bytes) -> str:
    mac = _mac_with(key).copy()
    mac.update(event_hash.encode())
    return mac.hexdigest()


@lru_cache(8)
def _mac_with(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=hashlib.sha256)


def audit_key() -> bytes:
    if not settings.AUDIT_KEY:
        raise ImproperlyConfigured("LINKADMIN_AUDIT_KEY isn't set. Nothing can be recorded, so nothing is allowed.")
    return str(settings.AUDIT_KEY).encode()
