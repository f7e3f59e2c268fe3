"""How Belvo's lists are searched: the fields of a search, and the parameters they are sent as.

https://developers.belvo.com/apis/belvoopenapispec/links/listlinks
"""

from collections.abc import Mapping

from linkadmin.providers.records import Filters, params_of
from linkadmin.providers.types import Choice, CredentialField, FieldKind

_MAX_VALUES = 2000  # characters: some fifty link ids

# These take several values under another name.
_ONE_OR_MORE = frozenset(
    {"id", "external_id", "institution", "institution_user_id", "status", "country_code", "name", "type"}
)

RESOURCES = (
    "ACCOUNTS",
    "BALANCES",
    "BILLS",
    "EMPLOYMENT_METRICS",
    "EMPLOYMENT_RECORDS",
    "EMPLOYMENTS",
    "FINANCIAL_STATEMENTS",
    "INCOMES",
    "INVESTMENT_TRANSACTIONS",
    "INVESTMENTS",
    "INVOICES",
    "OWNERS",
    "RECURRING_EXPENSES",
    "RISK_INSIGHTS",
    "TAX_COMPLIANCE_STATUS",
    "TAX_RETENTIONS",
    "TAX_RETURNS",
    "TAX_STATUS",
    "TRANSACTIONS",
)


def _text(name: str, label: str, *, help_text: str = "", advanced: bool = False) -> CredentialField:
    return CredentialField(name, label, required=False, help_text=help_text, max_length=_MAX_VALUES, advanced=advanced)


def _several(name: str, label: str, *, advanced: bool = False) -> CredentialField:
    return _text(name, label, help_text="One, or several with commas between them.", advanced=advanced)


def _choices(
    name: str, label: str, choices: Mapping[str, str], *, kind: FieldKind = FieldKind.MANY, advanced: bool = False
) -> CredentialField:
    items = tuple(Choice(value, shown) for value, shown in choices.items())
    return CredentialField(name, label, kind, required=False, choices=items, advanced=advanced)


def _day(name: str, label: str, *, advanced: bool = False) -> CredentialField:
    return CredentialField(
        name,
        label,
        required=False,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        pattern_message="A day such as 2026-05-31.",
        placeholder="2026-05-31",
        advanced=advanced,
    )


LINK_FILTERS: tuple[CredentialField, ...] = (
    _several("id", "Link id"),
    _several("external_id", "Customer id"),
    _several("institution", "Institution"),
    _choices(
        "status",
        "Status",
        {
            "valid": "Valid",
            "invalid": "Invalid",
            "token_required": "Code required",
            "unconfirmed": "Unconfirmed",
        },
    ),
    _choices("access_mode", "Access", {"recurrent": "Kept up to date", "single": "Read once"}, kind=FieldKind.SELECT),
    _day("created_at__gte", "Created from"),
    _day("created_at__lte", "Created until"),
    _choices(
        "refresh_rate",
        "Refreshed every",
        {"6h": "6 hours", "12h": "12 hours", "24h": "24 hours", "7d": "7 days", "30d": "30 days"},
        kind=FieldKind.SELECT,
        advanced=True,
    ),
    _several("institution_user_id", "Person at the institution", advanced=True),
    _text(
        "created_by__not_in",
        "Not created by",
        help_text="Ids of Belvo accounts with commas between them.",
        advanced=True,
    ),
    _day("created_at", "Created on", advanced=True),
    _day("created_at__gt", "Created after", advanced=True),
    _day("created_at__lt", "Created before", advanced=True),
    CredentialField(
        "created_at__range",
        "Created between",
        required=False,
        pattern=r"^\d{4}-\d{2}-\d{2},\d{4}-\d{2}-\d{2}$",
        pattern_message="Two days with a comma between them.",
        placeholder="2026-05-01,2026-05-31",
        advanced=True,
    ),
)

INSTITUTION_FILTERS: tuple[CredentialField, ...] = (
    _text("display_name", "Name", help_text="A part of it is enough."),
    _several("country_code", "Country"),
    _choices("type", "Kind", {"bank": "Bank", "fiscal": "Tax office", "employment": "Employer"}),
    _choices("status", "Status", {"healthy": "Healthy", "down": "Down"}),
    _several("name", "Name at the provider"),
    _choices("resources__allin", "Offers", {name: name for name in RESOURCES}, advanced=True),
    _text("website", "Website", advanced=True),
)


def params_for(filters: Filters, fields: tuple[CredentialField, ...]) -> dict[str, str]:
    """Return the parameters of a search by these fields."""
    sent = (_parameter(name, text) for name, text in params_of(filters, fields).items())
    return {name: text for name, text in sent if text}


def _parameter(name: str, text: str) -> tuple[str, str]:
    if name not in _ONE_OR_MORE:
        return name, text
    values = [value.strip() for value in text.split(",") if value.strip()]
    return (name if len(values) < 2 else f"{name}__in"), ",".join(values)
