"""A bank that responds exactly as a test scripts it, over a real socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from linkadmin.integrations.models import Integration
from tests.providers.conftest import Behaviour, Script, reply

LINK_ID = "30cb4806-6e00-4d0a-9f0e-0c5d5f0a1b2c"
SESSION = "8c7b1f0e5d3a4b6c9f2e1d0c7b8a4806"
REQUEST_ID = "9e7b283c6efa449c9c028a16b5c24806"


@contextmanager
def answering(integration: Integration, *behaviours: Behaviour) -> Iterator[Script]:
    """Have an integration's provider respond with these behaviors, one per call, the last one forever."""
    script = Script(list(behaviours))
    before = integration.base_url
    Integration.objects.filter(pk=integration.pk).update(base_url=script.url)
    try:
        yield script
    finally:
        Integration.objects.filter(pk=integration.pk).update(base_url=before)
        script.stop()


def asks(link: str = LINK_ID, **shown: Any) -> Behaviour:
    """Ask for a code and show this."""
    body: dict[str, Any] = {"code": "token_required", "message": "A MFA token is required by the institution to login"}
    body |= {"session": SESSION, "expiry": 720, "link": link, "request_id": REQUEST_ID}
    return reply(428, body | ({"token_generation_data": shown} if shown else {}))


def takes(link: str = LINK_ID, status: int = 200, **facts: Any) -> Behaviour:
    """Accept what was sent and return the link's record."""
    return reply(status, {"id": link, "institution": "erebor_mx_retail", "status": "valid", **facts})
