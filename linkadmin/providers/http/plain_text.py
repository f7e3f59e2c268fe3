"""Reads a text from a service of its own setting, under the same rules as calls to providers. No retries."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from .addresses import InvalidBaseUrl, check_base_url
from .admission import ADDRESS_REFUSED
from .deadline import DeadlineConnection
from .exchange import CLIENT_HEADERS, exchange, reason_of


class NotRead(Exception):
    """There's no text. Says why, and nothing about what was asked for."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_service_url(url: str, *, allow_loopback: bool) -> None:
    """Raises InvalidBaseUrl. Its host is as the setting says, so any is allowed."""
    check_base_url(url, {urlsplit(url).hostname or ""}, allow_loopback)


def read_text(
    base_url: str,
    path: str,
    *,
    headers: Mapping[str, str],
    seconds: float,
    allow_loopback: bool,
    form: Mapping[str, str] | None = None,
) -> str:
    """Post the form, if there is one. Raises NotRead, outside of except blocks, so that no other error is attached."""
    text, reason = "", ""
    try:
        check_service_url(base_url, allow_loopback=allow_loopback)
        with DeadlineConnection(seconds=seconds, allow_loopback=allow_loopback) as connection:
            text, reason = _exchanged(connection, base_url.rstrip("/") + path, headers, form)
    except InvalidBaseUrl:
        reason = ADDRESS_REFUSED
    if reason:
        raise NotRead(reason)
    return text


def _exchanged(
    connection: DeadlineConnection, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
) -> tuple[str, str]:
    """Return the text, or why there is none."""
    method = "GET" if form is None else "POST"
    request = requests.Request(method, url, headers={**CLIENT_HEADERS, **headers}, data=form).prepare()
    try:
        received = exchange(connection, request)
        return (received.body.decode(), "") if received.status == 200 else ("", f"status {received.status}")
    except UnicodeDecodeError:
        return "", "unreadable"
    except Exception as error:  # noqa: BLE001 - callers only get our error
        return "", reason_of(error, connection)
