"""Heron's webhooks and their signature.

No topic reports a link that works again or a new link. Only the data for end users is documented. For links and data
sources we guessed the same style: IDs and a status, so that the reader has to look up the rest.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from linkadmin.simulator.clock import without_zone

from .records import HeronEndUser, HeronLink

PAUSES = (60, 300, 900)  # seconds before each further attempt
SIGNATURE = "Heron-Signature"


@dataclass(frozen=True, slots=True)
class HeronEvent:
    """One event, with the ID it's about."""

    topic: str
    about: str
    data: Mapping[str, Any]

    def body(self, now: str) -> bytes:
        # This compact JSON is what Heron signs.
        payload = {"topic": self.topic, "created": f"{without_zone(now)}+00:00", "data": self.data, "meta": None}
        return json.dumps(payload, separators=(",", ":")).encode()


def signature(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def erroring(link: HeronLink) -> HeronEvent:
    data = {"item_id": link.item_id, "end_user_id": link.end_user_id, "status": link.status}
    return HeronEvent("integration_link.erroring", link.item_id, data)


def of_end_user(user: HeronEndUser, what: str) -> HeronEvent:
    data = {"heron_id": user.heron_id, "end_user_id": user.end_user_id, "status": user.status}
    return HeronEvent(f"end_user.{what}", user.end_user_id, data)


def of_source(link: HeronLink) -> HeronEvent:
    what = "enabled" if link.source_enabled else "disabled"
    data = {"heron_id": link.data_source_heron_id, "end_user_id": link.end_user_id, "status": link.status}
    return HeronEvent(f"data_source.{what}", link.data_source_heron_id, data)
