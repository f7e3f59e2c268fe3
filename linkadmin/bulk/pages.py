"""Which jobs and which of a job's links a page shows: by key and never by number."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict

from linkadmin.accounts.models import User

from .models import BulkItem, BulkJob, JobState

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Pager:
    """The query of each page one can go to; empty where there is none."""

    first: str = ""
    next: str = ""


def jobs_of(user: User, *, mine: bool) -> "QuerySet[BulkJob]":
    """Return somebody's own jobs, or those that the others confirmed; the newest first."""
    jobs = BulkJob.objects.select_related("actor").order_by("-planned_at", "id")
    return jobs.filter(actor=user) if mine else jobs.exclude(actor=user).exclude(state=JobState.PLANNED)


def job_page(jobs: "QuerySet[BulkJob]", *, whose: str, after: str) -> tuple[list[BulkJob], Pager]:
    known = _uuid(after)
    last = BulkJob.objects.filter(pk=known).first() if known else None
    if last is not None:
        jobs = jobs.filter(Q(planned_at__lt=last.planned_at) | Q(planned_at=last.planned_at, id__gt=last.pk))
    found = list(jobs[: PAGE_SIZE + 1])
    more = f"?whose={whose}&after={found[PAGE_SIZE - 1].pk}" if len(found) > PAGE_SIZE else ""
    return found[:PAGE_SIZE], Pager(f"?whose={whose}" if last else "", more)


def item_page(items: "QuerySet[BulkItem]", query: QueryDict) -> tuple[list[BulkItem], Pager]:
    """Return the page of a job's links that a query points at, in the order of the plan."""
    kept = query.copy()
    after = kept.pop("after", [""])[-1]
    beyond = items.filter(pk__gt=int(after)) if after.isdecimal() and len(after) < 19 else items
    found = list(beyond.order_by("pk")[: PAGE_SIZE + 1])
    first = f"?{kept.urlencode()}" if after else ""
    if len(found) <= PAGE_SIZE:
        return found, Pager(first)
    kept["after"] = str(found[PAGE_SIZE - 1].pk)
    return found[:PAGE_SIZE], Pager(first, f"?{kept.urlencode()}")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
