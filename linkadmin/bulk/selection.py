"""Which links a form of the work list means: the rows that were ticked, or all that match what was looked for."""

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from linkadmin.accounts.roles import Right, may
from linkadmin.links import queries
from linkadmin.links.models import Link
from linkadmin.web.pages import reader

TICKED, ALL, WORDS = "link", "all", "q"


@dataclass(frozen=True, slots=True)
class Selection:
    """Links that the reader may see, and what a form repeats to mean the same links again."""

    links: "QuerySet[Link]"
    fields: tuple[tuple[str, str], ...]


def read(request: HttpRequest) -> Selection:
    """Read what a form selects; words to search for stand in its body alone. Raises BadRequest for what none sends."""
    links = queries.visible_to(reader(request))
    return _all_matching(request, links) if request.POST.get(ALL) else _ticked(request.POST, links)


def _all_matching(request: HttpRequest, links: "QuerySet[Link]") -> Selection:
    chosen = queries.LinkFilter(request.POST, queryset=links, request=request)
    if not chosen.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    words = queries.clean_words(request.POST.get(WORDS, ""))
    found = queries.search(chosen.qs, words, see_names=may(request.user, Right.SEE_NAMES)) if words else chosen.qs
    kept = {name: request.POST.get(name, "") for name in chosen.form.fields} | {WORDS: words}
    return Selection(found, ((ALL, "1"), *((name, value) for name, value in kept.items() if value)))


def _ticked(posted: QueryDict, links: "QuerySet[Link]") -> Selection:
    try:
        ids = [UUID(text) for text in posted.getlist(TICKED)]
    except ValueError:
        raise BadRequest("a ticked row has no link") from None
    return Selection(links.filter(pk__in=ids), tuple((TICKED, str(pk)) for pk in ids))
