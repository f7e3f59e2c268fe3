"""Demo data never becomes production: its staff have a published password, its providers are simulated."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Critical, Warning, register
from django.db import DatabaseError

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.providers.http.addresses import LOOPBACK_HOSTS

from .casting import id_of
from .names import STAFF

REFUSAL = (
    "This database contains demo staff with a published password, so Linkadmin doesn't start. Use "
    "another database, or set LINKADMIN_DEMO=1 if this is the demo."
)


def has_demo_staff() -> bool:
    """Raises DatabaseError."""
    return User.objects.filter(pk__in=[id_of("staff", username) for username, *_ in STAFF]).exists()


def demo_data() -> list[CheckMessage]:
    """Raises DatabaseError."""
    if settings.DEMO:
        return []
    found: list[CheckMessage] = []
    if has_demo_staff():
        found.append(Critical(REFUSAL, id="linkadmin.E011"))
    urls = Integration.objects.values_list("base_url", flat=True)
    if any(urlsplit(url).hostname in LOOPBACK_HOSTS for url in urls):
        hint = "Use another database, or change their base URLs."
        found.append(Warning("Integrations have a simulated provider on this machine.", hint=hint, id="linkadmin.W005"))
    return found


@register("demo", deploy=True)
def no_demo_data(**kwargs: Any) -> list[CheckMessage]:
    try:
        return demo_data()
    except DatabaseError:  # it may have no tables yet
        return []
