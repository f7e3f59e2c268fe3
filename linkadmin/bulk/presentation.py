"""Jobs and their results as the pages show them. All texts of a job are written here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from linkadmin.exports import time_cell
from linkadmin.heartbeats import watch
from linkadmin.integrations.denials import why_check_failed
from linkadmin.links.listing.marks import sandbox_mark
from linkadmin.links.presentation import shown_states
from linkadmin.providers.names import isolated
from linkadmin.timestamps import ago
from linkadmin.web.badges import StateBadge, draw_state
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.sorting import Head

from .forecast import Forecast, forecast
from .models import BulkItem, BulkJob, ItemState, JobKind, JobState, SkipReason

_JOB_ROW, _ITEM_ROW = FlatPart("bulk/_job_row.html"), FlatPart("bulk/_item_row.html")
IN_ROWS = (  # columns that a row of a job needs
    "job", "state", "before", "after", "why", "finished_at", "link__end_user__external_id", "link__end_user__name",
    "link__institution__display_name", "link__integration__name", "link__integration__environment",
)  # fmt: skip
JOB_LABELS = (
    *(gettext_lazy("Job"), gettext_lazy("Started by"), gettext_lazy("Status"), gettext_lazy("Links")),
    *(state.label for state in ItemState),
    *(gettext_lazy("Created"), gettext_lazy("Started"), gettext_lazy("Finished"), gettext_lazy("Job ID")),
)
ITEM_LABELS = (
    *(gettext_lazy("Customer"), gettext_lazy("Customer ID"), gettext_lazy("Institution")),
    *(gettext_lazy("Integration"), gettext_lazy("Result"), gettext_lazy("Reason"), gettext_lazy("Status before")),
    *(gettext_lazy("Status after"), gettext_lazy("Finished"), gettext_lazy("Link ID")),
)
RATED = timedelta(minutes=1)
BADGES = {
    ItemState.WAITING: ("info", "hourglass"),
    ItemState.DONE: ("ok", "circle-check"),
    ItemState.FAILED: ("bad", "circle-x"),
    ItemState.SKIPPED: ("quiet", "circle-slash"),
}
JOB_BADGES = {
    JobState.DRAFT: ("quiet", "circle-dashed"),
    JobState.RUNNING: ("info", "hourglass"),
    JobState.PAUSED: ("warn", "circle-slash"),
    JobState.DONE: ("ok", "circle-check"),
}


@dataclass(frozen=True, slots=True)
class JobProgress:
    badge: StateBadge
    ended: int
    total: int
    sentences: tuple[str, ...]


def title(job: BulkJob) -> str:
    kinds = {
        JobKind.CHECK_STATUS: ngettext("Check status of %(total)d link", "Check status of %(total)d links", job.total),
        JobKind.ASSIGN: ngettext("Assign %(total)d link", "Assign %(total)d links", job.total),
        JobKind.NOTE: ngettext("Add note to %(total)d link", "Add note to %(total)d links", job.total),
    }
    return kinds[JobKind(job.kind)] % {"total": job.total}


def draft_sentences(job: BulkJob) -> list[str]:
    ahead = forecast(job)
    return [*_doing(job, ahead), *_left_out(job)]


def progress(job: BulkJob) -> JobProgress:
    tally = job.counts()
    ended = job.total - tally["waiting"]
    shown = _result_counts(job, tally)
    if job.is_running:
        shown += [watch.waiting()] if watch.has_stopped() else _pace(job)
    if job.is_paused:
        shown.append(_("Paused. You can resume at any time."))
    return JobProgress(job_badge(job), ended, job.total, tuple(shown))


def job_badge(job: BulkJob) -> StateBadge:
    state = JobState(job.state)
    label = str(state.label)
    if state == JobState.DONE and job.failed:
        return StateBadge("warn", "triangle-alert", label)
    if job.is_running:
        label = watch.ongoing(label, _("Waiting for a background worker"))
    return StateBadge(*JOB_BADGES[state], label)


def job_heads() -> list[Head]:
    return [
        Head(_("Job")),
        Head(_("Status")),
        Head(_("Links"), "num", "links", falls=True),
        Head(_("Created"), order="created", falls=True),
    ]


def job_rows(jobs: Iterable[BulkJob]) -> str:
    """Markup of table rows."""
    return _JOB_ROW.fill(_job_row(job, counted) for job, counted in _with_counts(list(jobs)))


def job_cells(jobs: Sequence[BulkJob]) -> Iterator[tuple[str, ...]]:
    """What an export has of each job."""
    for job, counted in _with_counts(jobs):
        links = job.counts() if job.state == JobState.DONE else counted
        counts = (str(job.total), *(str(links[state]) for state in ItemState))
        times = map(time_cell, (job.created_at, job.started_at, job.finished_at))
        yield (title(job), job.actor.display_name, str(JobState(job.state).label), *counts, *times, str(job.pk))


def _with_counts(jobs: Sequence[BulkJob]) -> Iterator[tuple[BulkJob, dict[ItemState, int]]]:
    """With the states of their links, counted unless they're done."""
    open_ones = [job.pk for job in jobs if job.state != JobState.DONE]
    counts = BulkItem.objects.filter(job__in=open_ones).order_by().values_list("job", "state").annotate(n=Count("pk"))
    counted = {(job_id, state): n for job_id, state, n in counts}
    return ((job, {state: counted.get((job.pk, state), 0) for state in ItemState}) for job in jobs)


def item_rows(job: BulkJob, items: Iterable[BulkItem], *, see_names: bool) -> str:
    """Markup of table rows."""
    return _ITEM_ROW.fill(_item_row(job, item, see_names=see_names) for item in items)


def item_cells(job: BulkJob, items: Iterable[BulkItem], *, see_names: bool) -> Iterator[tuple[str, ...]]:
    """What an export has of each link in a job."""
    for item in items:
        link, badge = item.link, _item_badge(job, item)
        states = (_state_badge(state).label if state else "" for state in (item.before, item.after))
        yield (
            *(link.end_user.called(see_names=see_names), link.end_user.external_id, link.bank, link.integration.name),
            *(badge.label, badge.reason, *states, time_cell(item.finished_at), str(item.link_id)),
        )


def about(at: datetime) -> str:
    local = timezone.localtime(at)
    return date_format(local, "H:i T" if local.date() == timezone.localdate() else "DATETIME_FORMAT")


def _doing(job: BulkJob, ahead: Forecast) -> list[str]:
    if not ahead.now + ahead.later:
        return [_("There's nothing to do.")]
    if not job.asks_provider:
        return [_written(job, ahead.now)]
    words = ngettext("%(count)d link will be checked now.", "%(count)d links will be checked now.", ahead.now)
    now = [words % {"count": ahead.now}] if ahead.now else []
    calls = ngettext("This will use %(count)d API request.", "This will use %(count)d API requests.", ahead.calls)
    first = [watch.waiting()] if watch.has_stopped() else [*now, *_waiting(ahead)]
    return [*first, calls % {"count": ahead.calls}]


def _written(job: BulkJob, count: int) -> str:
    if job.kind == JobKind.ASSIGN:
        words = ngettext(
            "%(count)d link will be assigned to %(who)s.", "%(count)d links will be assigned to %(who)s.", count
        )
        return words % {"count": count, "who": isolated(job.assignee.display_name) if job.assignee else ""}
    words = ngettext("The note will be added to %(count)d link.", "The note will be added to %(count)d links.", count)
    return words % {"count": count}


def _waiting(ahead: Forecast) -> list[str]:
    if not ahead.later:
        return []
    if ahead.last_at is None:
        words = ngettext("%(count)d link waiting.", "%(count)d links waiting.", ahead.later)
        return [words % {"count": ahead.later}, *ahead.denials]
    if ahead.denials:  # has the reasons
        words = ngettext(
            "%(count)d link will be checked at about %(time)s.",
            "%(count)d links will be checked later, the last at about %(time)s.",
            ahead.later,
        )
    else:
        words = ngettext(
            "%(count)d link will follow when the rate limit allows, at about %(time)s.",
            "%(count)d links will follow as rate limits allow, the last at about %(time)s.",
            ahead.later,
        )
    return [words % {"count": ahead.later, "time": about(ahead.last_at)}, *ahead.denials]


def _left_out(job: BulkJob) -> list[str]:
    skipped = job.items.filter(state=ItemState.SKIPPED).order_by("why").values_list("why").annotate(n=Count("pk"))
    return [
        ngettext("%(count)d link skipped. %(why)s", "%(count)d links skipped. %(why)s", n)
        % {"count": n, "why": why_words(why)}
        for why, n in skipped
    ]


def _result_counts(job: BulkJob, tally: dict[str, int]) -> list[str]:
    changed = job.count_changed()
    counted = (
        []
        if changed is None
        else [
            (ngettext("%(count)d changed.", "%(count)d changed.", changed), changed),
            (
                ngettext("%(count)d with no change.", "%(count)d with no change.", tally["done"] - changed),
                tally["done"] - changed,
            ),
        ]
    )
    counted += [
        (ngettext("%(count)d failed.", "%(count)d failed.", tally["failed"]), tally["failed"]),
        (ngettext("%(count)d skipped.", "%(count)d skipped.", tally["skipped"]), tally["skipped"]),
    ]
    return [words % {"count": count} for words, count in counted if count]


def _pace(job: BulkJob) -> list[str]:
    now = timezone.now()
    seconds = min(RATED.total_seconds(), (now - (job.started_at or now)).total_seconds())
    links = job.parts.filter(done_at__gte=now - RATED).aggregate(n=Sum("links"))["n"] or 0
    rate = round(60 * links / max(1.0, seconds))
    words = ngettext("%(count)d link per minute.", "%(count)d links per minute.", rate) % {"count": rate}
    return [*([words] if rate else []), *(_waiting(forecast(job)) if job.asks_provider else [])]


def _job_row(job: BulkJob, tally: dict[ItemState, int]) -> dict[str, object]:
    is_done = job.state == JobState.DONE
    ended = 0 if job.is_draft else job.total - (0 if is_done else tally[ItemState.WAITING])
    failed = job.failed if is_done else tally[ItemState.FAILED]
    return {
        "url": job.get_absolute_url(),
        "title": title(job),
        "actor": job.actor.display_name,
        "state": draw_state(job_badge(job)),
        "ended": _("%(ended)s of %(total)s") % {"ended": ended, "total": job.total},
        "failed": ngettext("%(failed)s failed", "%(failed)s failed", failed) % {"failed": failed} if failed else "",
        "created": ago(job.created_at),
    }


def _item_row(job: BulkJob, item: BulkItem, *, see_names: bool) -> dict[str, object]:
    link, has_changed = item.link, item.before and item.after and item.before != item.after
    return {
        "url": link.get_absolute_url(),
        "customer": link.end_user.called(see_names=see_names),
        "customer_id": link.end_user.external_id,
        "bank": link.bank or _("Unnamed institution"),
        "integration": link.integration.name,
        "sandbox": sandbox_mark(link.integration),
        "before": draw_state(_state_badge(item.before)) if has_changed else "",
        "state": draw_state(_item_badge(job, item)),
        "finished": ago(item.finished_at),
    }


def _item_badge(job: BulkJob, item: BulkItem) -> StateBadge:
    state = ItemState(item.state)
    if item.after and state is ItemState.DONE:
        return _checked_badge(item)
    is_paused = job.is_paused and state is ItemState.WAITING
    tone, icon = BADGES[ItemState.SKIPPED if is_paused else state]
    return StateBadge(tone, icon, _("Paused") if is_paused else str(state.label), why_words(item.why))


def _checked_badge(item: BulkItem) -> StateBadge:
    left = _state_badge(item.after)
    if item.before != item.after:
        return StateBadge(left.tone, left.icon, left.label, why_words(item.why))
    return StateBadge("quiet", "check", _("No change"), " ".join(filter(None, [left.label, why_words(item.why)])))


def _state_badge(state: str) -> StateBadge:
    return shown_states()[state]


def why_words(why: str) -> str:
    if not why:
        return ""
    return str(SkipReason(why).label) if why in SkipReason.values else why_check_failed(why)
