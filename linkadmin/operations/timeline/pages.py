"""Pages of a timeline by key, with filters and order in their URL."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from uuid import UUID

from django.db import connection
from django.http import QueryDict
from django.template.defaultfilters import linebreaksbr
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from linkadmin.compiled_query import CompiledQuery, Row
from linkadmin.exports import time_cell
from linkadmin.ids import url_of
from linkadmin.links.models import Link
from linkadmin.operations.models import State
from linkadmin.paging import read_moment, turned, without_place, write_moment
from linkadmin.providers.names import without_isolates
from linkadmin.timestamps import day_words, local_words
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon

from .entries import SOURCES, Entry, Key, Source, entry_of, nearest

SHOWN, READ_AT_ONCE = 50, 500
EXPORTED = (
    *(gettext_lazy("Time"), gettext_lazy("Type"), gettext_lazy("Event"), gettext_lazy("Details")),
    *(gettext_lazy("Note"), gettext_lazy("ID")),
)
OLDEST_FIRST = "oldest"  # value of `order` in the URL
IN_TABS = ("operation", "delivery", "note")
DAY = "day"  # in the URL: the page begins with that day


_ENTRY, _PILL = FlatPart("operations/_timeline_entry.html"), FlatPart("operations/_kind_pill.html")


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """A page of a timeline, with the query of each neighboring page; empty where there is none."""

    entries: str  # drawn
    first: str
    previous: str
    next: str
    end: str


@dataclass(frozen=True, slots=True)
class _Reader:
    """A timeline as one reader sees it: link, kinds, and rights."""

    link: UUID
    sources: Sequence[Source]
    see_names: bool

    def reach(self, key: Key | None, *, older: bool, inclusive: bool = False, limit: int = SHOWN + 1) -> list[Entry]:
        if key is None:
            first = _first(tuple([source.kind for source in self.sources]), older=older, limit=limit)
            return list(map(entry_of, first.rows(self.link)))
        sql, params = nearest(self.link, self.sources, key, older=older, inclusive=inclusive, limit=limit)
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return [entry_of(row) for row in cursor.fetchall()]

    def draw(self, entries: Iterable[Entry]) -> str:
        return _ENTRY.fill(self._drawn(entries))

    def _drawn(self, entries: Iterable[Entry]) -> Iterator[dict[str, object]]:
        zone, language, today = timezone.get_current_timezone(), get_language(), timezone.localdate()
        history, day = url_of("link-history", self.link), None
        for entry in entries:
            text, at = entry.source.describe(entry.facts, see_names=self.see_names), entry.key.at
            local, anchor = at.astimezone(zone), f"{entry.key.kind}-{entry.key.id}"
            yield {
                "day": "" if local.date() == day else _label(local.date(), today),
                "anchor": anchor,
                "permalink": f"{history}?at={write_key(entry.key)}#{anchor}",
                "at": at.isoformat(),
                "exactly": local_words(local, language),
                "clock": f"{local:%H:%M:%S}",
                "tone": text.tone,
                "icon": icon(text.icon),
                "title": text.title,
                "note": text.note,
                "text": linebreaksbr(text.text) if text.text else "",
                "url": text.url,
            }
            day = local.date()


def latest(link: Link, *, see_names: bool, kind: str = "") -> str:
    kinds = (kind,) if kind else tuple(SOURCES)
    rows = tuple(_first(kinds, older=True, limit=SHOWN).rows(link.pk))
    seen_from = timezone.get_current_timezone(), timezone.localdate(), get_language()
    draw = _drawn.__wrapped__ if any(State.SENDING in row for row in rows) else _drawn
    return draw(rows, link.pk, see_names, seen_from)


@lru_cache(maxsize=50)  # of about 60 KB
def _drawn(rows: tuple[Row, ...], link: UUID, see_names: bool, _seen_from: Hashable) -> str:
    """What is being sent isn't kept: it may get lost, which its row doesn't tell."""
    return _Reader(link, (), see_names).draw(map(entry_of, rows))


def page_of(link: Link, kinds: Sequence[str], query: QueryDict, *, see_names: bool) -> TimelinePage:
    chosen = [source for source in SOURCES.values() if not kinds or source.kind in kinds]
    timeline = _Reader(link.pk, chosen, see_names)
    down = query.get("order") != OLDEST_FIRST
    position, key = _position_in(query)
    if position in ("before", "end"):
        found = timeline.reach(key, older=not down)
        shown = found[:SHOWN][::-1]
        more_before, more_after = len(found) > SHOWN, position == "before"
    else:
        found = timeline.reach(key, older=down, inclusive=position == "at")
        shown = found[:SHOWN]
        more_before, more_after = position == "after", len(found) > SHOWN
        if position == "at":
            more_before = bool(timeline.reach(key, older=not down, limit=1))
    return TimelinePage(
        entries=timeline.draw(shown),
        first=turned(query) if more_before else "",
        previous=turned(query, "before", write_key(shown[0].key)) if more_before and shown else "",
        next=turned(query, "after", write_key(shown[-1].key)) if more_after and shown else "",
        end=turned(query, "end", "1") if more_after else "",
    )


def entries_of(link: Link, kinds: Sequence[str], query: QueryDict, *, see_names: bool) -> Iterator[tuple[str, ...]]:
    """What an export has of each entry."""
    chosen = [source for source in SOURCES.values() if not kinds or source.kind in kinds]
    timeline, older, key = _Reader(link.pk, chosen, see_names), query.get("order") != OLDEST_FIRST, None
    while found := timeline.reach(key, older=older, limit=READ_AT_ONCE):
        for entry in found:
            text = entry.source.describe(entry.facts, see_names=see_names)
            words = (str(entry.source.label), text.title, text.note, text.text)
            yield (time_cell(entry.key.at), *map(without_isolates, words), str(entry.key.id))
        key = found[-1].key


@cache
def _first(kinds: tuple[str, ...], *, older: bool, limit: int) -> CompiledQuery:
    sources = [SOURCES[kind] for kind in kinds]
    return CompiledQuery(lambda link: nearest(link, sources, None, older=older, inclusive=False, limit=limit))


def write_key(key: Key) -> str:
    return f"{write_moment(key.at)}.{key.kind}.{key.id}"


def _position_in(query: QueryDict) -> tuple[str, Key | None]:
    """An invalid key or day means the first page."""
    for name in ("after", "before", "at"):
        if name in query:
            key = _read_key(str(query[name]))
            return (name, key) if key else ("", None)
    if DAY in query and (day := _edge_of(str(query[DAY]), is_end=query.get("order") != OLDEST_FIRST)):
        return "at", day
    return ("end", None) if "end" in query else ("", None)


def _edge_of(text: str, *, is_end: bool) -> Key | None:
    """Between the last entry of a day and the first of the next, or before its first one."""
    try:
        day = date.fromisoformat(text) + timedelta(days=is_end)
        return Key(datetime.combine(day, time.min, timezone.get_current_timezone()).astimezone(UTC), "", None)
    except (ValueError, OverflowError):
        return None


def _read_key(text: str) -> Key | None:
    try:
        at, kind, pk = text.split(".")
        return Key(read_moment(at), kind, SOURCES[kind].read_id(pk))
    except (ValueError, KeyError, OverflowError):
        return None


def _label(day: date, today: date) -> str:
    days = (today - day).days
    return _("Today") if days == 0 else _("Yesterday") if days == 1 else day_words(day)


def kinds_of(query: QueryDict) -> list[str]:
    """Raises ValueError for an unknown kind."""
    kinds = query.getlist("kind")
    if unknown := set(kinds) - set(SOURCES):
        raise ValueError(f"no such kind: {sorted(unknown)}")
    return kinds


def kind_pills(query: QueryDict, kinds: Sequence[str]) -> str:
    """Markup of links that add or remove a kind."""
    return _PILL.fill(_kind_pills(query, kinds))


def _kind_pills(query: QueryDict, kinds: Sequence[str]) -> Iterator[dict[str, object]]:
    there = without_place(query)
    for source in SOURCES.values():
        is_on = source.kind in kinds
        wanted = [kind for kind in kinds if kind != source.kind] if is_on else [*kinds, source.kind]
        there.setlist("kind", wanted)
        yield {
            "is_on": is_on,
            "url": f"?{there.urlencode()}",
            "icon": icon(source.icon),
            "label": source.label,
        }


def tabs(link: Link, kind: str) -> list[tuple[str | Promise, str, bool]]:
    """Label, URL, and whether it's the current one, of what narrows the timeline of a link's page to a kind."""
    page = link.get_absolute_url()
    kinds = [(_("All"), ""), (_("Status"), "change"), *((SOURCES[each].label, each) for each in IN_TABS)]
    return [(label, f"{page}?kind={each}" if each else page, each == kind) for label, each in kinds]


def every_kind(query: QueryDict) -> str:
    there = without_place(query)
    there.pop("kind", None)
    return f"?{there.urlencode()}"


def switched(query: QueryDict, name: str, value: str) -> str:
    there = query.copy()
    if there.get(name) == value:
        del there[name]
    else:
        there[name] = value
    return f"?{there.urlencode()}"
