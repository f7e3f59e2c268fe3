"""Belvo's webhooks: verification, and what each is about.

https://developers.belvo.com/developer_resources/resources-webhooks-aggregation
"""

import secrets as chance
from collections.abc import Mapping, Sequence

from linkadmin.providers import deliveries
from linkadmin.providers.messages import gettext_noop as _
from linkadmin.providers.reading import mapping
from linkadmin.providers.records import WebhookHint, WebhookKind
from linkadmin.providers.types import CredentialField, FieldKind, Secret

from .filters import RESOURCES

# (webhook_type, webhook_code) -> kind.
EVENTS: Mapping[tuple[str, str], WebhookKind] = {
    ("LINK", "invalid_credentials"): WebhookKind.LINK_TROUBLE,
    ("LINK", "token_required"): WebhookKind.CODE_NEEDED,
    ("LINK", "link_deleted"): WebhookKind.LINK_REMOVED,
    ("CONSENT", "openfinance_consent_about_to_expire"): WebhookKind.CONSENT_ENDING,
    ("CONSENT", "openfinance_consent_expired"): WebhookKind.CONSENT_ENDED,
    ("CONSENT", "openfinance_consent_expiration_changed"): WebhookKind.CONSENT_CHANGED,
    ("CONSENT", "openfinance_consent_with_temporarily_unavailable_resources"): WebhookKind.CONSENT_CHANGED,
    ("CONSENT", "openfinance_consent_with_unrecoverable_resources"): WebhookKind.CONSENT_CHANGED,
    **{(resource, "historical_update"): WebhookKind.DATA_ARRIVED for resource in RESOURCES},
    **{(resource, f"new_{resource.lower()}_available"): WebhookKind.DATA_ARRIVED for resource in RESOURCES},
    ("TRANSACTIONS", "transactions_updated"): WebhookKind.DATA_CHANGED,
    ("TRANSACTIONS", "transactions_deleted"): WebhookKind.DATA_CHANGED,
}

FIELDS = (
    CredentialField(
        "authorization",
        _("Authorization header"),
        FieldKind.PASSWORD,
        secret=True,
        pattern=r"^(?i:Basic|Bearer) [A-Za-z0-9._~+/=-]{16,}$",
        pattern_message=_(
            "Enter the whole header: Basic or Bearer, a space, and at least 16 characters without spaces."
        ),
        placeholder="Bearer …",
        help_text=_(
            "Enter the same value along with our endpoint URL in Belvo's dashboard. Belvo sends it with every delivery."
        ),
        max_length=500,
    ),
)


def new_secret() -> Secret:
    return Secret(f"Bearer {chance.token_urlsafe(32)}")


def is_genuine(headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret]) -> bool:
    # Belvo doesn't sign webhooks.
    sent = _lowercase_scheme(deliveries.octets(headers.get("authorization", "")))
    return deliveries.is_one_of(sent, map(_lowercase_scheme, deliveries.keys(secrets)))


def _lowercase_scheme(header: bytes) -> bytes:
    # RFC 9110 allows any case.
    scheme, space, rest = header.partition(b" ")
    return scheme.lower() + space + rest


def read(body: bytes) -> WebhookHint:
    said = deliveries.message(body)
    event = deliveries.topic(said.get("webhook_type")), deliveries.topic(said.get("webhook_code"))
    return WebhookHint(
        kind=EVENTS.get(event, WebhookKind.UNKNOWN),
        topic=" ".join(event),
        known=event in EVENTS,
        remote_link_id=deliveries.identifier(said.get("link_id")),
        end_user_id=deliveries.customer_id(said.get("external_id")),
        consent_id=deliveries.identifier(mapping(said.get("data")).get("consent_id")),
        request_id=deliveries.identifier(said.get("request_id")),
    )
