"""The words every provider is translated into: links, institutions, fields, challenges, health.

Everything here is plain data, frozen, and free of secrets except where the type says `Secret`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NoReturn, Protocol


class Secret:
    """A text that must not appear anywhere but in the request it is meant for.

    It shows as `<secret>`, compares to nothing by value, and refuses to be pickled, copied or formatted, so that
    no log line, traceback, cache or session can come to hold it by accident.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself. Only the transport, encryption and the check of a proof have a reason to."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The longest a call may take in all, in seconds."""

    read: float = 15.0
    change: float = 30.0
    credentials: float = 310.0  # the provider itself may talk to the bank for five minutes


class Capability(StrEnum):
    """What a provider can do for a link; a page draws a button only for what is here."""

    CREATE = "create"
    UPDATE_CREDENTIALS = "update_credentials"
    INSTITUTIONS = "institutions"  # publishes a catalogue, with the fields each institution asks for
    REFRESH_DATA = "refresh_data"  # fetches a link's data from the bank when asked
    CHANGE_SETTINGS = "change_settings"
    REMOVE_LINK = "remove_link"
    REPLACE_TOKEN = "replace_token"  # noqa: S105 - a word; takes a new access token for the same link
    REPAIR_URL = "repair_address"  # makes an address where the customer repairs a link
    REGENERATE_REPORTS = "regenerate_reports"  # makes a customer's reports anew
    LINKS = "links"  # lists links
    CONSENTS = "consents"
    END_USERS = "end_users"
    DATA_SOURCES = "data_sources"
    CONNECTORS = "connectors"  # lists what it calls integrations itself
    WEBHOOKS = "webhooks"  # takes subscriptions by calls
    WEBHOOK_DELIVERIES = "webhook_deliveries"  # sends messages about what happened


class HealthState(StrEnum):
    """Whose turn it is, in eleven words. The one vocabulary of link health."""

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
    """Why a link is in its state: one word per row of advice. What each means to staff is `linkadmin.links.causes`."""

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
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 - a word, no secret
    SIGN_IN_FAILED = "sign_in_failed"
    USERNAME_CHANGED = "username_changed"
    SIGN_IN_TOO_SLOW = "sign_in_too_slow"
    # the customer gives a code
    CODE_NEEDED = "code_needed"
    CODE_WAITING = "code_waiting"  # an open login attempt, with a clock
    CODE_WRONG = "code_wrong"
    CODE_TOO_LATE = "code_too_late"
    CODE_TRIES_USED = "code_tries_used"
    PHONE_CODE_WRONG = "phone_code_wrong"
    PHONE_NUMBER_WRONG = "phone_number_wrong"
    WIDGET_EXPIRED = "widget_expired"
    NEVER_CONFIRMED = "never_confirmed"
    # the customer renews permission
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
    # the customer sorts something out at the bank
    ACCOUNT_LOCKED = "account_locked"
    ITEM_LOCKED = "item_locked"
    ACCESS_FORBIDDEN = "access_forbidden"
    NOT_ACTIVATED = "not_activated"
    ACTIVATION_FAILED = "activation_failed"
    BANK_SETUP_OPEN = "bank_setup_open"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a word, no secret
    DEVICE_NOT_REMEMBERED = "device_not_remembered"
    # bank or provider has trouble
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
    # we have to correct something
    KEYS_WRONG = "keys_wrong"
    UPSTREAM_KEYS_WRONG = "upstream_keys_wrong"
    FEATURE_MISSING = "feature_missing"
    RIGHTS_MISSING = "rights_missing"
    PLAN_USED_UP = "plan_used_up"
    NOT_REGISTERED = "not_registered"
    WRONG_ID = "wrong_id"
    FIELD_MISSING = "field_missing"
    TOKEN_OUTDATED = "token_outdated"  # noqa: S105 - a word, no secret
    PRODUCT_MISSING = "product_missing"
    PRODUCT_MISFIT = "product_misfit"
    REQUEST_WRONG = "request_wrong"
    # says it works, but no new data
    STALE = "stale"
    # ended
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
    # not understood yet
    UNRECOGNIZED = "unrecognized"
    ERROR_UNRECOGNIZED = "error_unrecognized"
    ERROR_UNNAMED = "error_unnamed"
    SOURCE_UNKNOWN = "source_unknown"
    DETAIL_HIDDEN = "detail_hidden"
    NEVER_SYNCED = "never_synced"


class FieldKind(StrEnum):
    TEXT = "text"
    PASSWORD = "password"  # noqa: S105 - a word, no secret
    SELECT = "select"
    MANY = "many"  # any number of the choices; its value is a tuple
    FILE_TEXT = "file_text"  # a certificate or key: many lines, pasted


class Cleaning(StrEnum):
    """What is taken out of a typed value before it is sent."""

    AS_TYPED = "as_typed"  # nothing: a password may begin with a space
    TRIMMED = "trimmed"  # white space around it, and invisible marks
    CODE = "code"  # as trimmed; of a number also what groups its digits
    CERTIFICATE = "certificate"  # PEM armor and line ends: base64 is left
    PRIVATE_KEY = "private_key"  # as a certificate


@dataclass(frozen=True, slots=True)
class Choice:
    """One item of a select. `pattern` then governs the field named by `governs`, not the select itself."""

    value: str
    label: str
    pattern: str = ""
    pattern_message: str = ""


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One input of a form, as the provider or the institution asks for it."""

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
    governs: str = ""  # for a select: the field whose pattern the chosen item decides
    initial: str = ""
    max_length: int = 0  # characters; 0 = no limit of the provider's
    cleaning: Cleaning = Cleaning.AS_TYPED
    is_number: bool = False  # digits, which may begin with zeros: typed on a keyboard of digits
    advanced: bool = False  # rarely needed: shown folded away
    needs: str = ""  # another field that has to be filled when this one is
    identifies: bool = False  # its value will be the link's id at the provider


# What pages know of the words below; any other is shown as it came.
INSTITUTION_DOWN = "down"  # status: not to be reached now
MAY_ASK_FOR_CODE = "token_required"  # feature
# Integration types, by today's name and the one before 2023: the customer gives the bank a consent, not us a password.
BY_CONSENT = ("openfinance", "openbanking")


@dataclass(frozen=True, slots=True)
class RemoteInstitution:
    """A bank, tax office or employer as the provider lists it."""

    remote_id: str
    name: str  # the provider's key, such as erebor_mx_retail
    display_name: str
    kind: str
    country: str
    status: str  # INSTITUTION_DOWN, or the provider's word
    integration_type: str  # one of BY_CONSENT, or the provider's word
    features: tuple[str, ...]
    resources: tuple[str, ...]
    form_fields: tuple[Mapping[str, object], ...]  # as received, cleaned; read by the provider that sent them
    logo_url: str = ""  # shown as a text: an address of a stranger's is never fetched
    website: str = ""


class InstitutionFields(Protocol):
    """The part of an institution that decides which fields a form has."""

    name: str
    form_fields: Any
    resources: Any
    integration_type: str


# What was typed into a form, by the provider's field names.
Value = str | Secret | tuple[str, ...]
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class LinkRef:
    """All that is needed to ask a provider about one link."""

    remote_id: str
    end_user_id: str  # our id of the customer as the provider knows it
    integration_type: str = ""  # the one of its institution, where it is known
    institution: str = ""  # the provider's name of it, where it is known


@dataclass(frozen=True, slots=True)
class Observation:
    """What one answer of a provider says about the health of a link."""

    cause: Cause
    raw_status: str = ""
    raw_code: str = ""
    raw_words: str = ""
    last_good_at: datetime | None = None
    renew_by: date | None = None
    renewal_known: bool = False  # the consent itself was read: without a date, it has no end
    conflict: bool = False  # the provider says that it works, and names the trouble of `cause` beside it


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """A link as the provider reports it."""

    remote_id: str
    observation: Observation
    institution: str = ""
    access_mode: str = ""
    refresh_rate: str = ""
    storage: str = ""  # how long the provider keeps the login: store, nostore, 90d
    stale_in: str = ""  # after how long data that is not renewed is removed: 365d
    resources: tuple[str, ...] = ()  # what is fetched
    kind: str = ""  # Heron: plaid_assets_report or plaid_integration
    external_id: str = ""
    data_source_id: str = ""
    created_at: datetime | None = None
    created_by: str = ""  # who in our account at the provider registered it
    updated_at: datetime | None = None  # when the provider last changed its record
    last_accessed_at: datetime | None = None
    fresh_for: timedelta | None = None  # how long its last good data counts as fresh; None: never stale by itself
    request_id: str = ""
    cleared: tuple[
        str, ...
    ] = ()  # the fields above that the record has and leaves empty; what it lacks, it doesn't tell


class ChallengeKind(StrEnum):
    """What the person has to do with the bank's challenge."""

    CODE = "code"  # reads a code from a device or message
    NUMERIC = "numeric"  # types a number into the bank's device or app, gets a code back
    QR = "qr"
    TEXT = "text"
    APPROVE = "approve"  # approves on another device; nothing to type


@dataclass(frozen=True, slots=True)
class Challenge:
    """A bank's wish for a one-time code."""

    session: Secret
    remote_link_id: str
    expires_in: int  # seconds from the receipt of the answer
    kind: ChallengeKind
    instructions: str = field(default="", repr=False)
    value: str = field(default="", repr=False)
    expects_input: bool = True
    written_kind: str = field(default="", repr=False)  # the provider's own word for it
    label: str = field(default="", repr=False)  # of the input
    pattern: str = field(default="", repr=False)  # of the input


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to be created: what the provider needs beside the typed values."""

    end_user_id: str
    end_user_name: str
    institution: str  # the provider's name of it; empty where the provider does not ask
    values: Values


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """The good answer of a connection test. A bad one is a ProviderError."""

    detail: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class PracticeHints:
    """What to type for practice, where a simulator stands in for the banks; empty where there is nothing to say."""

    create: str = ""
    update: str = ""
    code: str = ""
