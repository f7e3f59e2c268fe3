"""The list of links: tabs, filters, pages, suggestions for a filter, and the poll of an open list.

Search terms never go into a URL.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from linkadmin import exports
from linkadmin.accounts.roles import Right, may, rights_of
from linkadmin.exports import Export
from linkadmin.ids import as_uuid
from linkadmin.links import queries, search
from linkadmin.links.listing import columns, filter_bar, filters
from linkadmin.links.listing.counted import in_states, links_by_state
from linkadmin.links.listing.filters import MINE, LinkFilter
from linkadmin.links.listing.known import environment_of, integrations_in
from linkadmin.links.listing.table_heads import heads_of
from linkadmin.links.listing.table_rows import listed, rows
from linkadmin.links.listing.tabs import tabs
from linkadmin.links.models import Institution, Link
from linkadmin.links.presentation import UnderWay, select_all, under_way_on
from linkadmin.paging import Listing, Page, without_place
from linkadmin.web.pages import draw, go, reader

from .live import NOTHING_AWAITED, SOMETHING_AWAITED, PageVersion, alerts_version, answer, version_of

BANK = "bank"  # an institution's name as typed; URLs have its ID instead
_LISTED = listed(Link.objects.all())


@require_http_methods(["GET", "HEAD", "POST"])
def link_list(request: HttpRequest) -> HttpResponse:
    words = _search_words(request)
    if words and (exact := search.find_by_id(queries.visible_to(reader(request)), words)):
        return go(request, exact.get_absolute_url())
    bank, suggested = _suggested(request)
    if BANK in request.GET and (not bank or len(suggested) == 1):
        return HttpResponseRedirect(_with_institution(request, suggested), status=303)
    chosen = _chosen(request)
    context = _results(request, chosen, words) | {
        "filters": filter_bar.draw(chosen, reader=reader(request), typed=bank, is_search=bool(words)),
        "bank": bank,
        "suggested": _options(request, suggested),
    }
    return draw(request, "links/list.html", "results", context, status=422 if bank else 200)


@require_http_methods(["GET", "POST"])
def link_list_export(request: HttpRequest) -> HttpResponseBase:
    chosen, words = _chosen(request), _search_words(request)
    listing, see_names = _listing(request, chosen, words), may(request.user, Right.SEE_NAMES)
    lines = exports.of_list(listing, columns.of_links(see_names=see_names))
    return exports.download(
        request, Export("links", *lines, chosen.environment, filters=chosen.fields, is_search=bool(words))
    )


@require_safe
def link_list_live(request: HttpRequest) -> HttpResponse:
    page = _listing(request, _chosen(request), "").page(request.GET)
    shown = _version(request, page, under_way_on(page.rows.values("id")))
    return answer(request, shown.version, shown.seconds)


@require_safe
def institution_options(request: HttpRequest) -> HttpResponse:
    _bank, suggested = _suggested(request)
    return render(request, "links/_institutions.html", {"suggested": _options(request, suggested)})


def _chosen(request: HttpRequest) -> LinkFilter:
    try:
        return filters.read(request.GET, environment_of(reader(request)))
    except filters.NotOffered:
        raise BadRequest("a filter has a value it does not offer") from None


def _results(request: HttpRequest, chosen: LinkFilter, words: str) -> dict[str, Any]:
    page = _listing(request, chosen, words).page(request.GET)
    under_way, by_state = under_way_on(page.rows.values("id")), links_by_state(chosen, reader(request))
    found = _matching(chosen, page, by_state, words)
    return {
        "tabs": "" if words else tabs(chosen, by_state, reader=reader(request)),
        "heads": heads_of(chosen.sorting, is_search=bool(words)),
        "words": words,
        "is_too_short": search.is_too_short(words),
        "rows": rows(
            page.rows,
            rights=rights_of(request.user),
            selectable=may(request.user, Right.REFRESH) or may(request.user, Right.ORGANIZE_LINKS),
            under_way=under_way,
        ),
        "page": page,
        "page_version": None if words else _version(request, page, under_way),
        "found": found,
        "matching": select_all(found),
        "is_counted": found is not None,
        "chosen": chosen.fields,
        "shown_environment": chosen.environment,
        "is_filtered": bool(words or chosen.names - {"sort"}),
        "is_mine": not words and chosen.assignee == MINE and chosen.names <= {"assigned", "sort"},
    }


def _listing(request: HttpRequest, chosen: LinkFilter, words: str) -> Listing[Link]:
    user, see_names = reader(request), may(request.user, Right.SEE_NAMES)
    links = queries.visible_to(user, _LISTED)
    if not words:
        return chosen.listing(links, user, see_names=see_names)
    found, are_few = search.found(chosen.links(links, user, is_search=True), words, see_names=see_names)
    return chosen.found(found, see_names=see_names, are_few=are_few)


def _version(request: HttpRequest, page: Page[Link], under_way: Mapping[UUID, UnderWay]) -> PageVersion:
    busy = sorted((pk, each.state, each.since) for pk, each in under_way.items())
    version = version_of(repr(page.rows.rows), busy, alerts_version(None).version)
    seconds = SOMETHING_AWAITED if busy else NOTHING_AWAITED
    return PageVersion(f"{reverse('link-list-live')}?{request.GET.urlencode()}", version, seconds)


def _matching(chosen: LinkFilter, page: Page[Link], by_state: Counter[str] | None, words: str) -> int | None:
    if not (page.next or page.first):
        return len(page.rows)
    return None if words else in_states(by_state, chosen.states)


def _suggested(request: HttpRequest) -> tuple[str, list[Institution]]:
    """The name as typed, and the institutions it may mean."""
    bank, integration = request.GET.get(BANK, "").strip(), as_uuid(request.GET.get("integration", ""))
    possible = [integration] if integration else [*integrations_in(environment_of(reader(request)))]
    return bank, filter_bar.suggestions(bank, possible) if bank else []


def _options(request: HttpRequest, suggested: list[Institution]) -> list[tuple[str, str]]:
    return [(filter_bar.label_of(each), _with_institution(request, [each])) for each in suggested]


def _with_institution(request: HttpRequest, found: list[Institution]) -> str:
    query = without_place(request.GET)
    for name, values in list(query.lists()):
        query.setlist(name, [value for value in values if value and name not in (BANK, "institution")])
    for each in found:
        query["institution"] = str(each.pk)
    return f"{reverse('link-list')}?{query.urlencode()}"


def _search_words(request: HttpRequest) -> str:
    return search.clean_words(request.POST.get("q", "")) if request.method == "POST" else ""
