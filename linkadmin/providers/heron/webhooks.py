"""Heron's webhooks: verification, and what each is about.

https://docs.herondata.io/api-reference/webhooks
"""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from linkadmin.providers import deliveries
from linkadmin.providers.messages import gettext_noop as _
from linkadmin.providers.reading import mapping, moment
from linkadmin.providers.records import WebhookHint, WebhookKind
from linkadmin.providers.types import CredentialField, FieldKind, Secret

TOPICS: Mapping[str, WebhookKind] = {
    "integration_link.erroring": WebhookKind.LINK_TROUBLE,
    "data_source.enabled": WebhookKind.SOURCE_SWITCHED,
    "data_source.disabled": WebhookKind.SOURCE_SWITCHED,
    "end_user.created": WebhookKind.CUSTOMER_CHANGED,
    "end_user.processed": WebhookKind.CUSTOMER_CHANGED,
    "end_user.failed": WebhookKind.CUSTOMER_CHANGED,
    "end_user.transactions_updated": WebhookKind.DATA_ARRIVED,
}

FIELDS = (
    CredentialField(
        "secret",
        _("Webhook secret"),
        FieldKind.PASSWORD,
        secret=True,
        pattern=r"^sec_[!-~]{12,}$",
        pattern_message=_("A webhook secret starts with sec_. It isn't the API key."),
        placeholder="sec_…",
        help_text=_("Heron issues this secret and signs every delivery with it."),
        max_length=200,
    ),
)

_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{43}=")


def is_genuine(headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret]) -> bool:
    # The signature may be for the body as received, or as Heron would write it compactly.
    signature, keys = headers.get("heron-signature", "").strip(), deliveries.keys(secrets)
    if not keys or not _SIGNATURE.fullmatch(signature):  # before reading the body
        return False
    good = [b64encode(hmac.digest(key, signed, "sha256")) for signed in (body, *_compact(body)) for key in keys]
    return deliveries.is_one_of(deliveries.octets(signature), good)


def read(body: bytes) -> WebhookHint:
    said = deliveries.message(body)
    named, data = deliveries.topic(said.get("topic")), mapping(said.get("data"))
    return WebhookHint(
        kind=TOPICS.get(named, WebhookKind.UNKNOWN),
        topic=named,
        known=named in TOPICS,
        remote_link_id=_item_id(data) or _item_id(mapping(data.get("metadata"))),
        end_user_id=_end_user_id(data, is_customer=named.startswith("end_user.")),
        created_at=moment(said.get("created")),
    )


def key(body: bytes) -> str:
    """Ignores spacing: a signature is valid for the compact body too, so spacing must not create a second delivery."""
    return hashlib.sha256(next(_compact(body), body)).hexdigest()


def _compact(body: bytes) -> Iterator[bytes]:
    # Non-ASCII characters may be escaped or not.
    with suppress(ValueError):
        said = deliveries.message(body)
        for escaped in (True, False):
            yield deliveries.octets(json.dumps(said, separators=(",", ":"), ensure_ascii=escaped))


def _item_id(data: Mapping[str, object]) -> str:
    return deliveries.identifier(data.get("item_id")) or deliveries.identifier(data.get("integration_item_id"))


def _end_user_id(data: Mapping[str, object], *, is_customer: bool) -> str:
    # `heron_id` is the ID of whatever the webhook is about.
    ours = deliveries.customer_id(data.get("end_user_id"))
    return ours or deliveries.identifier(data.get("heron_id" if is_customer else "end_user_heron_id"))
