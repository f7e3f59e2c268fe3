"""System checks: settings that must not be used in production, and a database of this version."""

from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.recorder import MigrationRecorder

from linkadmin import environment as env

REFUSAL = (
    "An earlier version created this database, and this version can't use it: start with an empty one. "
    "Keep the old one with the version that created it, to look things up and verify its audit log."
)


@register(Tags.security, deploy=True)
def keys_are_given(**kwargs: Any) -> list[CheckMessage]:
    # Without its own key, each process makes one up, so the setting alone doesn't show that it's missing.
    secret_key = env.secret("LINKADMIN_SECRET_KEY", kept_in=settings.KEYS_DIR / "secret_key")
    keys = {
        "LINKADMIN_SECRET_KEY": secret_key,
        "LINKADMIN_SEALING_KEYSET": settings.SEALING_KEYSET,
        "LINKADMIN_AUDIT_KEY": settings.AUDIT_KEY,
    }
    return [
        Error(f"{name} isn't set.", hint=f"Set it, or {name}_FILE, or run `manage.py makekeys`.", id="linkadmin.E001")
        for name, key in keys.items()
        if not key
    ]


@register(Tags.security, deploy=True)
def nothing_is_for_development(**kwargs: Any) -> list[CheckMessage]:
    loopback = Error(
        "Providers on this machine are allowed.",
        hint="LINKADMIN_ALLOW_LOOPBACK_PROVIDERS is for development and tests.",
        id="linkadmin.E002",
    )
    demo = Error("Demo staff can sign in with a published password.", hint="Unset LINKADMIN_DEMO.", id="linkadmin.E003")
    found = ((settings.ALLOW_LOOPBACK_PROVIDERS, loopback), (settings.DEMO, demo))
    return [error for is_on, error in found if is_on]


@register(Tags.security, deploy=True)
def proxies_are_counted(**kwargs: Any) -> list[CheckMessage]:
    behind_proxy = settings.SECURE_PROXY_SSL_HEADER is not None
    if behind_proxy == bool(settings.TRUSTED_PROXIES):
        return []
    problem = (
        "Every visitor has the proxy's IP address and shares one sign-in limit."
        if behind_proxy
        else "X-Forwarded-For is trusted, but no proxy terminates TLS: direct clients can claim any IP address."
    )
    hint = "Set LINKADMIN_BEHIND_PROXY and LINKADMIN_TRUSTED_PROXIES (the number of proxies) together."
    return [Error(problem, hint=hint, id="linkadmin.E004")]


def is_from_earlier_version(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Raises DatabaseError."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    ours = {app.label: Path(app.path) for app in apps.get_app_configs() if app.name.startswith("linkadmin.")}
    return any(label in ours and not (ours[label] / "migrations" / f"{name}.py").exists() for label, name in applied)


@register(Tags.database)
def database_is_of_this_version(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to migrate a database that would look migrated: old initial migrations have the same names."""
    is_old = any(is_from_earlier_version(alias) for alias in kwargs["databases"] or ())
    return [Error(REFUSAL, id="linkadmin.E005")] if is_old else []
