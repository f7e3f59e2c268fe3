"""Requests to the company's own endpoints: each is signed with a secret that both sides have."""

import hmac
import json
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from linkadmin.providers.types import Secret

from .addresses import check_base_url
from .client import Message

TIMESTAMP, SIGNATURE = "Linkadmin-Timestamp", "Linkadmin-Signature"
SECONDS = 10.0
LARGEST = 64 * 1024  # bytes of a response


def check_url(url: str, *, allow_loopback: bool) -> None:
    """Raises InvalidBaseUrl."""
    check_base_url(origin_of(url), {host_of(url)}, allow_loopback)


def signed(url: str, secret: Secret, content: Mapping[str, object]) -> Message:
    """HMAC-SHA256 over the time, a period, and the body."""
    body, timestamp = json.dumps(content).encode(), str(int(time.time()))
    digest = hmac.digest(secret.reveal().encode(), timestamp.encode() + b"." + body, "sha256").hex()
    return Message("POST", _path(url), body=body, headers={TIMESTAMP: timestamp, SIGNATURE: f"v1={digest}"})


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
