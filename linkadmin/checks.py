"""System checks: what is unsafe in production, and a database of this version.

Programs log them when they start, and refuse to if one is critical.
"""

from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Critical, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.recorder import MigrationRecorder

from linkadmin import environment as env
from linkadmin.providers.http.addresses import LOOPBACK_HOSTS, InvalidBaseUrl
from linkadmin.providers.http.plain_text import check_service_url
from linkadmin.providers.http.signed_requests import check_url

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
MOST_PROXIES = 5

REFUSAL = (
    "An earlier version created this database, and this version can't use it: start with an empty one. "
    "Keep the old one with the version that created it, to look things up and verify its audit log."
)


@register(Tags.security, deploy=True)
def keys_are_given(**kwargs: Any) -> list[CheckMessage]:
    hint = "Set it, or {name}_FILE, or run `manage.py makekeys`."
    missing = [name for name, key in _keys().items() if not key]
    return [Critical(f"{name} isn't set.", hint=hint.format(name=name), id="linkadmin.E001") for name in missing]


@register(Tags.security, deploy=True)
def keys_are_secret(**kwargs: Any) -> list[CheckMessage]:
    given = {name: key for name, key in _keys().items() if key}
    hint = "Run `manage.py makekeys` in an empty data folder, and use what it creates."
    weak = [f"{name} is easy to guess." for name, key in given.items() if len(key) < 32 or len(set(key)) < 8]
    shared = [f"{name} is also used as another key." for name in given if list(given.values()).count(given[name]) > 1]
    return [Error(problem, hint=hint, id="linkadmin.E006") for problem in weak + shared]


def _keys() -> dict[str, str]:
    # Without its own key, each process makes one up, so the setting alone doesn't show that it's missing.
    return {
        "LINKADMIN_SECRET_KEY": env.secret("LINKADMIN_SECRET_KEY", kept_in=settings.KEYS_DIR / "secret_key"),
        "LINKADMIN_SEALING_KEYSET": settings.SEALING_KEYSET,
        "LINKADMIN_AUDIT_KEY": settings.AUDIT_KEY,
    }


@register(Tags.security, deploy=True)
def nothing_is_for_development(**kwargs: Any) -> list[CheckMessage]:
    kind = Critical if settings.SECURE_COOKIES else Error  # tests of whole programs use neither TLS nor real providers
    loopback = kind(
        "Providers on this machine are allowed.",
        hint="LINKADMIN_ALLOW_LOOPBACK_PROVIDERS is for development and tests.",
        id="linkadmin.E002",
    )
    demo = Error(
        "Demo staff can sign in with a published password, and nobody needs a second factor.",
        hint="Unset LINKADMIN_DEMO.",
        id="linkadmin.E003",
    )
    plain = Error(
        "Browsers may send sessions and passwords without TLS.",
        hint="Unset LINKADMIN_SECURE_COOKIES. It also turns on HSTS.",
        id="linkadmin.E007",
    )
    found = ((settings.ALLOW_LOOPBACK_PROVIDERS, loopback), (settings.DEMO, demo), (not settings.SECURE_COOKIES, plain))
    return [error for is_on, error in found if is_on]


@register(Tags.security, deploy=True)
def hosts_are_named(**kwargs: Any) -> list[CheckMessage]:
    hint = "Set LINKADMIN_ALLOWED_HOSTS to the host name that staff use."
    if "*" in settings.ALLOWED_HOSTS:
        problem = "Any host name is allowed, so a forged one gets into links that we send."
        return [Error(problem, hint=hint, id="linkadmin.E008")]
    if LOCAL_HOSTS.issuperset(settings.ALLOWED_HOSTS):
        return [Warning("Only browsers on this machine are answered.", hint=hint, id="linkadmin.W001")]
    return []


@register(Tags.security, deploy=True)
def passkeys_fit_hosts(**kwargs: Any) -> list[CheckMessage]:
    domain, hosts = settings.PASSKEY_DOMAIN, set(settings.ALLOWED_HOSTS) - LOCAL_HOSTS - {"*"}
    others = sorted(host for host in hosts if not f".{host}".endswith(f".{domain}"))
    problem = f"Passkeys belong to {domain}, so they don't work at {', '.join(others)}."
    hint = "Set LINKADMIN_PASSKEY_DOMAIN to the host name that staff use, or a domain above it."
    return [Warning(problem, hint=hint, id="linkadmin.W006")] if others else []


@register(Tags.security, deploy=True)
def proxies_are_counted(**kwargs: Any) -> list[CheckMessage]:
    behind_proxy = settings.SECURE_PROXY_SSL_HEADER is not None
    hint = "Set LINKADMIN_BEHIND_PROXY and LINKADMIN_TRUSTED_PROXIES (the number of proxies) together."
    if behind_proxy != bool(settings.TRUSTED_PROXIES):
        problem = (
            "Every visitor has the proxy's IP address and shares one sign-in limit."
            if behind_proxy
            else "X-Forwarded-For is trusted, but no proxy terminates TLS: direct clients can claim any IP address."
        )
        return [Error(problem, hint=hint, id="linkadmin.E004")]
    if settings.TRUSTED_PROXIES > MOST_PROXIES:
        problem = f"With {settings.TRUSTED_PROXIES} trusted proxies, clients can probably choose their IP address."
        return [Warning(problem, hint=hint, id="linkadmin.W002")]
    return []


@register(Tags.security, deploy=True)
def files_are_private(**kwargs: Any) -> list[CheckMessage]:
    keys: Path = settings.KEYS_DIR
    own = [path for path in (settings.DATA_DIR, keys, *sorted(keys.glob("*"))) if _mode(path) & 0o077]
    variables = [path for path in (settings.BASE_DIR / ".env",) if _mode(path) & 0o007]
    return [
        Warning(f"Others can read {path}.", hint=f"Run `chmod {rights} {path}`.", id="linkadmin.W003")
        for paths, rights in ((own, "go="), (variables, "o="))
        for path in paths
    ]


def _mode(path: Path) -> int:
    return path.stat().st_mode if path.exists() else 0


@register(Tags.security, deploy=True)
def other_services_are_safe(**kwargs: Any) -> list[CheckMessage]:
    server, found = settings.MAIL_SERVER, list[CheckMessage]()
    if server and not (server["use_ssl"] or server["use_tls"] or server["host"] in LOOPBACK_HOSTS):
        problem = "Invitations and the mail server's password are sent without TLS."
        hint = "Start LINKADMIN_EMAIL_URL with smtps:// or smtp+tls://."
        found.append(Error(problem, hint=hint, id="linkadmin.E009"))
    try:
        if settings.MESSAGE_WEBHOOK_URL:
            check_url(settings.MESSAGE_WEBHOOK_URL, allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS)
    except InvalidBaseUrl as error:
        hint = f"Correct LINKADMIN_MESSAGE_WEBHOOK_URL. {error}"
        found.append(Error("No SMS or WhatsApp messages are sent to customers.", hint=hint, id="linkadmin.E013"))
    try:
        if settings.LEAKED_PASSWORDS_URL:
            check_service_url(settings.LEAKED_PASSWORDS_URL, allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS)
    except InvalidBaseUrl as error:
        hint = f"Correct LINKADMIN_LEAKED_PASSWORDS_URL. {error}"
        found.append(Error("New passwords aren't checked against data breaches.", hint=hint, id="linkadmin.E010"))
    return found


@register(Tags.security, deploy=True)
def processes_share_a_broker(**kwargs: Any) -> list[CheckMessage]:
    if connection.vendor != "postgresql" or settings.CELERY_BROKER_URL != "filesystem://":
        return []
    problem = "Jobs wait in a folder and the cache is a table: slow, and workers on other machines get no jobs."
    return [Warning(problem, hint="Set LINKADMIN_REDIS_URL.", id="linkadmin.W004")]


def is_from_earlier_version(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Raises DatabaseError."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    ours = {app.label: Path(app.path) for app in apps.get_app_configs() if app.name.startswith("linkadmin.")}
    return any(label in ours and not (ours[label] / "migrations" / f"{name}.py").exists() for label, name in applied)


@register(Tags.database)
def database_is_of_this_version(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to migrate a database that would look migrated: old initial migrations have the same names."""
    is_old = any(is_from_earlier_version(alias) for alias in kwargs["databases"] or ())
    return [Critical(REFUSAL, id="linkadmin.E005")] if is_old else []
