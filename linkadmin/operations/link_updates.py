"""Updates of a link by its operation, in the transaction that moves the operation."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from linkadmin.links import due_reads, health
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link, LinkQuerySet, Reason
from linkadmin.providers.records import Reach
from linkadmin.providers.types import Cause, HealthState, Observation, RemoteLink

from .models import Operation

READS_AT_ONCE = 50


def store_link(operation: Operation, remote: RemoteLink, *, at: datetime) -> Link:
    report = health.Report(remote.observation, health.Source.CALL, at, operation.pk, remote.request_id)
    known = Link.objects.filter(integration=operation.integration, remote_id=remote.remote_id, disconnected_at=None)
    link = operation.link or known.first()
    if link is None:
        link = Link(
            integration=operation.integration,
            end_user=operation.end_user,
            institution=operation.institution,
            assignee=operation.actor,
            remote_id=remote.remote_id,
        )
        health.start_link(remote, link, report)
    else:
        health.observe_remote(link, remote, source=health.Source.CALL, at=at, operation_id=operation.pk)
    operation.link = link
    return link


def start_verifying(operation: Operation, *, request_id: str) -> None:
    if operation.link:
        health.start_verifying(operation.link, at=operation.finished_at or operation.began_at, request_id=request_id)
        due_reads.want([operation.link.pk], reason=Reason.REPAIR, at=timezone.now())


def stop_waiting(operation: Operation, cause: Cause, *, at: datetime) -> None:
    if operation.link:
        seen = Observation(cause=cause, raw_status=operation.link.raw_status)
        health.observe(operation.link, health.Report(seen, health.Source.CALL, at, operation.pk))


def links_about(operation: Operation) -> list[UUID]:
    """Links whose records will show the outcome: the operation's own, or its customer's."""
    if operation.link_id:
        return [operation.link_id]
    links = operation.integration.links.filter(disconnected_at=None)
    links = links.filter(end_user=operation.end_user_id) if operation.end_user_id else links
    return list(links.values_list("pk", flat=True)[:READS_AT_ONCE])


def works(seen: Observation) -> bool:
    return VERDICTS[seen.cause].state is HealthState.HEALTHY


def links_that_go(link: Link) -> list[Link]:
    """Links that the removal of a link disconnects: itself, and all that its provider removes with it."""
    if link.integration.provider_class.removal_reach is Reach.LINK:
        return [link]
    of_customer = _links_of_customer(link).filter(disconnected_at=None)
    others = of_customer.exclude(health=HealthState.DISCONNECTED.value).exclude(pk=link.pk).order_by("created_at", "pk")
    return [link, *others]


def links_that_may_have_gone(operation: Operation, link: Link) -> list[Link]:
    """Links whose end would prove a customer-wide removal: those connected when it was sent."""
    stood = ~Q(health=HealthState.DISCONNECTED.value) | Q(health_since__gte=operation.began_at)
    return list(_links_of_customer(link).filter(stood).order_by("pk"))


def _links_of_customer(link: Link) -> LinkQuerySet:
    links: LinkQuerySet = Link.objects.select_related("integration", "end_user", "institution")
    return links.filter(integration=link.integration_id, end_user=link.end_user_id)
