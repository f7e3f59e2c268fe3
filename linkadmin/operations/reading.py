"""Fresh reads of one link: what the provider's records say now. Nothing here contacts a bank."""

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
    """Read a link for a person, waiting at most `seconds`; tell whether the answer is in."""
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
    """Refuse to ask a provider through an integration that is switched off."""
    if not integration.is_active:
        raise refusals.IntegrationOff


def read(link: Link, *, in_background: bool = False) -> RemoteLink | None:
    """Read a link and take what comes into account; None when the provider does not know it any more.

    Raises `ProviderError` when it could not be asked: that changes no state.
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
    """Read links of one integration in the background, by as few calls as may be; return those that were not there.

    Raises `ProviderError` when they could not be asked about: that changes no state of those that are not read yet.
    """
    missing: list[Link] = []
    by_ref = {link.ref: link for link in links}
    for refs in batches(links[0].integration, list(by_ref)) if links else ():
        batch = [by_ref[ref] for ref in refs]
        if _needs_consent(batch[0].integration, refs[0]):
            gone = [link for link in batch if read(link, in_background=True) is None]
            health.note_missing([link.pk for link in gone], at=timezone.now())  # so that the second look is the last
            missing += gone
        else:
            missing += _read_batch(batch)
    return missing


def batches(integration: Integration, refs: Sequence[LinkRef]) -> list[list[LinkRef]]:
    """Cut links of an integration into those that are read together; one whose consent is read too is read alone."""
    alone = [[ref] for ref in refs if _needs_consent(integration, ref)]
    return alone + integration.provider_class.batches([ref for ref in refs if not _needs_consent(integration, ref)])


def read_quietly(link: Link) -> None:
    """Read a link; a failure to ask is noted with it and nothing more."""
    try:
        read(link)
    except ProviderError as error:
        health.note_failed_check(link, why=why_check_failed(error), at=timezone.now())


def why_check_failed(error: ProviderError) -> str:
    """Return why links could not be asked about, as it is kept with them."""
    failure = error.failure
    return failure.code or failure.reason or f"HTTP {failure.status}"  # an answer may have nothing but its status


def _read_batch(links: Sequence[Link]) -> list[Link]:
    """Read links by one call; return those that are not in the answer: a second look tells whether they are gone."""
    integration, checked_at = links[0].integration, timezone.now()
    health.start_check([link.pk for link in links], at=checked_at)
    provider = connections.client_for(integration, in_background=True)
    found = {remote.remote_id: remote for remote in provider.read_links([link.ref for link in links])}
    listed = [(link, found[link.remote_id]) for link in links if link.remote_id in found]
    same = health.observe_same(
        # What waits for a code is judged by whether somebody still works on it.
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
    # What is true was true when we asked, not when the answer came.
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
    """Let the newest consent decide where the link itself says that it works: the two are clocks of their own."""
    seen = remote.observation
    if not _needs_consent(link.integration, link.ref) or not works(seen):
        return remote
    try:
        newest = next(iter(provider.list_consents(link.ref)), None)
    except ProviderError as error:  # the link was asked about all the same
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
    """Judge a record that waits for a code by whether somebody still works on it.

    An open code step is one whatever the list says; a registration nobody works on any more was never confirmed.
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
    # Neither in the whole list nor when asked for: whatever the provider misses, the link is gone with it.
    is_ended = VERDICTS[seen.cause].state is HealthState.DISCONNECTED
    if not is_ended and Link.objects.filter(pk=link.pk, missing_since__isnull=False).exists():
        seen = replace(seen, cause=Cause.MISSING)
    report = health.Report(seen, health.Source.LIST, timezone.now(), request_id=error.failure.request_id)
    health.observe(link, report)
