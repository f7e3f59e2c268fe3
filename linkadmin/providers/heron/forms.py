"""Fields of Heron's forms and searches.

https://docs.herondata.io/api-reference
"""

from dataclasses import replace

from linkadmin.providers.http.answer import IDENTIFIER, MAX_IDENTIFIER
from linkadmin.providers.messages import gettext_noop as _
from linkadmin.providers.types import Choice, Cleaning, CredentialField, FieldKind

_ACCESS_TOKEN = CredentialField(
    "access_token", _("Access token"), FieldKind.PASSWORD, secret=True, cleaning=Cleaning.TRIMMED
)
_END_USER_ID = CredentialField("end_user_id", _("Customer ID"), max_length=140)  # characters

CREATE_FIELDS: tuple[CredentialField, ...] = (
    CredentialField(
        "item_id",
        _("Item ID"),
        pattern=f"^{IDENTIFIER}$",
        pattern_message=_("An item ID can contain only letters, digits, and _ . : = -"),
        help_text=_("Plaid's item_id. It's case-sensitive."),
        max_length=MAX_IDENTIFIER,
        cleaning=Cleaning.TRIMMED,
        identifies=True,
    ),
    _ACCESS_TOKEN,
    CredentialField(
        "asset_report_token",
        _("Asset report token"),
        FieldKind.PASSWORD,
        secret=True,
        required=False,
        help_text=_("Reuses an existing Plaid asset report. If blank, Heron creates one."),
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
        _("Search in"),
        FieldKind.SELECT,
        required=False,
        choices=(Choice(NO, _("This integration")), Choice(YES, _("All integrations in the account"))),
        initial=NO,
    ),
)

# A customer's statuses, as Heron documents them.
_STATUSES = {
    "new": _("New"),
    "ready": _("Ready"),
    "processed": _("Processed"),
    "review_requested": _("Review requested"),
    "reviewed": _("Reviewed"),
    "failed": _("Failed"),
}
END_USER_FILTERS: tuple[CredentialField, ...] = (
    replace(_END_USER_ID, required=False),
    CredentialField("name", _("Name"), required=False, max_length=128),
    CredentialField(
        "status",
        _("Status"),
        FieldKind.SELECT,
        required=False,
        choices=tuple(Choice(value, label) for value, label in _STATUSES.items()),
    ),
    CredentialField(
        "order_by",
        _("Sort by"),
        FieldKind.SELECT,
        required=False,
        choices=(
            Choice("last_updated_desc", _("Most recently changed")),
            Choice("last_updated_asc", _("Least recently changed")),
            Choice("created_desc", _("Newest")),
            Choice("created_asc", _("Oldest")),
        ),
    ),
    CredentialField("heron_id", _("Heron ID"), required=False, max_length=MAX_IDENTIFIER, advanced=True),
    CredentialField(
        "is_portfolio",
        _("In portfolio"),
        FieldKind.SELECT,
        required=False,
        choices=(Choice("true", _("Yes")), Choice("false", _("No"))),
        advanced=True,
    ),
)
