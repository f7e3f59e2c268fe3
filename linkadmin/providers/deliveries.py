"""What a stranger posts to us in a provider's name: proofs compared in constant time, words read with care."""

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
# Ids, kinds and times, as both providers name them. What is not here is shown to nobody.
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
    """Return the bytes of any text, also of one that is no valid Unicode."""
    return text.encode("utf-8", "surrogatepass")


def keys(secrets: Iterable[Secret]) -> list[bytes]:
    """Return the secrets as bytes. An empty one is none: anybody knows it."""
    return [octets(secret.reveal()) for secret in secrets if secret]


def is_one_of(proof: bytes, good: Iterable[bytes]) -> bool:
    """Compare a proof with each good one, in a time that tells nothing about either."""
    return any([hmac.compare_digest(proof, each) for each in good])  # noqa: C419 - all of them are compared


def message(body: bytes) -> Mapping[str, object]:
    """Return the object that a body holds. Raises ValueError for anything else."""
    return required_mapping(parse(body))


def topic(value: object) -> str:
    """Return what a message names itself, cleaned. Raises ValueError if it has no name."""
    named = clean(value)[:_MAX_TOPIC] if isinstance(value, str) else ""
    if not named:
        raise ValueError("a message that does not say what it is about")
    return named


def identifier(value: object) -> str:
    """Return an id of the provider's; empty if it cannot be one."""
    fits = isinstance(value, str) and len(value) <= MAX_IDENTIFIER and re.fullmatch(IDENTIFIER, value)
    return str(value) if fits else ""


def customer_id(value: object) -> str:
    """Return an ID of a customer, byte for byte; empty if it can be none."""
    return value if isinstance(value, str) and is_customer_id(value) else ""
