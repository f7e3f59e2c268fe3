"""Status checks of links: what the provider's records say now. Nothing here contacts a bank."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.integrations import call_pool, connections
from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound, ProviderError
from linkadmin.providers.types import BY_CONSENT, Capability, Cause, HealthState, LinkRef, Observation, RemoteLink

from . import refusals, slots
from .link_updates import works
from .models import Operation, State

logger = structlog.get_logger(__name__)


def refresh(*, actor: User, link: Link, seconds: float) -> bool:
    """Check a link for a person, waiting at most `seconds`; False if the check still runs."""
    require_in_use(link.integration)
    with slots.slot_for(link.integration_id, person=actor) as held:
        record(
            actor=actor,
            action=Action.LINK_CHECKED,
            object_type=ObjectType.LINK,
            object_id=str(link.pk),
            outcome=Outcome.REQUESTED,
        )
        call_pool.start(link.pk, held, lambda: read_quietly(link))
    return call_pool.wait_for(link.pk, seconds)


def require_in_use(integration: Integration) -> None:
    if not integration.is_active:
        raise refusals.IntegrationOff


def read(link: Link, *, in_background: bool = False) -> RemoteLink | None:
    """Check a link and store the result; None if the provider no longer has it.

    Raises `ProviderError` if the provider couldn't be reached: the link keeps its status.
    """
    checked_at = timezone.now()
    health.start_check([link.pk], at=checked_at)
    try:
        provider = connections.client_for(link.integration, in_background=in_background)
        listed = provider.read_link(link.ref)
        remote = _with_consent(provider, link, listed)
    except NotFound as error:
        _take_absence(link, error)
        return None
    _take(link, remote, listed, checked_at)
    return remote


def read_many(links: Sequence[Link]) -> list[Link]:
    """Check links of one integration in the background, with as few requests as possible; return those not listed.

    Raises `ProviderError` if the provider couldn't be reached: links not read yet keep their status.
    """
    missing: list[Link] = []
    by_ref = {link.ref: link for link in links}
    for refs in batches(links[0].integration, list(by_ref)) if links else ():
        batch = [by_ref[ref] for ref in refs]
        if _needs_consent(batch[0].integration, refs[0]):
            gone = [link for link in batch if read(link, in_background=True) is None]
            health.note_missing([link.pk for link in gone], at=timezone.now())  # so that the second check decides
            missing += gone
        else:
            missing += _check_batch(batch)
    return missing


def batches(integration: Integration, refs: Sequence[LinkRef]) -> list[list[LinkRef]]:
    # A link whose consent is read too gets its own request.
    alone = [[ref] for ref in refs if _needs_consent(integration, ref)]
    return alone + integration.provider_class.batches([ref for ref in refs if not _needs_consent(integration, ref)])


def read_quietly(link: Link) -> None:
    try:
        read(link)
    except ProviderError as error:
        health.note_failed_check(link, why=why_check_failed(error), at=timezone.now())


def why_check_failed(error: ProviderError) -> str:
    failure = error.failure
    return failure.code or failure.reason or f"HTTP {failure.status}"  # a response may have only a status


def _check_batch(links: Sequence[Link]) -> list[Link]:
    """Returns the links missing from the response, which need a second check."""
    integration, checked_at = links[0].integration, timezone.now()
    health.start_check([link.pk for link in links], at=checked_at)
    provider = connections.client_for(integration, in_background=True)
    found = {remote.remote_id: remote for remote in provider.read_links([link.ref for link in links])}
    listed = [(link, found[link.remote_id]) for link in links if link.remote_id in found]
    same = health.observe_same(
        # A link waiting for a code is judged by its open operation.
        {
            link.pk: health.fingerprint_of(remote)
            for link, remote in listed
            if remote.observation.cause is not Cause.UNCONFIRMED
        },
        at=checked_at,
    )
    for link, remote in listed:
        if link.pk not in same:
            _take(link, remote, remote, checked_at)
    missing = [link for link in links if link.remote_id not in found]
    health.note_missing([link.pk for link in missing], at=checked_at)
    return missing


def _take(link: Link, remote: RemoteLink, listed: RemoteLink, checked_at: datetime) -> None:
    # Records are as of the request, not the response.
    health.observe_remote(
        link,
        without_attempt(link, remote),
        source=health.Source.LIST,
        at=checked_at,
        fingerprint=health.fingerprint_of(listed),
    )


def _needs_consent(integration: Integration, ref: LinkRef) -> bool:
    return ref.integration_type in BY_CONSENT and integration.can(Capability.CONSENTS)


def _with_consent(provider: Provider, link: Link, remote: RemoteLink) -> RemoteLink:
    """The newest consent decides where the link itself works: the two expire independently."""
    seen = remote.observation
    if not _needs_consent(link.integration, link.ref) or not works(seen):
        return remote
    try:
        newest = next(iter(provider.list_consents(link.ref)), None)
    except ProviderError as error:  # the link itself was checked
        logger.warning("consents.unasked", link_id=str(link.pk), error=type(error).__name__)
        return remote
    if newest is None:
        return remote
    if works(newest.observation):
        told = newest.observation
        seen = replace(seen, renew_by=told.renew_by, renewal_known=told.renewal_known)
        return replace(remote, observation=seen)
    return replace(remote, observation=replace(newest.observation, last_good_at=seen.last_good_at))


def without_attempt(link: Link, remote: RemoteLink) -> RemoteLink:
    """Judge a record that waits for a code by whether an operation does.

    An open code step wins over the list. A registration without an open step was never confirmed.
    """
    seen = remote.observation
    if seen.cause not in (Cause.UNCONFIRMED, Cause.CODE_NEEDED):
        return remote
    states = set(Operation.objects.open().filter(link=link).values_list("state", flat=True))
    if State.NEEDS_CODE in states:
        return replace(remote, observation=replace(seen, cause=Cause.CODE_WAITING))
    if seen.cause is Cause.CODE_NEEDED or states:
        return remote
    return replace(remote, observation=replace(seen, cause=Cause.NEVER_CONFIRMED))


@transaction.atomic
def _take_absence(link: Link, error: NotFound) -> None:
    seen = error.observation or Observation(cause=Cause.GONE, raw_code=error.failure.code)
    # Missing from the full list and when read alone: the link is gone, whatever the 404 was about.
    is_ended = VERDICTS[seen.cause].state is HealthState.DISCONNECTED
    if not is_ended and Link.objects.filter(pk=link.pk, missing_since__isnull=False).exists():
        seen = replace(seen, cause=Cause.MISSING)
    report = health.Report(seen, health.Source.LIST, timezone.now(), request_id=error.failure.request_id)
    health.observe(link, report)
