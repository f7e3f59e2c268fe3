"""Fresh reads of one link: what the provider's records say now. Nothing here contacts a bank."""

from dataclasses import replace

import structlog
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.database import release_connections
from linkadmin.links import connections, health
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Integration, Link
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound, ProviderError
from linkadmin.providers.types import Capability, Cause, HealthState, Observation, RemoteLink

from . import refusals, runner
from .models import Operation

logger = structlog.get_logger(__name__)

Source = health.Source
OF_CONSENT = ("openfinance", "openbanking")  # where the customer gives the bank a consent instead of a password to us


def refresh(*, actor: User, link: Link, seconds: float) -> bool:
    """Read a link for a person, waiting at most `seconds`; tell whether the answer is in."""
    require_in_use(link.integration)
    with runner.place(link.integration_id) as held:
        log.record(
            actor=actor, action="link.refreshed", object_type="link", object_id=str(link.pk), outcome=Outcome.REQUESTED
        )
        runner.start(link.pk, held, lambda: read_quietly(link))
    return runner.wait_for(link.pk, seconds)


def require_in_use(integration: Integration) -> None:
    """Refuse to ask a provider through an integration that is switched off."""
    if not integration.is_active:
        raise refusals.IntegrationOff


def read(link: Link) -> RemoteLink | None:
    """Read a link and take what comes into account; None when the provider does not know it any more.

    Raises `ProviderError` when it could not be asked: that changes no state.
    """
    asked_at = timezone.now()
    try:
        provider = connections.connect(link.integration)
        release_connections()
        remote = _with_consent(provider, link, provider.read_link(link.ref))
    except NotFound as error:
        _take_absence(link, error)
        return None
    except ProviderError as error:
        connections.note_keys(link.integration, error)
        raise
    connections.note_good_keys(link.integration)
    remote = _without_attempt(link, remote)
    # What is true was true when we asked, not when the answer came.
    health.observe_remote(link, remote, source=Source.LIST, at=asked_at)
    return remote


def read_quietly(link: Link) -> None:
    """Read a link; a failure to ask is noted with it and nothing more."""
    try:
        read(link)
    except ProviderError as error:
        health.note_unasked(link, why=error.failure.code or error.failure.reason, at=timezone.now())


def _with_consent(provider: Provider, link: Link, remote: RemoteLink) -> RemoteLink:
    """Let the newest consent decide where the link itself says that it works: the two are clocks of their own."""
    seen = remote.observation
    of_consent = link.institution is not None and link.institution.integration_type in OF_CONSENT
    if not of_consent or not link.integration.can(Capability.CONSENTS) or not _works(seen):
        return remote
    try:
        newest = next(iter(provider.list_consents(link.ref)), None)
    except ProviderError as error:  # the link was asked about all the same
        logger.warning("consents.unasked", link_id=str(link.pk), error=type(error).__name__)
        return remote
    if newest is None:
        return remote
    if _works(newest.observation):
        return replace(remote, observation=replace(seen, renew_by=newest.observation.renew_by))
    return replace(remote, observation=replace(newest.observation, last_good_at=seen.last_good_at))


def _works(seen: Observation) -> bool:
    return VERDICTS[seen.cause].state is HealthState.HEALTHY


def _without_attempt(link: Link, remote: RemoteLink) -> RemoteLink:
    """A registration that waits for a code which nobody can give any more was never confirmed."""
    if remote.observation.cause is not Cause.UNCONFIRMED or Operation.objects.open().filter(link=link).exists():
        return remote
    return replace(remote, observation=replace(remote.observation, cause=Cause.NEVER_CONFIRMED))


@transaction.atomic
def _take_absence(link: Link, error: NotFound) -> None:
    seen = error.observation or Observation(cause=Cause.GONE, raw_code=error.failure.code)
    report = health.Report(seen, Source.LIST, timezone.now(), request_id=error.failure.request_id)
    health.observe(link, report)
