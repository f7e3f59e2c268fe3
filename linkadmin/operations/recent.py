"""What a link's page needs of its operations, in one statement: the latest, and those its attempts are counted from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet, Subquery
from django.utils import timezone

from linkadmin.compiled_query import CompiledQuery
from linkadmin.links.models import Link

from .budget import WINDOW, Budget, budget_after, counting
from .models import Operation


def _recent(link: UUID, end_user: UUID, institution: UUID, since: datetime) -> "QuerySet[Operation]":
    latest = Operation.objects.filter(link=link).order_by("-created_at", "-id").values("pk")[:1]
    at_bank = Q(link=link) | Q(institution=institution)
    recent = Operation.objects.filter(Q(pk=Subquery(latest)) | (at_bank & counting(end_user, since)))
    return recent.select_related("challenge", "actor")


_RECENT = CompiledQuery(_recent, types=(UUID, UUID, UUID, datetime))


@dataclass(frozen=True, slots=True)
class RecentOperations:
    latest: Operation | None
    budget: Budget

    @classmethod
    def of(cls, link: Link) -> "RecentOperations":
        since = timezone.now() - WINDOW
        found: Sequence[Operation] = _RECENT.instances(link.pk, link.end_user_id, link.institution_id, since)
        own = [operation for operation in found if operation.link_id == link.pk]
        latest = max(own, key=lambda operation: (operation.created_at, operation.pk), default=None)
        if latest is not None:
            latest.link, latest.integration, latest.end_user = link, link.integration, link.end_user
            if latest.institution_id == link.institution_id:
                latest.institution = link.institution
        return cls(latest, budget_after(found, link, since))
