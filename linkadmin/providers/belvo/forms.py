"""Forms for Belvo's institutions: turns their `form_fields` into our fields.

https://developers.belvo.com/apis/belvoopenapispec/institutions
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from linkadmin.providers.http.redaction import clean
from linkadmin.providers.messages import gettext_noop as _
from linkadmin.providers.names import term_in_words
from linkadmin.providers.reading import count, mappings
from linkadmin.providers.types import (
    BY_CONSENT,
    Choice,
    Cleaning,
    CredentialField,
    FieldKind,
    InstitutionFields,
    Value,
    Values,
)

# The fields of each call, in the order they're sent.
REGISTER_NAMES = (
    "username",
    "username2",
    "username3",
    "password",
    "password2",
    "token",
    "username_type",
    "certificate",
    "private_key",
    "access_mode",
    "fetch_resources",
    "credentials_storage",
    "stale_in",
)
UPDATE_NAMES = ("password", "password2", "token", "encryption_key", "username_type", "certificate", "private_key")
# Fields that an error can name.
FIELD_NAMES = frozenset({*REGISTER_NAMES, *UPDATE_NAMES, "institution", "external_id", "link", "session", "resources"})

# Fields of institutions' forms that we support.
_LABELS = {
    "username": _("Username"),
    "username2": _("Second username"),
    "username3": _("Third username"),
    "username_type": _("Document type"),
    "password": _("Password"),
    "password2": _("Second password"),
    "token": _("One-time code"),
}
_MAX_PATTERN = 300  # characters

# Belvo silently drops any other.
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{3,}")

_CLEANINGS = {
    "username": Cleaning.TRIMMED,
    "username2": Cleaning.TRIMMED,
    "username3": Cleaning.TRIMMED,
    "username_type": Cleaning.TRIMMED,
    "token": Cleaning.CODE,
    "certificate": Cleaning.CERTIFICATE,
    "private_key": Cleaning.PRIVATE_KEY,
}
_CODE_HELP = _("Leave blank. The bank will ask for a code if it needs one.")


def _known(name: str, label: str = "", kind: FieldKind = FieldKind.TEXT, **more: Any) -> CredentialField:
    cleaning = _CLEANINGS.get(name, Cleaning.AS_TYPED)
    return CredentialField(name, label or _LABELS[name], kind, cleaning=cleaning, **{"secret": True, **more})


_PASSWORD = _known("password", kind=FieldKind.PASSWORD)
_CERTIFICATE = tuple(
    _known(
        name,
        label,
        FieldKind.FILE_TEXT,
        required=False,
        help_text=help_text,
        needs=needs,
    )
    for name, label, needs, help_text in (
        ("certificate", _("Certificate"), "private_key", _("Base64 or PEM text. Needs the private key too.")),
        ("private_key", _("Private key"), "certificate", _("Base64 or PEM text. Needs the certificate too.")),
    )
)
# Fields Belvo accepts even if an institution doesn't list them.
_MORE = tuple(
    replace(field, required=False, advanced=True)
    for field in (
        _known("username2"),
        _known("username3"),
        _known("password2", kind=FieldKind.PASSWORD),
        _known("token", help_text=_CODE_HELP),
        _known("encryption_key", _("Encryption key"), FieldKind.PASSWORD),
        _known(
            "username_type",
            secret=False,
            pattern=r"^\d{3}$",
            pattern_message=_("Enter three digits."),
            placeholder="003",
            help_text=_("Belvo's three-digit document code; 003 is a passport."),
        ),
        *_CERTIFICATE,
    )
)
_ACCESS_MODE = CredentialField(
    "access_mode",
    _("Sync"),
    FieldKind.SELECT,
    required=False,
    choices=(Choice("recurrent", _("Recurring")), Choice("single", _("One-time"))),
    initial="recurrent",
)
_STORAGE = CredentialField(
    "credentials_storage",
    _("Stored credentials"),
    required=False,
    advanced=True,
    pattern=r"^(store|nostore|([1-9]\d?|[12]\d\d|3[0-5]\d|36[0-5])d)$",
    pattern_message=_("Enter store, nostore, or a number of days from 1d to 365d."),
    placeholder="365d",
    help_text=_(
        "store, nostore, or a number of days such as 90d. This can't be changed later. A link without stored "
        "credentials can't be repaired, only created again. Recurring links only accept store; one-time "
        "links default to 365d."
    ),
)
_STALE_IN = CredentialField(
    "stale_in",
    _("Data retention"),
    required=False,
    advanced=True,
    pattern=r"^[1-9]\d{0,3}d$",
    pattern_message=_("Enter a number of days, such as 365d."),
    placeholder="365d",
    help_text=_("Belvo permanently deletes data that hasn't been updated for this many days. Default: 365d."),
)

HOW, AT_ONCE, IN_BACKGROUND = "how", "at_once", "in_background"
REMOVAL_FIELDS = (
    CredentialField(
        HOW,
        _("When"),
        FieldKind.SELECT,
        choices=(Choice(AT_ONCE, _("Now")), Choice(IN_BACKGROUND, _("In the background"))),
        initial=AT_ONCE,
        help_text=_(
            "With “Now”, Belvo deletes up to five links per minute. “In the background” has no limit but takes longer."
        ),
    ),
)


def create_fields(institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
    options = (
        _ACCESS_MODE,
        *_resources(
            institution,
            "fetch_resources",
            _("Belvo fetches these as soon as the link is created. Requires a webhook URL in Belvo's dashboard."),
        ),
        _STORAGE,
        _STALE_IN,
    )
    if institution is None or _is_unknown(institution):
        return (*_with_more((_known("username"), _PASSWORD), REGISTER_NAMES), *options)
    shown = (*_shown(institution), *_certificate(institution))
    return (*(_with_more(shown, REGISTER_NAMES) if _takes_password(shown) else shown), *options)


def update_fields(institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
    """Belvo doesn't change usernames. Empty where nobody enters a password, as with open finance."""
    if institution is None or _is_unknown(institution):
        return _with_more((_PASSWORD,), UPDATE_NAMES)
    shown = [_for_update(field, institution) for field in _shown(institution) if field.name in UPDATE_NAMES]
    return _with_more((*shown, *_certificate(institution)), UPDATE_NAMES) if _takes_password(shown) else ()


def code_field(institution: InstitutionFields | None) -> CredentialField | None:
    return next((_field(item) for item in _items(institution) if item["name"] == "token"), None)


def settings_fields(institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
    access_mode = replace(
        _ACCESS_MODE,
        initial="",
        help_text=_(
            "When a one-time link becomes recurring, Belvo fetches its entire history the next day and bills for "
            "it. This requires stored credentials."
        ),
    )
    stale_in = replace(_STALE_IN, advanced=False)
    resources = _resources(
        institution,
        "resources",
        _("What Belvo fetches from the next sync on. Select none to fetch everything the bank offers."),
    )
    return (access_mode, stale_in, *(replace(field, advanced=False) for field in resources))


def fetch_fields(institution: InstitutionFields | None) -> tuple[CredentialField, ...]:
    return tuple(
        replace(field, advanced=False)
        for field in _resources(institution, "resources", _("Select none to fetch everything the bank offers."))
    )


def settings(values: Values) -> dict[str, Value]:
    named = {"access_mode": "access_mode", "stale_in": "stale_in", "resources": "fetch_resources"}
    return {theirs: values[ours] for ours, theirs in named.items() if values.get(ours)}


def fixed_values(institution: InstitutionFields | None) -> Mapping[str, str]:
    hidden = [item for item in _items(institution) if item.get("type") == "hidden"]
    return {str(item["name"]): str(item["value"]) for item in hidden if isinstance(item.get("value"), str)}


def is_external_id(text: str) -> bool:
    # Belvo silently drops an external ID in any other format.
    return _EXTERNAL_ID.fullmatch(text) is not None


def _resources(institution: InstitutionFields | None, name: str, help_text: str) -> tuple[CredentialField, ...]:
    offered = institution.resources if institution else ()
    words = offered if isinstance(offered, list | tuple) else ()
    choices = tuple(Choice(word, term_in_words(word)) for word in words if isinstance(word, str) and word)
    field = CredentialField(
        name, _("Fetched data"), FieldKind.MANY, required=False, advanced=True, choices=choices, help_text=help_text
    )
    return (field,) if choices else ()


def _is_unknown(institution: InstitutionFields) -> bool:
    # Known only from its links: its own record hasn't been read.
    return not _items(institution) and institution.integration_type not in BY_CONSENT


def _takes_password(fields: Iterable[CredentialField]) -> bool:
    return any(field.name == "password" for field in fields)


def _with_more(fields: Iterable[CredentialField], names: Collection[str]) -> tuple[CredentialField, ...]:
    shown = tuple(fields)
    listed = {field.name for field in shown}
    return (*shown, *(field for field in _MORE if field.name in names and field.name not in listed))


def _shown(institution: InstitutionFields) -> list[CredentialField]:
    return [_field(item) for item in _items(institution) if item.get("type") != "hidden"]


def _items(institution: InstitutionFields | None) -> list[Mapping[str, object]]:
    return [item for item in _listed(institution) if item["name"] in _LABELS]


def _listed(institution: InstitutionFields | None) -> list[Mapping[str, object]]:
    fields = institution.form_fields if institution else None
    listed = mappings(list(fields)) if isinstance(fields, list | tuple) else []
    return [item for item in listed if isinstance(item.get("name"), str)]


def _certificate(institution: InstitutionFields) -> tuple[CredentialField, ...]:
    is_listed = any(item["name"] == "certificate" for item in _listed(institution))
    return _CERTIFICATE if is_listed or _is_fiscal(institution) else ()


def _is_fiscal(institution: InstitutionFields) -> bool:
    # Institutions are named name_country_type.
    return institution.name.endswith("_fiscal")


def _for_update(field: CredentialField, institution: InstitutionFields) -> CredentialField:
    if field.name == "password" and _is_fiscal(institution):
        return replace(field, required=False)  # certificate and key can replace it
    return replace(field, governs="")  # the username it governs isn't part of this form


def _field(item: Mapping[str, object]) -> CredentialField:
    name = str(item["name"])
    choices = tuple(_choice(value) for value in mappings(item.get("values")))
    return CredentialField(
        name=name,
        label=_text(item, "label") or _LABELS[name],
        kind=_kind(name, item.get("type")),
        secret=name != "username_type",
        required=item.get("optional") is not True and name != "token",
        pattern=_pattern(item),
        pattern_message=_text(item, "validation_message"),
        placeholder=_text(item, "placeholder"),
        help_text=_CODE_HELP if name == "token" else "",
        choices=choices,
        governs="username" if choices else "",
        initial=_preselected(item, choices),
        # Without its `length`: banks only count the part that varies.
        cleaning=_CLEANINGS.get(name, Cleaning.AS_TYPED),
        is_number=item.get("type") == "number",
        advanced=name == "token",
    )


def _kind(name: str, written: object) -> FieldKind:
    if written == "select":
        return FieldKind.SELECT
    # A number stays text because leading zeros matter.
    return FieldKind.PASSWORD if written == "password" or name.startswith("password") else FieldKind.TEXT


def _choice(item: Mapping[str, object]) -> Choice:
    return Choice(
        value=_text(item, "code"),
        label=_text(item, "label"),
        pattern=_pattern(item),
        pattern_message=_text(item, "validation_message"),
    )


def _preselected(item: Mapping[str, object], choices: tuple[Choice, ...]) -> str:
    index = count(item.get("pre_selected"))
    return choices[index].value if index is not None and index < len(choices) else ""


def _pattern(item: Mapping[str, object]) -> str:
    pattern = item.get("validation")
    return pattern if isinstance(pattern, str) and len(pattern) <= _MAX_PATTERN else ""


def _text(item: Mapping[str, object], key: str) -> str:
    value = item.get(key)
    return clean(value) if isinstance(value, str) else ""
