"""The mark of what is in the sandbox, where there's production as well."""

from linkadmin.accounts.models import Environment
from linkadmin.integrations.models import Integration
from linkadmin.web.flat_parts import FlatPart

from .known import environments

_MARK = FlatPart("partials/_sandbox.html")


def is_marked(integration: Integration) -> bool:
    return integration.environment == Environment.SANDBOX and len(environments()) > 1


def marked(words: str, integration: Integration) -> str:
    """Words about something, without markup."""
    return f"{Environment.SANDBOX.label} · {words}" if is_marked(integration) else words


def sandbox_mark(integration: Integration) -> str:
    """Markup; empty for production, or if all is sandbox."""
    return _MARK.fill([{}] if is_marked(integration) else [])
