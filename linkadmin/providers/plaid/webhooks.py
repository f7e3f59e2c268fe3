"""Plaid's webhooks: verification, and what each is about.

https://plaid.com/docs/api/webhooks/webhook-verification/
"""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jwt

from linkadmin.providers import deliveries
from linkadmin.providers.reading import mapping, moment
from linkadmin.providers.records import WebhookHint, WebhookKind
from linkadmin.providers.types import Secret

ALGORITHM = "ES256"
LATEST = 5 * 60  # seconds after Plaid signed it
CLOCKS_APART = 60  # seconds, at most, that Plaid's clock is ahead of ours

# (webhook_type, webhook_code) -> kind.
EVENTS: Mapping[tuple[str, str], WebhookKind] = {
    ("ITEM", "ERROR"): WebhookKind.LINK_TROUBLE,
    ("ITEM", "LOGIN_REPAIRED"): WebhookKind.LINK_REPAIRED,
    ("ITEM", "PENDING_EXPIRATION"): WebhookKind.CONSENT_ENDING,
    ("ITEM", "PENDING_DISCONNECT"): WebhookKind.CONSENT_ENDING,
    ("ITEM", "USER_PERMISSION_REVOKED"): WebhookKind.CONSENT_ENDED,
    ("ITEM", "USER_ACCOUNT_REVOKED"): WebhookKind.CONSENT_CHANGED,
    ("ITEM", "NEW_ACCOUNTS_AVAILABLE"): WebhookKind.CONSENT_CHANGED,
    ("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE"): WebhookKind.DATA_ARRIVED,
    ("LINK", "SESSION_FINISHED"): WebhookKind.SESSION_ENDED,
}
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECRETS = ("link_token", "public_token", "public_tokens")


def key_id(headers: Mapping[str, str], body: bytes) -> str:
    try:
        token = headers.get("plaid-verification", "")
        header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return ""
    said = header.get("kid")
    is_plausible = header.get("alg") == ALGORITHM and _fits(claims, body)
    return said if is_plausible and isinstance(said, str) and _KEY_ID.fullmatch(said) else ""


def is_genuine(headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret]) -> bool:
    """The secrets are public keys, as JSON."""
    named = key_id(headers, body)
    return bool(named) and any([_is_signed(headers["plaid-verification"], body, named, key) for key in secrets])  # noqa: C419 - all of them are tried


def _is_signed(token: str, body: bytes, named: str, key: Secret) -> bool:
    try:
        public = jwt.PyJWK.from_json(key.reveal(), algorithm=ALGORITHM)
        # The times are compared below: the library's own check of `iat` has no age.
        claims = jwt.decode(token, public, algorithms=[ALGORITHM], options={"verify_iat": False})
    except (jwt.PyJWTError, ValueError):
        return False
    return public.key_id == named and _fits(claims, body)


def _fits(claims: Mapping[str, Any], body: bytes) -> bool:
    issued_at, digest = claims.get("iat"), claims.get("request_body_sha256")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float) or not isinstance(digest, str):
        return False
    is_recent = -CLOCKS_APART <= time.time() - issued_at <= LATEST
    return is_recent and hmac.compare_digest(deliveries.octets(digest), hashlib.sha256(body).hexdigest().encode())


def read(body: bytes) -> WebhookHint:
    said = deliveries.message(body)
    event = deliveries.topic(said.get("webhook_type")), deliveries.topic(said.get("webhook_code"))
    token = said.get("link_token")
    return WebhookHint(
        kind=EVENTS.get(event, WebhookKind.UNKNOWN),
        topic=" ".join(event),
        known=event in EVENTS,
        remote_link_id=deliveries.identifier(said.get("item_id")),
        request_id=deliveries.identifier(said.get("link_session_id"))
        or deliveries.identifier(mapping(said.get("error")).get("request_id")),
        created_at=moment(said.get("timestamp")),
        session=Secret(token) if isinstance(token, str) and token else None,
    )


def secrets_in(body: bytes) -> tuple[Secret, ...]:
    """The tokens in a webhook. Anyone who has one could use it."""
    said = deliveries.message(body)
    found = [said.get(name) for name in _SECRETS]
    texts = [text for value in found for text in (value if isinstance(value, list) else [value])]
    return tuple(Secret(text) for text in texts if isinstance(text, str) and text)
