"""Page of provider values that we don't recognize, with how often and where they were seen."""

from collections.abc import Iterable, Iterator
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_safe

from linkadmin import exports
from linkadmin.accounts.roles import Right, may
from linkadmin.exports import Export
from linkadmin.links import unrecognized_values
from linkadmin.links.listing.known import environment_of
from linkadmin.links.models import UnrecognizedValue
from linkadmin.paging import Keyset, Listing, Page
from linkadmin.providers import PROVIDERS, provider_class
from linkadmin.timestamps import ago, exact_words
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon
from linkadmin.web.pages import reader

LATEST_FIRST = Keyset("last_at", "id", newest_first=True, size=200)

EXPORTED = (
    *(gettext_lazy("Value as received"), gettext_lazy("Provider"), gettext_lazy("Source")),
    *(gettext_lazy("Times seen"), gettext_lazy("Affected links")),
    *(gettext_lazy("First seen"), gettext_lazy("Last seen")),
)

_ROW = FlatPart("sync/_unrecognized_value.html")


@require_safe
def unknown_values(request: HttpRequest) -> HttpResponse:
    environment, may_view_links = environment_of(reader(request)), may(request.user, Right.VIEW_ALL_CUSTOMERS)
    page = _listing(environment).page(request.GET)
    context = {"rows": _rows(page, environment, may_view_links=may_view_links), "pager": page}
    return render(request, "sync/unknown_values.html", context)


@require_GET
def unknown_values_export(request: HttpRequest) -> HttpResponseBase:
    environment = environment_of(reader(request))
    lines = exports.of_few(_listing(environment), EXPORTED, partial(_cells, environment))
    return exports.download(request, Export("unrecognized-values", *lines, environment))


def _listing(environment: str) -> Listing[UnrecognizedValue]:
    return Listing(UnrecognizedValue.objects.filter(environment=environment), LATEST_FIRST)


def _cells(environment: str, shown: Iterable[UnrecognizedValue]) -> Iterator[tuple[str, ...]]:
    counted = unrecognized_values.counted(environment)
    for each in shown:
        links = counted.get((each.provider, each.place, each.value), 0)
        times = exports.time_cell(each.first_at), exports.time_cell(each.last_at)
        yield (each.value, _provider(each), str(each.get_place_display()), str(each.seen), str(links), *times)


def _provider(known: UnrecognizedValue) -> str:
    return provider_class(known.provider).label if known.provider in PROVIDERS else known.provider


def _rows(page: Page[UnrecognizedValue], environment: str, *, may_view_links: bool) -> str:
    counted = unrecognized_values.counted(environment)
    url = f"{reverse('link-list')}?unknown=" if may_view_links else ""
    words = {
        "copy": _("Copy for a bug report"),
        "source_label": _("Source"),
        "seen_label": _("Times seen"),
        "links_label": _("Affected links"),
        "first_label": _("First seen"),
        "last_label": _("Last seen"),
    }
    labels: dict[str, object] = {name: conditional_escape(text) for name, text in words.items()}  # once for all rows
    labels |= {"copy_icon": icon("copy"), "copied_icon": icon("check")}
    return _ROW.fill(
        labels | _texts(each, counted.get((each.provider, each.place, each.value), 0), url) for each in page.rows
    )


def _texts(known: UnrecognizedValue, links: int, url: str) -> dict[str, object]:
    provider = _provider(known)
    place, last = str(UnrecognizedValue.Place(known.place).label), exact_words(known.last_at)
    return {
        "value": known.value,
        "report": f"{provider} · {place}: {known.value} ({known.seen}×, {last})",
        "provider": provider,
        "source": place,
        "seen": known.seen,
        "links": links,
        "url": f"{url}{known.pk}" if url and links else "",
        "first": ago(known.first_at),
        "last": ago(known.last_at),
    }
