"""Which jobs a person sees."""

from django.db.models import QuerySet

from linkadmin.accounts.models import User
from linkadmin.paging import Keyset

from .models import BulkJob, JobState

NEWEST_FIRST = Keyset("created_at", "id", newest_first=True)
AS_PLANNED = Keyset("id")


def jobs_of(user: User, *, mine: bool) -> "QuerySet[BulkJob]":
    """Return somebody's own jobs, or those that the others confirmed."""
    jobs = BulkJob.objects.select_related("actor")
    return jobs.filter(actor=user) if mine else jobs.exclude(actor=user).exclude(state=JobState.DRAFT)
