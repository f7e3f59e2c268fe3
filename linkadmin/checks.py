"""System checks of a deployment: what must not be true where real customers are."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from linkadmin import environment as env


@register(Tags.security, deploy=True)
def keys_are_given(**kwargs: Any) -> list[CheckMessage]:
    # Without a key of its own each process makes one up, so the setting alone does not tell.
    secret_key = env.secret("LINKADMIN_SECRET_KEY", kept_in=settings.KEYS_DIR / "secret_key")
    keys = {
        "LINKADMIN_SECRET_KEY": secret_key,
        "LINKADMIN_SEALING_KEYSET": settings.SEALING_KEYSET,
        "LINKADMIN_AUDIT_KEY": settings.AUDIT_KEY,
    }
    return [
        Error(f"{name} is not set.", hint=f"Set it, or {name}_FILE, or run `manage.py makekeys`.", id="linkadmin.E001")
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
    demo = Error("Demo staff can log in with a published password.", hint="Unset LINKADMIN_DEMO.", id="linkadmin.E003")
    found = ((settings.ALLOW_LOOPBACK_PROVIDERS, loopback), (settings.DEMO, demo))
    return [error for is_on, error in found if is_on]


@register(Tags.security, deploy=True)
def proxies_are_counted(**kwargs: Any) -> list[CheckMessage]:
    behind_proxy = settings.SECURE_PROXY_SSL_HEADER is not None
    if behind_proxy == bool(settings.TRUSTED_PROXIES):
        return []
    problem = (
        "Everybody has the address of the proxy, and shares its sign-in limit."
        if behind_proxy
        else "X-Forwarded-For is believed, but no proxy ends TLS: whoever connects directly can claim any address."
    )
    hint = "LINKADMIN_BEHIND_PROXY and LINKADMIN_TRUSTED_PROXIES (how many, 1 for a single one) belong together."
    return [Error(problem, hint=hint, id="linkadmin.E004")]
