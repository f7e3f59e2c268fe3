"""Links to read: one row each, written in the transaction that makes the read necessary. A worker reads them.

However often a read is requested, there is one, and it starts after the last request.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from linkadmin.database import update_rows
from linkadmin.wake_worker import wake_worker

from .models import Link, LinkRead, Reason

READ_TASK = "sync.read_due"  # reads what is due for an integration
LINGER = timedelta(seconds=1)  # a reader waits for what is due this soon
WRITTEN_AT_ONCE = 500  # rows


def want(link_ids: Iterable[UUID], *, reason: Reason, at: datetime) -> None:
    """Have links read after `at`. Links already read since then are left alone."""
    want_each(dict.fromkeys(link_ids, at), reason=reason)


def want_each(after_by_link: Mapping[UUID, datetime], *, reason: Reason) -> None:
    ids = iter(sorted(after_by_link))
    while some := list(islice(ids, WRITTEN_AT_ONCE)):
        _want({link_id: after_by_link[link_id] for link_id in some}, reason)


@transaction.atomic(savepoint=False)
def _want(after_by_link: Mapping[UUID, datetime], reason: Reason) -> None:
    wanted = LinkRead.objects.filter(pk__in=after_by_link).select_for_update(no_key=True).order_by("pk")
    rows = list(wanted)
    if new := after_by_link.keys() - {row.pk for row in rows}:
        of = Link.objects.filter(pk__in=new).order_by("pk").values_list("pk", "integration")
        LinkRead.objects.bulk_create(
            [LinkRead(link_id=link_id, integration_id=integration_id, due_at=None) for link_id, integration_id in of],
            ignore_conflicts=True,
        )
        rows = list(wanted.all())
    changed = [row for row in rows if row.want_for(reason, after_by_link[row.link_id])]
    update_rows(changed, ("due_at", "wanted_at", "wanted_since", "reason", "urgency"))
    soon = timezone.now() + LINGER
    for integration_id in {row.integration_id for row in rows if row.due_at is not None and row.due_at <= soon}:
        transaction.on_commit(partial(wake_worker, READ_TASK, integration_id))
