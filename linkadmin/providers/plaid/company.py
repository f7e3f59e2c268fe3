"""The company's own endpoint for repair pages: it has the access tokens, so that we never see one.

docs/plaid.md has the contract.
"""

import hmac
import json
import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from linkadmin.providers.errors import Failure, NewConnectionNeeded, NotFound, ProviderError, Rejected
from linkadmin.providers.http.addresses import check_base_url
from linkadmin.providers.http.admission import Admission
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.http.client import HttpClient, Message
from linkadmin.providers.http.retries import Backoff, RetryPolicy
from linkadmin.providers.records import RemoteSession
from linkadmin.providers.types import NewSession, Secret

from . import answers

TIMESTAMP, SIGNATURE = "Linkadmin-Timestamp", "Linkadmin-Signature"
SECONDS = 10.0
LARGEST = 64 * 1024  # bytes of a response
REFUSALS = {HTTPStatus.NOT_FOUND: NotFound, HTTPStatus.CONFLICT: NewConnectionNeeded}


def check_url(url: str, *, allow_loopback: bool) -> None:
    """Raises InvalidBaseUrl."""
    check_base_url(_origin(url), {_host(url)}, allow_loopback)


def create_session(
    url: str,
    secret: Secret,
    new_session: NewSession,
    *,
    operation: str,
    admission: Admission,
    allow_loopback: bool,
    backoff: Backoff | None,
) -> RemoteSession:
    client = HttpClient(
        _origin(url),
        allowed_hosts={_host(url)},
        allow_loopback=allow_loopback,
        keys=(secret,),
        admission=admission,
        backoff=backoff,
        largest=LARGEST,
    )
    return client.call(
        operation,
        _message(url, secret, new_session, now=time.time),
        deadline=SECONDS,
        read=answers.session,
        refuse=lambda answer: _refusal(operation, answer),
        rate=lambda _answer, _error: None,
        policy=RetryPolicy.READ,
    )


def _message(url: str, secret: Secret, new_session: NewSession, *, now: Callable[[], float]) -> Message:
    asked = {
        "item_id": new_session.item_id,
        "reference": new_session.reference,
        "language": new_session.language,
        "url_lifetime_seconds": new_session.seconds,
        "completion_redirect_uri": new_session.return_url,
        "account_selection_enabled": new_session.choose_accounts,
    }
    body, timestamp = json.dumps(asked).encode(), str(int(now()))
    digest = hmac.digest(secret.reveal().encode(), timestamp.encode() + b"." + body, "sha256").hex()
    return Message("POST", _path(url), body=body, headers={TIMESTAMP: timestamp, SIGNATURE: f"v1={digest}"})


def _refusal(operation: str, answer: Answer) -> ProviderError:
    # Its words aren't shown: whoever runs it reads them in its own log.
    failure = Failure(operation, status=answer.status, reason="company_endpoint", body=answer.body)
    return REFUSALS.get(HTTPStatus(answer.status), Rejected)(failure)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
