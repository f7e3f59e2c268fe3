"""Parses Plaid's responses and errors. Its codes decide, not the HTTP status.

https://plaid.com/docs/api/link/ and https://plaid.com/docs/errors/
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from linkadmin.providers.errors import (
    Busy,
    Failure,
    InvalidInput,
    KeysRejected,
    NewConnectionNeeded,
    NotFound,
    ProviderError,
    Rejected,
    forbidden,
)
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.reading import mapping, mappings, moment, required_mapping
from linkadmin.providers.records import RemoteSession, SessionEnd, SessionResult, WebhookKey
from linkadmin.providers.types import Secret

ERRORS: Mapping[str, type[ProviderError]] = {
    "INVALID_API_KEYS": KeysRejected,
    "UNAUTHORIZED_ENVIRONMENT": KeysRejected,
    "UNAUTHORIZED_ROUTE_ACCESS": KeysRejected,
    "INVALID_LINK_TOKEN": NotFound,
    "INVALID_WEBHOOK_VERIFICATION_KEY_ID": NotFound,
    "INVALID_ACCESS_TOKEN": InvalidInput,
    "INVALID_FIELD": InvalidInput,
    "MISSING_FIELDS": InvalidInput,
    "INVALID_BODY": InvalidInput,
    "ITEM_NOT_FOUND": NewConnectionNeeded,
    "ITEM_NOT_SUPPORTED": NewConnectionNeeded,
    "INSTITUTION_NO_LONGER_SUPPORTED": NewConnectionNeeded,
    "PRODUCTS_NOT_SUPPORTED": NewConnectionNeeded,
    "USER_PERMISSION_REVOKED": NewConnectionNeeded,
}
_KEY_PARTS = ("alg", "crv", "kid", "kty", "use", "x", "y")


def session(answer: Answer) -> RemoteSession:
    data = required_mapping(answer.data)
    url, token, expires_at = data.get("hosted_link_url"), data.get("link_token"), moment(data.get("expiration"))
    if not isinstance(url, str) or not url or expires_at is None:
        raise ValueError("a session without a URL or an end")
    return RemoteSession(Secret(url), Secret(token if isinstance(token, str) else ""), expires_at, answer.request_id)


def session_result(answer: Answer) -> SessionResult:
    """The latest visit counts, because a URL may be opened again after a visit that was left."""
    visits = mappings(required_mapping(answer.data).get("link_sessions"))
    if not visits:
        return SessionResult(request_id=answer.request_id)
    latest = max(visits, key=lambda visit: str(visit.get("started_at") or ""))
    left = latest.get("exit")
    is_over = moment(latest.get("finished_at")) is not None
    return SessionResult(
        is_started=True,
        end=(SessionEnd.LEFT if isinstance(left, dict) else SessionEnd.FINISHED) if is_over else None,
        code=answer.words(mapping(mapping(left).get("error")).get("error_code"), limit=80),
        session_id=answer.identifier(latest.get("link_session_id")),
        request_id=answer.request_id,
    )


def item_id(answer: Answer) -> str:
    found = answer.identifier(required_mapping(required_mapping(answer.data).get("item")).get("item_id"))
    if not found:
        raise ValueError("an item without its ID")
    return found


def webhook_key(answer: Answer, *, key_id: str = "") -> WebhookKey:
    key = required_mapping(required_mapping(answer.data).get("key"))
    parts = {name: key.get(name) for name in _KEY_PARTS}
    if not all(isinstance(part, str) for part in parts.values()) or parts["kid"] != key_id:
        raise ValueError("not the key that was asked for")
    return WebhookKey(json.dumps(parts), is_expired=key.get("expired_at") is not None)


def refusal(operation: str, answer: Answer) -> ProviderError:
    body = mapping(answer.data)
    code = answer.term(body.get("error_code"), ERRORS)
    failure = Failure(
        operation,
        status=answer.status,
        code=code,
        words=answer.words(body.get("display_message")) or answer.words(body.get("error_message")),
        request_id=answer.request_id,
        retry_after=answer.retry_after,
        body=answer.body,
    )
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Busy(failure)
    if answer.status == HTTPStatus.FORBIDDEN and code not in ERRORS:
        return forbidden(failure, names_reason=False)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return KeysRejected(failure)
    return ERRORS.get(code, Rejected)(failure)
