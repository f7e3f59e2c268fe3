"""Belvo on a real socket, behind its integration's rate limiter, and calls to make."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from linkadmin.integrations.connections import client_for
from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import CircuitBreaker, Integration
from linkadmin.integrations.rate_limiter import RateLimiter
from linkadmin.providers.errors import ProviderError
from linkadmin.providers.http.admission import AttemptResult, Denial
from linkadmin.providers.types import LinkRef, RemoteLink, Secret
from tests.providers.conftest import Behaviour, Script, reply, send

LINK = LinkRef("30cb4806-6e00-48a4-91c9-ca55968576c8", "cust-1")
GOOD = reply(200, {"id": LINK.remote_id, "institution": "erebor_mx_retail", "status": "valid"})
SILENCE = send(b"")

Serve = Callable[..., Script]


@pytest.fixture
def belvo() -> Integration:
    belvo = Integration.objects.create(provider="belvo", name="Belvo test", base_url="http://127.0.0.1:9")
    store_secret(belvo, "secret_id", Secret("sandbox-id"))
    store_secret(belvo, "secret_password", Secret("sandbox-password"))
    return belvo


@pytest.fixture
def serve(belvo: Integration) -> Iterator[Serve]:
    """Script Belvo's responses, one per call; the last one repeats."""
    scripts: list[Script] = []

    def start(*behaviours: Behaviour) -> Script:
        scripts.append(Script(list(behaviours)))
        belvo.base_url = scripts[-1].url
        return scripts[-1]

    yield start
    for script in scripts:
        script.stop()


def read(belvo: Integration) -> RemoteLink:
    return client_for(belvo).read_link(LINK)


def update(belvo: Integration) -> RemoteLink:
    return client_for(belvo).update_credentials(LINK, {"password": Secret("pass-word")})


def failed(call: Callable[[Integration], object], belvo: Integration, times: int = 1) -> str:
    """Make failing calls; return the last reason."""
    for _each in range(times):
        with pytest.raises(ProviderError) as caught:
            call(belvo)
    return caught.value.failure.reason


def breaker_of(belvo: Integration, **changed: object) -> CircuitBreaker:
    """Update and return an integration's circuit breaker."""
    CircuitBreaker.objects.update_or_create(integration=belvo, defaults=changed)
    return CircuitBreaker.objects.get(integration=belvo)


def limiter_of(belvo: Integration, *, in_background: bool = False) -> RateLimiter:
    return RateLimiter(belvo.pk, in_background=in_background)


def is_admitted(belvo: Integration, *, in_background: bool = False) -> bool:
    """Start and end a call; return whether it was admitted."""
    permit = limiter_of(belvo, in_background=in_background).admit("read_link", seconds=15)
    if isinstance(permit, Denial):
        return False
    permit.release(AttemptResult())
    return True


def at_once(callers: int, act: Callable[[], object]) -> list[object]:
    """Run in many threads with their own database connections, like as many processes."""
    barrier = threading.Barrier(callers)

    def run(_number: int) -> object:
        try:
            barrier.wait(60)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(callers) as threads:
        return list(threads.map(run, range(callers)))
