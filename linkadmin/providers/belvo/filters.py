"""Search fields for Belvo's lists, and their query parameters.

https://developers.belvo.com/apis/belvoopenapispec/links/listlinks
"""

from collections.abc import Mapping

from linkadmin.providers.messages import gettext_noop as _
from linkadmin.providers.names import term_in_words
from linkadmin.providers.records import Filters, params_of
from linkadmin.providers.types import Choice, CredentialField, FieldKind

_MAX_VALUES = 2000  # characters: about fifty link IDs

# Several values go under another parameter name.
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
    return _text(name, label, help_text=_("One or more, separated by commas."), advanced=advanced)


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
        pattern_message=_("Enter a date such as 2026-05-31."),
        placeholder="2026-05-31",
        advanced=advanced,
    )


LINK_FILTERS: tuple[CredentialField, ...] = (
    _several("id", _("Link ID")),
    _several("external_id", _("Customer ID")),
    _several("institution", _("Institution")),
    _choices(
        "status",
        _("Status"),
        {
            "valid": _("Valid"),
            "invalid": _("Invalid"),
            "token_required": _("Code required"),
            "unconfirmed": _("Unconfirmed"),
        },
    ),
    _choices("access_mode", _("Sync"), {"recurrent": _("Recurring"), "single": _("One-time")}, kind=FieldKind.SELECT),
    _day("created_at__gte", _("Created on or after")),
    _day("created_at__lte", _("Created on or before")),
    _choices(
        "refresh_rate",
        _("Sync interval"),
        {"6h": _("6 hours"), "12h": _("12 hours"), "24h": _("24 hours"), "7d": _("7 days"), "30d": _("30 days")},
        kind=FieldKind.SELECT,
        advanced=True,
    ),
    _several("institution_user_id", _("User ID at the institution"), advanced=True),
    _text(
        "created_by__not_in",
        _("Not created by"),
        help_text=_("Belvo account IDs, separated by commas."),
        advanced=True,
    ),
    _day("created_at", _("Created on"), advanced=True),
    _day("created_at__gt", _("Created after"), advanced=True),
    _day("created_at__lt", _("Created before"), advanced=True),
    CredentialField(
        "created_at__range",
        _("Created between"),
        required=False,
        pattern=r"^\d{4}-\d{2}-\d{2},\d{4}-\d{2}-\d{2}$",
        pattern_message=_("Enter two dates separated by a comma."),
        placeholder="2026-05-01,2026-05-31",
        advanced=True,
    ),
)

INSTITUTION_FILTERS: tuple[CredentialField, ...] = (
    _text("display_name", _("Name"), help_text=_("Any part of the name.")),
    _several("country_code", _("Country code")),
    _choices("type", _("Type"), {"bank": _("Bank"), "fiscal": _("Tax authority"), "employment": _("Employer")}),
    _choices("status", _("Status"), {"healthy": _("Working"), "down": _("Down")}),
    _several("name", _("Name at provider")),
    _choices("resources__allin", _("Data offered"), {name: term_in_words(name) for name in RESOURCES}, advanced=True),
    _text("website", _("Website"), advanced=True),
)


def params_for(filters: Filters, fields: tuple[CredentialField, ...]) -> dict[str, str]:
    sent = (_parameter(name, text) for name, text in params_of(filters, fields).items())
    return {name: text for name, text in sent if text}


def _parameter(name: str, text: str) -> tuple[str, str]:
    if name not in _ONE_OR_MORE:
        return name, text
    values = [value.strip() for value in text.split(",") if value.strip()]
    return (name if len(values) < 2 else f"{name}__in"), ",".join(values)
