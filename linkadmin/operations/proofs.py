"""What the provider's records prove about an operation whose answer was lost. Each proof is made of reads alone.

A login may still be running at the provider after our line broke, so "not done" is believed only once that time is
over. A proof says UNKNOWN as long as the records show neither.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from linkadmin.integrations import connections
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound
from linkadmin.providers.records import Reach, RemoteWebhook
from linkadmin.providers.types import Cause, HealthState, RemoteLink

from . import apply_response, outcomes, reading
from .changes import is_on
from .models import Operation, State
from .models import OperationKind as Kind

STILL_REFUSED = "still_refused"  # the bank may well have been asked, and said no
CLOCK_SKEW = timedelta(seconds=60)  # between the provider's clock and ours
LINKS_READ = 5  # of a customer, to see whether one of them has new data


@dataclass(frozen=True, slots=True)
class Finding:
    """What the records prove, and what they show, for those who take note of a change that took effect."""

    state: State
    why: str = ""
    shown: apply_response.Answer = None


NOTHING = Finding(State.UNKNOWN)


def find(operation: Operation, *, now: datetime) -> Finding:
    """Read what became of an operation. Raises `ProviderError` when the provider could not be asked."""
    begun = operation.origin
    return PROOFS.get(Kind(begun.kind), _of_login)(operation, begun, now)


def _of_login(operation: Operation, _begun: Operation, now: datetime) -> Finding:
    """A new link that is there, or a log-in at the bank since we sent."""
    proof = _read(operation.link) if operation.link else _created_link(operation)
    settled = _is_settled(operation, now)
    if proof is None:
        return Finding(State.CONFIRMED_NOT_DONE, "not_found") if settled and _absence_proves(operation) else NOTHING
    if proof.observation.cause in (Cause.CODE_NEEDED, Cause.UNCONFIRMED):
        return Finding(State.EXPIRED, "code_request_lost", proof) if settled else NOTHING
    if operation.begins_link and operation.link is None:
        return Finding(State.CONFIRMED_DONE, "found", proof)
    if _has_new_data(operation, proof) and outcomes.works(proof.observation):
        return Finding(State.CONFIRMED_DONE, "good_data_since", proof)
    if settled and VERDICTS[proof.observation.cause].state is HealthState.CUSTOMER_LOGIN:
        return Finding(State.CONFIRMED_NOT_DONE, STILL_REFUSED, proof)
    return NOTHING


def _of_settings(operation: Operation, begun: Operation, now: datetime) -> Finding:
    proof = _read(_link_of(operation))
    sent = {name: begun.parameters.get(name) for name in begun.result.get("sent", [])}
    told = apply_response.told_settings(proof, sent) if proof else {}
    if sent and told.keys() == sent.keys() and all(told.values()):
        return Finding(State.CONFIRMED_DONE, "shows_it", proof)
    if not all(told.values()) and _is_settled(operation, now):
        return Finding(State.CONFIRMED_NOT_DONE, "shows_it_not", proof)
    return NOTHING


def _of_removal(operation: Operation, _begun: Operation, now: datetime) -> Finding:
    link = _link_of(operation)
    if link.integration.provider_class.removal_reach is Reach.CUSTOMER:
        read = [_read(each) for each in apply_response.links_that_may_have_gone(operation, link)]
        gone = bool(read) and all(proof is None or _has_ended(proof) for proof in read)
        stands = any(proof is not None and not _has_ended(proof) for proof in read)
    else:
        # That it has ended otherwise proves nothing: it may have before.
        gone = _read(link) is None
        stands = not gone
    if gone:
        return Finding(State.CONFIRMED_DONE, "gone")
    # What the provider took on is done in its own time: that it is not done yet proves nothing.
    if stands and _is_settled(operation, now) and not operation.is_awaited:
        return Finding(State.CONFIRMED_NOT_DONE, "still_there")
    return NOTHING


def _has_ended(proof: RemoteLink) -> bool:
    return VERDICTS[proof.observation.cause].state is HealthState.DISCONNECTED


def _of_new_data(operation: Operation, _begun: Operation, now: datetime) -> Finding:
    """Data fetched since we sent. None may only mean that it takes longer."""
    proof = _read(_link_of(operation))
    if proof and _has_new_data(operation, proof):
        return Finding(State.CONFIRMED_DONE, "good_data_since", proof)
    return NOTHING


def _of_new_token(operation: Operation, _begun: Operation, now: datetime) -> Finding:
    """A link that did not work and does since: as long as it worked before, its old token may do as well."""
    link = _link_of(operation)
    proof = _read(link)
    mended = link.changes.filter(at__gte=operation.began_at, new=HealthState.HEALTHY.value)
    if proof and outcomes.works(proof.observation) and mended.exclude(old=HealthState.HEALTHY.value).exists():
        return Finding(State.CONFIRMED_DONE, "works_since", proof)
    return NOTHING


def _of_reports(operation: Operation, _begun: Operation, now: datetime) -> Finding:
    """New data at one of the customer's links. For a whole integration nothing short of reading all would prove it."""
    if operation.end_user is None:
        return NOTHING
    links = Link.objects.standing().select_related("integration", "end_user", "institution")
    links = links.filter(remote_kind__in=operation.integration.provider_class.report_kinds)
    for link in links.filter(integration=operation.integration_id, end_user=operation.end_user)[:LINKS_READ]:
        proof = _read(link)
        good = proof.observation.last_good_at if proof else None
        if good and good >= operation.began_at:
            return Finding(State.CONFIRMED_DONE, "good_data_since")
    return NOTHING


def _of_customer(operation: Operation, _begun: Operation, now: datetime) -> Finding:
    try:
        known = _provider(operation).read_end_user(_customer_id(operation))
    except NotFound:
        return _not_done(operation, now)
    return Finding(State.CONFIRMED_DONE, "found", known)


def _of_source(operation: Operation, begun: Operation, now: datetime) -> Finding:
    sources = _provider(operation).list_data_sources(_customer_id(operation))
    source = next((each for each in sources if each.remote_id == operation.natural_key), None)
    if source is None:
        return NOTHING
    if source.enabled == is_on(begun.parameters):
        return Finding(State.CONFIRMED_DONE, "shows_it", source)
    return _not_done(operation, now)


def _of_new_webhook(operation: Operation, begun: Operation, now: datetime) -> Finding:
    asked = begun.parameters.get("topic"), begun.parameters.get("url")
    listed = [each for each in _webhooks(operation) if (each.topic, each.url) == asked]
    if not listed:
        return _not_done(operation, now)
    # Nothing tells when a subscription was made: one that pauses, or is there twice, may be older.
    return Finding(State.CONFIRMED_DONE, "found", listed[0]) if len(listed) == 1 and listed[0].enabled else NOTHING


def _of_webhook(operation: Operation, begun: Operation, now: datetime) -> Finding:
    webhook = next((each for each in _webhooks(operation) if each.remote_id == operation.natural_key), None)
    if webhook and webhook.enabled == is_on(begun.parameters):
        return Finding(State.CONFIRMED_DONE, "shows_it", webhook)
    return _not_done(operation, now)


def _of_ended_webhook(operation: Operation, _begun: Operation, now: datetime) -> Finding:
    if any(each.remote_id == operation.natural_key for each in _webhooks(operation)):
        return _not_done(operation, now)
    return Finding(State.CONFIRMED_DONE, "gone")


Proof = Callable[[Operation, Operation, datetime], Finding]
PROOFS: Mapping[Kind, Proof] = {
    Kind.CHANGE_SETTINGS: _of_settings,
    Kind.REMOVE_LINK: _of_removal,
    Kind.REFRESH_DATA: _of_new_data,
    Kind.REPLACE_TOKEN: _of_new_token,
    Kind.REGENERATE_REPORTS: _of_reports,
    Kind.CREATE_END_USER: _of_customer,
    Kind.SWITCH_DATA_SOURCE: _of_source,
    Kind.ADD_WEBHOOK: _of_new_webhook,
    Kind.SWITCH_WEBHOOK: _of_webhook,
    Kind.REMOVE_WEBHOOK: _of_ended_webhook,
}


def _created_link(operation: Operation) -> RemoteLink | None:
    """Return the link a lost create may have made: the id we gave, or a new one of this customer at this bank."""
    found = _provider(operation).find_link(
        remote_id=operation.natural_key,
        end_user_id=_customer_id(operation),
        institution=operation.institution.name if operation.institution else "",
    )
    if operation.natural_key:
        return next(iter(found), None)
    ids = [link.remote_id for link in found]
    known = set(
        operation.integration.links.filter(remote_id__in=ids, disconnected_at=None).values_list("remote_id", flat=True)
    )
    earliest = operation.began_at - CLOCK_SKEW
    new = [link for link in found if link.remote_id not in known and link.created_at and link.created_at >= earliest]
    return next(iter(new), None)


def _absence_proves(operation: Operation) -> bool:
    """Tell whether a link that is not found was not made: only where we gave it its id, or it was there before."""
    return bool(operation.natural_key or operation.link_id)


def _has_new_data(operation: Operation, proof: RemoteLink) -> bool:
    """Tell whether the provider had a good answer of the bank after we sent."""
    good = proof.observation.last_good_at
    if good is None or good == operation.good_data_before:
        return False
    # Only where the log-in before it is known can one that seems a little earlier than the call be told from it.
    return good >= operation.began_at - (CLOCK_SKEW if operation.good_data_before else timedelta(0))


def _not_done(operation: Operation, now: datetime) -> Finding:
    return Finding(State.CONFIRMED_NOT_DONE, "shows_it_not") if _is_settled(operation, now) else NOTHING


def _is_settled(operation: Operation, now: datetime) -> bool:
    """Tell whether whatever the provider began would be over by now."""
    return now - operation.began_at >= timedelta(seconds=settings.RECONCILE_SETTLED_SECONDS)


def _read(link: Link) -> RemoteLink | None:
    return reading.read(link, in_background=True)


def _provider(operation: Operation) -> Provider:
    return connections.client_for(operation.integration, in_background=True)


def _webhooks(operation: Operation) -> list[RemoteWebhook]:
    return _provider(operation).list_webhooks()


def _customer_id(operation: Operation) -> str:
    return operation.end_user.external_id if operation.end_user else ""


def _link_of(operation: Operation) -> Link:
    assert operation.link is not None  # noqa: S101 - for the types: these kinds are about a link
    return operation.link
