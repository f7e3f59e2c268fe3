"""Plaid's webhooks, signed with a key of this process.

https://plaid.com/docs/api/webhooks/webhook-verification/
"""

import hashlib
import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from linkadmin.simulator.heron.records import HeronLink

from .records import LinkToken, Visit

PAUSES = (30, 120, 480, 1920, 7680, 30720)  # seconds before each further attempt
VERIFICATION = "Plaid-Verification"
FIRED = ("ERROR", "LOGIN_REPAIRED", "NEW_ACCOUNTS_AVAILABLE", "PENDING_DISCONNECT", "USER_PERMISSION_REVOKED")
_CODE = re.compile(r"\[([A-Z_]+)\]\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PlaidEvent:
    """One event, with the ID it's about."""

    kind: str
    code: str
    about: str
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        return f"{self.kind} {self.code}"

    @property
    def body(self) -> bytes:
        # Plaid's indentation is part of what it signs.
        payload = {"webhook_type": self.kind, "webhook_code": self.code, "environment": "sandbox", **self.more}
        return json.dumps(payload, indent=2).encode()


class SigningKey:
    """The key that signs webhooks. Its public half is what `/webhook_verification_key/get` returns."""

    def __init__(self) -> None:
        self.kid = str(uuid.uuid4())
        self.created_at = int(time.time())
        self.expired_at: int | None = None

    @cached_property
    def _private(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    def sign(self, body: bytes) -> str:
        # The wall clock, as the receiver's: time travel moves only what the providers' records say.
        claims = {"iat": int(time.time()), "request_body_sha256": hashlib.sha256(body).hexdigest()}
        return jwt.encode(claims, self._private, algorithm="ES256", headers={"kid": self.kid})

    def public(self) -> dict[str, Any]:
        parts = ECAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        times = {"created_at": self.created_at, "expired_at": self.expired_at}
        return {**parts, "alg": "ES256", "use": "sig", "kid": self.kid, **times}


def about_item(item_id: str, code: str, **more: Any) -> PlaidEvent:
    return PlaidEvent("ITEM", code, item_id, {"item_id": item_id, **more})


def failed(link: HeronLink) -> PlaidEvent:
    return about_item(link.item_id, "ERROR", error={**error_of(link.status_message), "status": 400})


def session_finished(link_token: LinkToken, visit: Visit) -> PlaidEvent:
    more: dict[str, Any] = {
        "status": "EXITED" if visit.has_left else "SUCCESS",
        "link_session_id": visit.id,
        "link_token": link_token.token,
        "public_tokens": [],
    }
    return PlaidEvent("LINK", "SESSION_FINISHED", link_token.item_id, more)


def error_of(message: str | None) -> dict[str, Any]:
    found = _CODE.fullmatch(message or "")
    code, words = found.groups() if found else ("INTERNAL_SERVER_ERROR", "unexpected")
    return {"error_type": "ITEM_ERROR", "error_code": code, "error_message": words, "display_message": None}
