"""Verifies and parses webhooks: untrusted until a secret is proven, in constant time."""

import hmac
import re
from collections.abc import Iterable, Mapping

from .http.answer import IDENTIFIER, MAX_IDENTIFIER
from .http.redaction import clean
from .http.strict_json import parse
from .names import is_customer_id
from .reading import required_mapping
from .types import Secret

_MAX_TOPIC = 120  # characters
# IDs, types and times in both providers' payloads. Nobody sees any other key.
SHOWN_KEYS = frozenset(
    {
        "action",
        "consent_due_date",
        "consent_id",
        "created",
        "end_user_id",
        "error_code",
        "external_id",
        "first_transaction_date",
        "heron_id",
        "institution",
        "institution_display_name",
        "integration_id",
        "item_id",
        "last_transaction_date",
        "link_id",
        "process_type",
        "request_id",
        "status",
        "topic",
        "webhook_code",
        "webhook_id",
        "webhook_type",
    }
)
SHOWN_KEYS_WITH_NAMES = frozenset({"error_message", "name", "status_message"})


def octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def keys(secrets: Iterable[Secret]) -> list[bytes]:
    # Anybody could send an empty one.
    return [octets(secret.reveal()) for secret in secrets if secret]


def is_one_of(proof: bytes, good: Iterable[bytes]) -> bool:
    return any([hmac.compare_digest(proof, each) for each in good])  # noqa: C419 - all of them are compared


def message(body: bytes) -> Mapping[str, object]:
    return required_mapping(parse(body))


def topic(value: object) -> str:
    named = clean(value)[:_MAX_TOPIC] if isinstance(value, str) else ""
    if not named:
        raise ValueError("a message that does not say what it is about")
    return named


def identifier(value: object) -> str:
    fits = isinstance(value, str) and len(value) <= MAX_IDENTIFIER and re.fullmatch(IDENTIFIER, value)
    return str(value) if fits else ""


def customer_id(value: object) -> str:
    return value if isinstance(value, str) and is_customer_id(value) else ""
