"""What a change that took effect makes of what we know: of the link, of all that goes with it, of the operation."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import singledispatch
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from linkadmin.links import due_reads, health
from linkadmin.links.models import Link, LinkQuerySet, Reason
from linkadmin.providers.records import (
    Accepted,
    Reach,
    RemoteDataSource,
    RemoteEndUser,
    RemoteWebhook,
    Removed,
    RepairAddress,
    ReportsRefreshed,
)
from linkadmin.providers.types import Cause, HealthState, Observation, RemoteLink

from . import encrypted
from .changes import comparable, is_on
from .models import Operation, OperationKind

Source = health.Source
# What links are after a removal whose answer was lost, or was given by a person.
REMOVAL_CAUSES = {Reach.LINK: Cause.REMOVED, Reach.CUSTOMER: Cause.SWITCHED_OFF}
# After these the effect shows in the provider's records of the links.
READ_AFTER = (OperationKind.REFRESH_DATA, OperationKind.REPLACE_TOKEN, OperationKind.REGENERATE_REPORTS)
READS_AT_ONCE = 50
FAILED_SHOWN = 200
Answer = (
    RemoteLink
    | Accepted
    | Removed
    | RepairAddress
    | ReportsRefreshed
    | RemoteEndUser
    | RemoteDataSource
    | RemoteWebhook
    | None
)


@singledispatch
def take(answer: Answer, operation: Operation) -> None:
    """Take a good answer into account. None, and an acceptance without a record, tell nothing beside being good."""


@take.register
def _(answer: RemoteLink, operation: Operation) -> None:
    if operation.link:
        # Its record and no login at the bank, so it proves no more than a reading does.
        at = operation.ended_at or timezone.now()
        health.observe_remote(operation.link, answer, source=Source.LIST, at=at, operation_id=operation.pk)


@take.register
def _(answer: Accepted, operation: Operation) -> None:
    if answer.link:
        take(answer.link, operation)


@take.register
def _(answer: Removed, operation: Operation) -> None:
    operation.result = {"cause": answer.cause.value}
    if answer.finished:
        take_away(operation, answer.cause, at=operation.ended_at or timezone.now())


@take.register
def _(answer: RepairAddress, operation: Operation) -> None:
    expires_at = (operation.ended_at or timezone.now()) + timedelta(seconds=answer.expires_in)
    operation.result = {"expires_at": expires_at.isoformat()}
    encrypted.store_repair_url(operation, answer.url, expires_at=expires_at)


@take.register
def _(answer: ReportsRefreshed, operation: Operation) -> None:
    operation.result = {"processed": answer.processed, "failed": list(answer.failed[:FAILED_SHOWN])}


@take.register
def _(answer: RemoteEndUser, operation: Operation) -> None:
    operation.natural_key = answer.remote_id[:120]
    operation.result = {"status": answer.status}


@take.register
def _(answer: RemoteDataSource | RemoteWebhook, operation: Operation) -> None:
    operation.natural_key = answer.remote_id[:120]
    operation.result = {"enabled": answer.enabled}


def contradicts(answer: object, operation: Operation) -> bool:
    """Tell whether a good answer carries a record that shows something else than what was asked for."""
    begun = operation.origin
    if isinstance(answer, RemoteLink) and begun.kind == OperationKind.CHANGE_SETTINGS:
        return not all(told_settings(answer, begun.parameters).values())
    if isinstance(answer, RemoteDataSource | RemoteWebhook) and "enabled" in operation.parameters:
        return answer.enabled != is_on(operation.parameters)
    return False


def told_settings(remote: RemoteLink, asked: Mapping[str, object]) -> dict[str, bool]:
    """Return, for each of the settings asked for that a record tells, whether it is as it was asked for."""
    told = {name: getattr(remote, name, "") for name in asked}
    return {name: comparable(value) == comparable(asked[name]) for name, value in told.items() if value}


def take_away(operation: Operation, cause: Cause, *, at: datetime) -> None:
    """Let every link that a removal takes along say that it ended, and why; nobody can repair it any more."""
    if operation.link is None:
        return
    gone = links_that_go(operation.link)
    for link in gone:
        seen = Observation(cause=cause, raw_status=link.raw_status)
        health.observe(link, health.Report(seen, Source.CALL, at, operation.pk, operation.request_id))
    encrypted.delete_repair_urls(gone)
    operation.result = {"cause": cause.value, "links": len(gone)}


def links_that_may_have_gone(operation: Operation, link: Link) -> list[Link]:
    """Return the links whose end would show that a customer-wide removal was done: what stood when it was sent."""
    stood = ~Q(health=HealthState.DISCONNECTED.value) | Q(health_since__gte=operation.began_at)
    links: LinkQuerySet = Link.objects.select_related("integration", "end_user", "institution")
    return list(links.filter(stood, integration=link.integration_id, end_user=link.end_user_id).order_by("pk"))


def links_that_go(link: Link) -> list[Link]:
    """Return what the removal of a link takes along: itself, and all that its provider removes with it."""
    links: LinkQuerySet = Link.objects.select_related("integration", "end_user", "institution")
    if link.integration.provider_class.removal_reach is Reach.LINK:
        return [link]
    of_customer = links.filter(integration=link.integration_id, end_user=link.end_user_id, disconnected_at=None)
    others = of_customer.exclude(health=HealthState.DISCONNECTED.value).exclude(pk=link.pk).order_by("created_at", "pk")
    return [link, *others]


def removal_cause(operation: Operation) -> Cause:
    """Return what the removed links are: in the provider's words, or by what it does in general."""
    told = operation.result.get("cause")
    return Cause(told) if told else REMOVAL_CAUSES[operation.integration.provider_class.removal_reach]


def read_soon(operation: Operation) -> None:
    """Want reads of the links whose records will show what came of an operation."""
    if operation.kind not in READ_AFTER:
        return
    if operation.link_id:
        ids: Iterable[UUID] = [operation.link_id]
    else:
        links = operation.integration.links.filter(disconnected_at=None)
        links = links.filter(end_user=operation.end_user_id) if operation.end_user_id else links
        ids = list(links.values_list("pk", flat=True)[:READS_AT_ONCE])
    due_reads.want(ids, reason=Reason.REPAIR, at=timezone.now())
