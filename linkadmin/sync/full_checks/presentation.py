"""Texts and badges of full checks, ready for templates."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from linkadmin.exports import time_cell
from linkadmin.heartbeats import watch
from linkadmin.providers.names import isolated
from linkadmin.sync.models import FullCheck, FullCheckBatch, FullCheckState
from linkadmin.timestamps import ago, duration_words
from linkadmin.web.badges import StateBadge, draw_state
from linkadmin.web.flat_parts import FlatPart

_ROW = FlatPart("sync/_full_check_row.html")
EXPORTED = (
    *(gettext_lazy("Started"), gettext_lazy("Finished"), gettext_lazy("Started by"), gettext_lazy("Status")),
    *(gettext_lazy("Note"), gettext_lazy("Links checked"), gettext_lazy("Changed status"), gettext_lazy("New")),
    *(gettext_lazy("Not listed"), gettext_lazy("Full check ID")),
)
LOOKS = {  # tone and icon
    FullCheckState.RUNNING: ("info", "refresh-cw"),
    FullCheckState.DONE: ("ok", "circle-check"),
    FullCheckState.STOPPED: ("quiet", "circle-slash"),
    FullCheckState.FAILED: ("bad", "circle-x"),
}


def row(full_check: FullCheck) -> dict[str, Any]:
    tone, icon = LOOKS[FullCheckState(full_check.state)]
    label = str(FullCheckState(full_check.state).label)
    if full_check.is_running:
        label = watch.ongoing(label, _("Waiting for a background worker"))
    return {
        "full_check": full_check,
        "state": StateBadge(tone, icon, label, full_check.note),
        "who": full_check.started_by.display_name if full_check.started_by else _("schedule"),
        "took": duration_words((full_check.finished_at or timezone.now()) - full_check.started_at),
    }


def rows(full_checks: Iterable[FullCheck]) -> str:
    """Markup of table rows; empty without full checks."""
    return _ROW.fill(map(_texts, full_checks))


def cells(full_checks: Iterable[FullCheck]) -> Iterator[tuple[str, ...]]:
    """What an export has of each."""
    for each in full_checks:
        shown, ended = row(each), time_cell(each.finished_at)
        counted = map(str, (each.seen, each.changed, each.found, each.missing))
        yield (time_cell(each.started_at), ended, shown["who"], shown["state"].label, each.note, *counted, str(each.pk))


def progress(full_check: FullCheck) -> dict[str, Any]:
    counted = {
        kind: (done, total)
        for kind, done, total in full_check.parts.order_by()
        .values_list("kind")
        .annotate(done=Count("pk", filter=Q(done_at__isnull=False)), total=Count("pk"))
    }
    customers = counted.pop(FullCheckBatch.BatchKind.CUSTOMER.value, (0, 0))
    pages = sum(done for done, _total in counted.values()), sum(total for _done, total in counted.values())
    listed = ngettext(
        "Read %(done)d of %(total)d page of the provider's list.",
        "Read %(done)d of %(total)d pages of the provider's list.",
        pages[1],
    )
    sentences = [listed % {"done": pages[0], "total": pages[1]}]
    if customers[1]:
        by_customer = ngettext(
            "Links read for %(done)d of %(total)d customer.",
            "Links read for %(done)d of %(total)d customers.",
            customers[1],
        )
        sentences.append(by_customer % {"done": customers[0], "total": customers[1]})
    return {
        "done": pages[0] + customers[0],
        "total": pages[1] + customers[1],
        "sentences": [*sentences, *remarks(full_check), *([watch.waiting()] if watch.has_stopped() else [])],
    }


def _texts(full_check: FullCheck) -> dict[str, object]:
    shown = row(full_check)
    return {
        "url": full_check.get_absolute_url(),
        "started": ago(full_check.started_at),
        "who": _("by %(who)s") % {"who": isolated(shown["who"])},
        "state": draw_state(shown["state"]),
        "seen": full_check.seen,
        "changed": full_check.changed,
        "found": full_check.found,
        "missing": full_check.missing,
        "took": shown["took"],
    }


def remarks(full_check: FullCheck) -> tuple[str, ...]:
    skipped = ngettext(
        "One record couldn't be used. It's listed below.",
        "%(count)d records couldn't be used. They're listed below.",
        full_check.skipped,
    )
    unread = ngettext(
        "One customer's links couldn't be read, so they keep their current status.",
        "The links of %(count)d customers couldn't be read, so they keep their current status.",
        full_check.unread,
    )
    said = ((full_check.skipped, skipped), (full_check.unread, unread))
    return tuple(text % {"count": count} for count, text in said if count)
