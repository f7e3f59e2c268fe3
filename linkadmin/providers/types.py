"""The vocabulary that all providers are translated into: links, institutions, fields, challenges, health.

Plain frozen data, without secrets except where the type is `Secret`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NoReturn, Protocol


class Secret:
    """Text that must appear nowhere but in the request it's meant for.

    Prints as `<secret>`, has no value equality, and can't be pickled, copied or formatted. So no log line, traceback,
    cache or session ends up with it by accident.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text. Only for the transport, encryption and verification."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled or copied")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Deadlines of whole calls, in seconds."""

    read: float = 15.0
    change: float = 30.0
    credentials: float = 310.0  # the provider may talk to the bank for five minutes


class Capability(StrEnum):
    """What a provider can do. Pages only show buttons for what's listed."""

    CREATE = "create"
    UPDATE_CREDENTIALS = "update_credentials"
    INSTITUTIONS = "institutions"  # lists institutions, with their form fields
    REFRESH_DATA = "refresh_data"  # fetches a link's data from the bank on request
    CHANGE_SETTINGS = "change_settings"
    REMOVE_LINK = "remove_link"
    REPLACE_TOKEN = "replace_token"  # noqa: S105 - not a secret; takes a new access token for the same link
    REPAIR_URL = "repair_address"  # creates a URL where the customer repairs a link
    REPAIR_SESSION = "repair_session"  # creates a visit to its page, and returns the result
    REGENERATE_REPORTS = "regenerate_reports"  # regenerates a customer's reports
    LINKS = "links"  # lists links
    CONSENTS = "consents"
    END_USERS = "end_users"
    DATA_SOURCES = "data_sources"
    CONNECTORS = "connectors"  # lists what Heron calls integrations
    WEBHOOKS = "webhooks"  # manages subscriptions through the API
    WEBHOOK_DELIVERIES = "webhook_deliveries"  # sends webhooks


class HealthState(StrEnum):
    """The eleven health states of a link. Each says who has to act."""

    HEALTHY = "healthy"
    SETTING_UP = "setting_up"
    CUSTOMER_LOGIN = "customer_login"
    CUSTOMER_CODE = "customer_code"
    CUSTOMER_CONSENT = "customer_consent"
    CUSTOMER_BANK = "customer_bank"
    WAITING = "waiting"
    OUR_SETUP = "our_setup"
    STALE = "stale"
    DISCONNECTED = "disconnected"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why a link is in its state. `linkadmin.links.causes` has what each means to staff."""

    # it works
    WORKING = "working"
    WORKING_WITH_ERROR = "working_with_error"  # the provider says both
    SYNCING = "syncing"
    DATA_ARRIVED = "data_arrived"
    REPAIRED_ELSEWHERE = "repaired_elsewhere"
    RENEW_SOON = "renew_soon"
    ACCOUNT_WITHDRAWN = "account_withdrawn"
    ACCOUNT_ADDED = "account_added"
    CONSENT_CHANGED = "consent_changed"
    # being set up
    PENDING = "pending"
    FIRST_SYNC = "first_sync"
    DATA_PREPARING = "data_preparing"
    UNCONFIRMED = "unconfirmed"
    # the customer signs in again
    LOGIN_REQUIRED = "login_required"
    LOGIN_REFUSED = "login_refused"
    LOGIN_UNCLEAR = "login_unclear"
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 - not a secret
    SIGN_IN_FAILED = "sign_in_failed"
    USERNAME_CHANGED = "username_changed"
    SIGN_IN_TOO_SLOW = "sign_in_too_slow"
    # the customer enters a code
    CODE_NEEDED = "code_needed"
    CODE_WAITING = "code_waiting"  # an open sign-in attempt with a time limit
    CODE_WRONG = "code_wrong"
    CODE_TOO_LATE = "code_too_late"
    CODE_TRIES_USED = "code_tries_used"
    PHONE_CODE_WRONG = "phone_code_wrong"
    PHONE_NUMBER_WRONG = "phone_number_wrong"
    WIDGET_EXPIRED = "widget_expired"
    NEVER_CONFIRMED = "never_confirmed"
    # the customer renews the consent
    CONSENT_EXPIRED = "consent_expired"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_ENDED_BY_BANK = "consent_ended_by_bank"
    CONSENT_LEFT_EARLY = "consent_left_early"
    CONSENT_MISSING = "consent_missing"
    CONSENT_UNFINISHED = "consent_unfinished"
    CONSENT_WITHOUT_ACCOUNTS = "consent_without_accounts"
    CONSENT_ACCOUNTS_LOST = "consent_accounts_lost"
    PORTAL_CONSENT_EXPIRED = "portal_consent_expired"
    ACCESS_PARTIAL = "access_partial"
    NO_ACCOUNTS = "no_accounts"
    NO_PAYMENT_ACCOUNTS = "no_payment_accounts"
    MANUAL_STEP_OPEN = "manual_step_open"
    # the customer has to act at the bank
    ACCOUNT_LOCKED = "account_locked"
    ITEM_LOCKED = "item_locked"
    ACCESS_FORBIDDEN = "access_forbidden"
    NOT_ACTIVATED = "not_activated"
    ACTIVATION_FAILED = "activation_failed"
    BANK_SETUP_OPEN = "bank_setup_open"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - not a secret
    DEVICE_NOT_REMEMBERED = "device_not_remembered"
    # bank or provider issue
    BANK_DOWN = "bank_down"
    BANK_FAILING = "bank_failing"
    BANK_TROUBLE = "bank_trouble"
    BANK_NO_DATA = "bank_no_data"
    BANK_UNREADABLE = "bank_unreadable"
    DATA_POOR = "data_poor"
    DATA_MOVED = "data_moved"
    SESSION_OPEN = "session_open"
    CODE_NOT_SENT = "code_not_sent"
    PROVIDER_DOWN = "provider_down"
    PROVIDER_OUTAGE = "provider_outage"
    PROVIDER_TROUBLE = "provider_trouble"
    REPORT_FAILED = "report_failed"
    TOO_MANY_CALLS = "too_many_calls"
    # configuration problem on our side
    KEYS_WRONG = "keys_wrong"
    UPSTREAM_KEYS_WRONG = "upstream_keys_wrong"
    FEATURE_MISSING = "feature_missing"
    RIGHTS_MISSING = "rights_missing"
    PLAN_USED_UP = "plan_used_up"
    NOT_REGISTERED = "not_registered"
    WRONG_ID = "wrong_id"
    FIELD_MISSING = "field_missing"
    TOKEN_OUTDATED = "token_outdated"  # noqa: S105 - not a secret
    PRODUCT_MISSING = "product_missing"
    PRODUCT_MISFIT = "product_misfit"
    REQUEST_WRONG = "request_wrong"
    # says it works, but no new data
    STALE = "stale"
    # disconnected
    SWITCHED_OFF = "switched_off"
    GONE = "gone"
    MISSING = "missing"  # no longer in the provider's list
    NOT_FOUND = "not_found"
    REMOVED = "removed"
    STORAGE_ENDED = "storage_ended"
    PERMISSION_REVOKED = "permission_revoked"
    CONSENT_REJECTED = "consent_rejected"
    ACCOUNT_UNSUPPORTED = "account_unsupported"
    BANK_DROPPED = "bank_dropped"
    CODE_UNSUPPORTED = "code_unsupported"
    # unrecognized
    UNRECOGNIZED = "unrecognized"
    ERROR_UNRECOGNIZED = "error_unrecognized"
    ERROR_UNNAMED = "error_unnamed"
    SOURCE_UNKNOWN = "source_unknown"
    DETAIL_HIDDEN = "detail_hidden"
    NEVER_SYNCED = "never_synced"


class FieldKind(StrEnum):
    TEXT = "text"
    PASSWORD = "password"  # noqa: S105 - not a secret
    SELECT = "select"
    MANY = "many"  # any number of choices; its value is a tuple
    FILE_TEXT = "file_text"  # a pasted certificate or key, of several lines


class Cleaning(StrEnum):
    """What is removed from a typed value before it's sent."""

    AS_TYPED = "as_typed"  # nothing: a password may start with a space
    TRIMMED = "trimmed"  # surrounding whitespace and invisible characters
    CODE = "code"  # like trimmed; in numbers, also digit separators
    CERTIFICATE = "certificate"  # PEM armor and line breaks, which leaves base64
    PRIVATE_KEY = "private_key"  # like a certificate


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a select. Its `pattern` applies to the field that the select `governs`."""

    value: str
    label: str
    pattern: str = ""
    pattern_message: str = ""


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One form field, as the provider or institution declares it."""

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    secret: bool = False
    required: bool = True
    pattern: str = ""
    pattern_message: str = ""
    placeholder: str = ""
    help_text: str = ""
    choices: tuple[Choice, ...] = ()
    governs: str = ""  # for a select: the field whose pattern the chosen option sets
    initial: str = ""
    max_length: int = 0  # characters; 0 = no limit at the provider
    cleaning: Cleaning = Cleaning.AS_TYPED
    is_number: bool = False  # digits, possibly with leading zeros: gets a numeric keyboard
    advanced: bool = False  # rarely needed: collapsed under "More options"
    needs: str = ""  # another field that's required if this one is filled in
    identifies: bool = False  # its value becomes the link's ID at the provider


# Values that pages know; any other is shown as received.
INSTITUTION_DOWN = "down"  # status: unavailable now
MAY_ASK_FOR_CODE = "token_required"  # feature
# Integration types where customers consent at the bank instead of giving us a password. The second name is pre-2023.
BY_CONSENT = ("openfinance", "openbanking")


@dataclass(frozen=True, slots=True)
class RemoteInstitution:
    """A bank, tax authority or employer in the provider's list."""

    remote_id: str
    name: str  # the provider's key, such as erebor_mx_retail
    display_name: str
    kind: str
    country: str
    status: str  # INSTITUTION_DOWN, or the provider's value
    integration_type: str  # one of BY_CONSENT, or the provider's value
    features: tuple[str, ...]
    resources: tuple[str, ...]
    form_fields: tuple[Mapping[str, object], ...]  # as received, cleaned; only its provider reads them
    logo_url: str = ""  # shown as text: we never fetch untrusted URLs
    website: str = ""


class InstitutionFields(Protocol):
    """The part of an institution that determines its form."""

    @property
    def name(self) -> str: ...
    @property
    def form_fields(self) -> object: ...
    @property
    def resources(self) -> object: ...
    @property
    def integration_type(self) -> str: ...


# What was typed into a form, by the provider's field names.
Value = str | Secret | tuple[str, ...]
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class LinkRef:
    """Identifies a link to its provider."""

    remote_id: str
    end_user_id: str  # our customer ID, as the provider has it
    integration_type: str = ""  # of its institution, if known
    institution: str = ""  # the provider's name for it, if known


@dataclass(frozen=True, slots=True)
class ReturnUrls:
    """Where a provider's page leads back to. Anyone can open these, so an arrival proves nothing."""

    done: str
    left: str
    either: str = ""  # for a page that leads back to one URL, whatever happened


@dataclass(frozen=True, slots=True)
class Observation:
    """What a response says about a link's health."""

    cause: Cause
    raw_status: str = ""
    raw_code: str = ""
    raw_words: str = ""
    last_good_at: datetime | None = None
    renew_by: date | None = None
    renewal_known: bool = False  # the consent was read: no date means no expiry
    conflict: bool = False  # the provider says that it works, but also names the problem in `cause`


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """A link at the provider."""

    remote_id: str
    observation: Observation
    institution: str = ""
    access_mode: str = ""
    refresh_rate: str = ""
    storage: str = ""  # how long the provider stores credentials: store, nostore, 90d
    stale_in: str = ""  # after how long unchanged data is deleted: 365d
    resources: tuple[str, ...] = ()  # what the provider fetches
    kind: str = ""  # Heron: plaid_assets_report or plaid_integration
    external_id: str = ""
    data_source_id: str = ""
    created_at: datetime | None = None
    created_by: str = ""  # who created it in our account at the provider
    updated_at: datetime | None = None  # when the provider last changed the record
    last_accessed_at: datetime | None = None
    fresh_for: timedelta | None = None  # how long after a sync its data counts as fresh; None: forever
    request_id: str = ""
    cleared: tuple[str, ...] = ()  # fields above that the record has but leaves empty; absent ones are unknown


class ChallengeKind(StrEnum):
    """What the customer has to do for the bank's challenge."""

    CODE = "code"  # reads a code from a device or message
    NUMERIC = "numeric"  # types a number into the bank's device or app, gets a code back
    QR = "qr"
    TEXT = "text"
    APPROVE = "approve"  # approves on another device; nothing to type


@dataclass(frozen=True, slots=True)
class Challenge:
    """A bank's request for a one-time code."""

    session: Secret
    remote_link_id: str
    expires_in: int  # seconds after receiving the response
    kind: ChallengeKind
    instructions: str = field(default="", repr=False)
    value: str = field(default="", repr=False)
    expects_input: bool = True
    written_kind: str = field(default="", repr=False)  # the provider's value
    label: str = field(default="", repr=False)  # of the input
    pattern: str = field(default="", repr=False)  # of the input


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to create: what the provider needs besides the typed values."""

    end_user_id: str
    end_user_name: str
    institution: str  # the provider's name for it; empty if the provider doesn't need one
    values: Values


@dataclass(frozen=True, slots=True)
class NewSession:
    """A visit to the provider's page that repairs a link."""

    access_token: Secret | None  # None: the company's own endpoint creates it
    item_id: str
    reference: str  # ours, without personal data
    company: str  # shown to the customer
    language: str  # of two letters
    seconds: int  # until the URL expires
    return_url: str
    choose_accounts: bool = False  # the customer shares other accounts


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """The result of a successful connection test. A failed one raises a ProviderError."""

    detail: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class PracticeHints:
    """Test values for the simulator; empty if there are none."""

    create: str = ""
    update: str = ""
    code: str = ""
