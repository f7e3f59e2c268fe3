"""What Heron's forms and searches ask for.

https://docs.herondata.io/api-reference
"""

from dataclasses import replace

from linkadmin.providers.http.answer import IDENTIFIER, MAX_IDENTIFIER
from linkadmin.providers.types import Choice, Cleaning, CredentialField, FieldKind

_ACCESS_TOKEN = CredentialField(
    "access_token", "Access token", FieldKind.PASSWORD, secret=True, cleaning=Cleaning.TRIMMED
)
_END_USER_ID = CredentialField("end_user_id", "Customer id", max_length=140)  # characters

CREATE_FIELDS: tuple[CredentialField, ...] = (
    CredentialField(
        "item_id",
        "Item id",
        pattern=f"^{IDENTIFIER}$",
        pattern_message="An item id has only letters, digits and _ . : = -",
        help_text="Plaid's item_id; capital and small letters differ.",
        max_length=MAX_IDENTIFIER,
        cleaning=Cleaning.TRIMMED,
        identifies=True,
    ),
    _ACCESS_TOKEN,
    CredentialField(
        "asset_report_token",
        "Asset report token",
        FieldKind.PASSWORD,
        secret=True,
        required=False,
        help_text="Reuses an asset report that Plaid has already made. Without it, Heron has one made.",
        cleaning=Cleaning.TRIMMED,
        advanced=True,
    ),
)
TOKEN_FIELDS: tuple[CredentialField, ...] = (_ACCESS_TOKEN,)

EVERYWHERE, YES, NO = "everywhere", "yes", "no"
LINK_FILTERS: tuple[CredentialField, ...] = (
    _END_USER_ID,
    CredentialField(
        EVERYWHERE,
        "Where",
        FieldKind.SELECT,
        required=False,
        choices=(Choice(NO, "This integration"), Choice(YES, "All integrations of the account")),
        initial=NO,
    ),
)

# The provider's words, as its documents have them; the field's label says what they are of.
_STATUSES = ("new", "ready", "processed", "review_requested", "reviewed", "failed")
END_USER_FILTERS: tuple[CredentialField, ...] = (
    replace(_END_USER_ID, required=False),
    CredentialField("name", "Name", required=False, max_length=128),
    CredentialField(
        "status",
        "Status",
        FieldKind.SELECT,
        required=False,
        choices=tuple(Choice(status, status.replace("_", " ").capitalize()) for status in _STATUSES),
    ),
    CredentialField(
        "order_by",
        "Order",
        FieldKind.SELECT,
        required=False,
        choices=(
            Choice("last_updated_desc", "Changed last"),
            Choice("last_updated_asc", "Changed longest ago"),
            Choice("created_desc", "Newest"),
            Choice("created_asc", "Oldest"),
        ),
    ),
    CredentialField("heron_id", "Heron's id", required=False, max_length=MAX_IDENTIFIER, advanced=True),
    CredentialField(
        "is_portfolio",
        "In the portfolio",
        FieldKind.SELECT,
        required=False,
        choices=(Choice("true", "Yes"), Choice("false", "No")),
        advanced=True,
    ),
)
