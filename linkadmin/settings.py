"""All settings. Without environment variables: embedded (SQLite, file-system broker) and closed to the network.

`.env.example` lists and explains every variable. `make run` sets `LINKADMIN_DEMO=1`.
"""

import secrets
from pathlib import Path
from typing import Any

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from linkadmin import environment as env
from linkadmin.accounts.single_sign_on.settings import identity_provider
from linkadmin.hardening import keep_files_private
from linkadmin.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("LINKADMIN_DATA", str(BASE_DIR / "var"))).resolve()
KEYS_DIR = DATA_DIR / "keys"

DEBUG = env.flag("LINKADMIN_DEBUG")
DEMO = env.flag("LINKADMIN_DEMO")
DEMO_URL = env.text("LINKADMIN_DEMO_URL")  # where the demo's simulated providers send webhooks
SIMULATOR_URL = env.text("LINKADMIN_SIMULATOR_URL")  # linked in the demo: its page lists test values
ENVIRONMENT = env.text("LINKADMIN_ENVIRONMENT", "sandbox" if DEMO else "production")

# --- Keys: created once by `manage.py makekeys` unless they come from the environment ---
SECRET_KEY = env.secret("LINKADMIN_SECRET_KEY", kept_in=KEYS_DIR / "secret_key") or secrets.token_urlsafe(50)
SEALING_KEYSET = env.secret("LINKADMIN_SEALING_KEYSET", kept_in=KEYS_DIR / "sealing_keyset.json")
AUDIT_KEY = env.secret("LINKADMIN_AUDIT_KEY", kept_in=KEYS_DIR / "audit_key")
AUDIT_HEADS_FILE = env.text("LINKADMIN_AUDIT_HEADS_FILE")

# --- Network ---
ALLOWED_HOSTS = env.words("LINKADMIN_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_FAILURE_VIEW = "linkadmin.accounts.unsent.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.words("LINKADMIN_CSRF_TRUSTED_ORIGINS")
SECURE_COOKIES = env.flag("LINKADMIN_SECURE_COOKIES", default=not (DEMO or DEBUG))
SECURE_SSL_REDIRECT = SECURE_COOKIES
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("LINKADMIN_BEHIND_PROXY") else None
TRUSTED_PROXIES = env.count("LINKADMIN_TRUSTED_PROXIES", 0)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|livez|readyz|statusz)/$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("LINKADMIN_HSTS_SUBDOMAINS")
SECURE_HSTS_PRELOAD = env.flag("LINKADMIN_HSTS_PRELOAD")
SESSION_COOKIE_NAME = "__Host-session" if SECURE_COOKIES else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE_COOKIES else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "linkadmin.accounts.session_store"  # in the database, so that sessions can be listed and ended at once
SESSION_COOKIE_AGE = 8 * 60 * 60  # seconds, in total
SESSION_IDLE_SECONDS = int(env.number("LINKADMIN_SESSION_IDLE_SECONDS", 15 * 60))
POLICY_REPORT_URI = env.text("LINKADMIN_CSP_REPORT_URI", "/csp-reports/")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        **({"report-uri": [POLICY_REPORT_URI], "report-to": ["csp"]} if POLICY_REPORT_URI else {}),
    }
}

# --- Linkadmin's own apps ---
INSTALLED_APPS = [
    "linkadmin.accounts",  # before allauth and admin, so that its templates win
    "linkadmin.audit",
    "linkadmin.heartbeats",
    "linkadmin.staff_limits",
    "linkadmin.integrations",
    "linkadmin.links",
    "linkadmin.webhooks",
    "linkadmin.operations",
    "linkadmin.sync",
    "linkadmin.bulk",
    "linkadmin.repair",
    "linkadmin.reports",
    "linkadmin.demo",
    "linkadmin.simulator",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "template_partials",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "linkadmin.web.browser_policies.BrowserPolicies",
    "linkadmin.web.middleware.probes_and_reports_first",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # after static files, which are already compressed
    "linkadmin.web.middleware.request_id",
    "linkadmin.web.middleware.StorageRefusals",
    "linkadmin.web.middleware.NoNul",
    "linkadmin.accounts.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "linkadmin.web.middleware.PrivatePages",
    "linkadmin.accounts.middleware.session_limits",
    "linkadmin.accounts.middleware.DeclaredRights",
    "linkadmin.accounts.middleware.reader_time_zone",
    "linkadmin.staff_limits.middleware.StaffLimits",
]
ROOT_URLCONF = "linkadmin.urls"
WSGI_APPLICATION = "linkadmin.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "linkadmin.accounts.context.shell",
                "linkadmin.links.listing.context.environment",
            ],
            "builtins": [
                "linkadmin.web.icons",
                "linkadmin.links.templatetags.environments",
                "linkadmin.links.templatetags.names",
                "linkadmin.web.kept_parts",
                "linkadmin.web.page_parts",
                "linkadmin.timestamps",
            ],
        },
    }
]

# --- Data ---
DATABASE_WAIT_SECONDS = env.number("LINKADMIN_DATABASE_WAIT_SECONDS", 20)  # for a lock or a connection; wsgi.py: 5
DATABASES = {
    "default": env.database(
        "LINKADMIN_DATABASE_URL", embedded=DATA_DIR / "linkadmin.sqlite3", wait_seconds=DATABASE_WAIT_SECONDS
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.secret("LINKADMIN_REDIS_URL")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    # Shared by all processes, never local memory. Provider responses may have up to a megabyte each.
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 500},
    }
}

# --- Jobs. The broker is Redis or RabbitMQ by URL; otherwise folders beside the database. ---
CELERY_BROKER_URL = env.secret("LINKADMIN_BROKER_URL") or REDIS_URL or "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "data_folder_in": DATA_DIR / "broker" / "messages",
        "data_folder_out": DATA_DIR / "broker" / "messages",
        "control_folder": DATA_DIR / "broker" / "control",
    }
    if CELERY_BROKER_URL == "filesystem://"
    # Otherwise lost work is looked for only every 100 s.
    else {"visibility_timeout": 600, "unacked_restore_interval": 5, "unacked_restore_throttle": 1}
    if CELERY_BROKER_URL.startswith("redis")
    else {}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # our log goes to stderr: beat's would be lost if redirected into itself
CELERY_TIMEZONE = "UTC"
TICK = min(env.number("LINKADMIN_SWEEP_SECONDS", 5), 30)  # how soon work is found if its message was lost
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat" / "schedule")
CELERY_BEAT_SCHEDULER = "linkadmin.heartbeats.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "heartbeats.tick",
        "schedule": TICK,
        "args": [
            [
                "audit.check_clock",
                "sync.wake_reads",
                "sync.wake_full_checks",
                "bulk.wake_jobs",
                "operations.wake_due",
                "operations.close_overdue",
                "repair.end_over",
                "repair.read_sessions",
                "sync.tick_seconds",
                "sync.fold_counts",
                "webhooks.process_deliveries",  # last: it may take a while
            ]
        ],
        "options": {"expires": 30},  # a worker that was away needn't make up for missed ones
    },
    "verify the audit log": {"task": "audit.verify", "schedule": crontab(hour=3, minute=10)},
    "sign the audit log's head": {"task": "audit.sign_head", "schedule": 60},
    "delete expired sign-in limits": {"task": "accounts.delete_expired_limits", "schedule": 15 * 60},
    "delete expired invitations": {"task": "accounts.delete_expired_invitations", "schedule": 60 * 60},
    "expire approval requests": {"task": "accounts.expire_approval_requests", "schedule": 60 * 60},
    "end expired sessions": {"task": "accounts.end_expired_sessions", "schedule": 60},
    "delete old deliveries": {"task": "webhooks.delete_old", "schedule": crontab(hour=3, minute=40)},
    "tick: minutes": {"task": "sync.tick_minutes", "schedule": 60},
    "recount links": {"task": "sync.recount", "schedule": crontab(hour=3, minute=20)},
    "read institution lists": {"task": "sync.wake_institution_lists", "schedule": 60},
}

# --- Webhooks ---
DELIVERIES_KEPT_DAYS = env.number("LINKADMIN_DELIVERIES_KEPT_DAYS", 90)

# --- Providers ---
ALLOW_LOOPBACK_PROVIDERS = env.flag("LINKADMIN_ALLOW_LOOPBACK_PROVIDERS", default=DEMO)
PROVIDER_READ_SECONDS = env.number("LINKADMIN_PROVIDER_READ_SECONDS", 15)
PROVIDER_CHANGE_SECONDS = env.number("LINKADMIN_PROVIDER_CHANGE_SECONDS", 30)
PROVIDER_CREDENTIALS_SECONDS = env.number("LINKADMIN_PROVIDER_CREDENTIALS_SECONDS", 310)
FULL_CHECK_EVERY_SECONDS = env.number("LINKADMIN_SWEEP_LINKS_SECONDS", 15 * 60)  # between full checks
LEASE_MARGIN_SECONDS = env.number("LINKADMIN_LEASE_MARGIN_SECONDS", 30)
OPERATION_ANSWER_SECONDS = 1.5  # how long a form waits for a call, so that it responds within two seconds
OPERATION_UNDECIDED_SECONDS = env.number("LINKADMIN_OPERATION_UNDECIDED_SECONDS", 15 * 60)
# A link's real outcome can't be read while the provider may still be working on it (Belvo: up to five minutes).
RECONCILE_SETTLED_SECONDS = env.number("LINKADMIN_RECONCILE_SETTLED_SECONDS", 310)
CALLS_AT_ONCE_PER_INTEGRATION = int(env.number("LINKADMIN_CALLS_AT_ONCE_PER_INTEGRATION", 8))  # across all processes
CALLS_AT_ONCE = 200  # per process; threads start when needed
# A provider's records may lag behind a repair: it's verified for this long before the link returns to the work list.
PROOF_SECONDS = env.number("LINKADMIN_PROOF_SECONDS", 30 * 60)
BREAKER_FAILURES_IN_A_ROW = int(env.number("LINKADMIN_BREAKER_FAILURES_IN_A_ROW", 5))
BREAKER_PAUSE_SECONDS = env.number("LINKADMIN_BREAKER_PAUSE_SECONDS", 30)
RETRY_BASE_SECONDS, RETRY_CAP_SECONDS = 0.5, 20.0  # the first pause before a read is retried is at most the base

# --- Sign-in ---
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["linkadmin.accounts.backend.LimitedBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LEAKED_PASSWORDS_URL = env.text("LINKADMIN_LEAKED_PASSWORDS_URL")
if LEAKED_PASSWORDS_URL:
    AUTH_PASSWORD_VALIDATORS.append(
        {
            "NAME": "linkadmin.accounts.external.leaked_passwords.LeakedPasswordValidator",
            "OPTIONS": {"url": LEAKED_PASSWORDS_URL},
        }
    )
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "linkadmin.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_FORMS = {"change_password": "linkadmin.accounts.backend.LimitedChangePasswordForm"}
ACCOUNT_RATE_LIMITS = False  # accounts/limits.py counts exactly, in rows that other traffic doesn't evict
ACCOUNT_LOGIN_TIMEOUT = 5 * 60  # seconds between a password and its second factor
MFA_ADAPTER = "linkadmin.accounts.factors.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]  # recovery codes are ours: allauth derives its own from a stored seed
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds that a device's clock may be off
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_PASSKEY_LOGIN_ENABLED = True
# Part of each passkey: with another one, none of them works.
PASSKEY_DOMAIN = env.text("LINKADMIN_PASSKEY_DOMAIN", next(iter(ALLOWED_HOSTS), ""))
SECOND_FACTOR_REQUIRED = not DEMO
IDENTITY_PROVIDER = identity_provider(
    issuer=env.text("LINKADMIN_OIDC_ISSUER"),
    client_id=env.text("LINKADMIN_OIDC_CLIENT_ID"),
    client_secret=env.secret("LINKADMIN_OIDC_CLIENT_SECRET"),
    name=env.text("LINKADMIN_OIDC_NAME", "single sign-on"),
    scopes=env.text("LINKADMIN_OIDC_SCOPES", "openid profile"),
    role_claim=env.text("LINKADMIN_OIDC_ROLE_CLAIM", "roles"),
    roles=env.words("LINKADMIN_OIDC_ROLES"),
    allow_loopback=ALLOW_LOOPBACK_PROVIDERS,
)
PASSWORD_SIGN_IN = env.flag("LINKADMIN_PASSWORD_SIGN_IN", default=True)
if not (PASSWORD_SIGN_IN or IDENTITY_PROVIDER):
    raise ImproperlyConfigured("LINKADMIN_PASSWORD_SIGN_IN is 0, but LINKADMIN_OIDC_ISSUER isn't set")
# How long a sign-in or a confirmation is enough for support's acts, and for administrators' acts and exports.
CONFIRMED_SECONDS = env.number("LINKADMIN_CONFIRMED_SECONDS", 60 * 60)
CONFIRMED_BRIEFLY_SECONDS = env.number("LINKADMIN_CONFIRMED_BRIEFLY_SECONDS", 10 * 60)
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # only accounts/external/mail.py sends e-mail
MAIL_SERVER = env.mail_server("LINKADMIN_EMAIL_URL")
MAIL_FROM = env.text("LINKADMIN_EMAIL_FROM", f"linkadmin@{ALLOWED_HOSTS[0]}" if ALLOWED_HOSTS else "")

# --- What customers see ---
COMPANY_NAME = env.text("LINKADMIN_COMPANY_NAME", "Linkadmin")
COMPANY_LOGO = env.image("LINKADMIN_COMPANY_LOGO")
MESSAGE_TONE = env.choice("LINKADMIN_MESSAGE_TONE", "neutral", "friendly")
MESSAGE_WEBHOOK_URL = env.text("LINKADMIN_MESSAGE_WEBHOOK_URL")
MESSAGE_WEBHOOK_SECRET = env.secret("LINKADMIN_MESSAGE_WEBHOOK_SECRET")
CUSTOMER_LANGUAGE = env.choice("LINKADMIN_CUSTOMER_LANGUAGE", "en", "es", "pt-br")  # of those who have none
# Origins of the providers' pages where customers repair links, if they aren't the providers' own.
HOSTED_PAGES = env.words("LINKADMIN_HOSTED_PAGES")

# --- What one person may see and do: when it's noted, and where it stops. 0 for no limit. ---
MANAGERS_SEE = env.choice("LINKADMIN_MANAGERS_SEE", "all", "own")  # customers
STAFF_LIMITS = {
    "customers_opened": (
        env.count("LINKADMIN_CUSTOMERS_OPENED_WARNING", 150),
        env.count("LINKADMIN_CUSTOMERS_OPENED_PER_HOUR", 250),
    ),
    "customers_listed": (
        env.count("LINKADMIN_CUSTOMERS_LISTED_WARNING", 2000),
        env.count("LINKADMIN_CUSTOMERS_LISTED_PER_HOUR", 4000),
    ),
    "exports": (env.count("LINKADMIN_EXPORTS_WARNING", 4), env.count("LINKADMIN_EXPORTS_PER_DAY", 5)),
    "credentials": (env.count("LINKADMIN_CREDENTIALS_WARNING", 15), env.count("LINKADMIN_CREDENTIALS_PER_HOUR", 20)),
}
EXPORT_ROWS = env.count("LINKADMIN_EXPORT_ROWS", 100_000)  # of one file; 0 for no limit

# --- Language and time ---
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "linkadmin" / "locale"]
FORMAT_MODULE_PATH = ["linkadmin.formats"]
TIME_ZONE = "UTC"

# --- Static files ---
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "linkadmin.web.icons.SpriteFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Requests ---
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
BODY_SECONDS = env.number("LINKADMIN_BODY_SECONDS", 10)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DEFAULT_EXCEPTION_REPORTER_FILTER = "linkadmin.logs.NoValues"

keep_files_private(DATA_DIR)

LOGGING = logging_config(level=env.text("LINKADMIN_LOG_LEVEL", "INFO").upper())
LOGGING_CONFIG = "linkadmin.logs.configure"
# Both affect the whole domain, so its administrator has to enable them.
SILENCED_SYSTEM_CHECKS: list[str] = [
    *([] if SECURE_HSTS_INCLUDE_SUBDOMAINS else ["security.W005"]),
    *([] if SECURE_HSTS_PRELOAD else ["security.W021"]),
]
