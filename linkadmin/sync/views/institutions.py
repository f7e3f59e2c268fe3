"""Pages of institutions: the list, one institution, and refreshing them from the provider."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from linkadmin import exports
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.actions import ObjectType
from linkadmin.compiled_query import CompiledQuery
from linkadmin.exports import Export
from linkadmin.integrations.models import Integration
from linkadmin.links import counts, institutions
from linkadmin.links.institutions import LinkCounts, word
from linkadmin.links.listing.known import integrations_in
from linkadmin.links.models import Institution
from linkadmin.links.search import search_institutions
from linkadmin.links.state_counts import state_counts
from linkadmin.paging import Listing
from linkadmin.providers.names import isolated
from linkadmin.providers.records import Filters, RemotePage
from linkadmin.providers.types import Capability, RemoteInstitution
from linkadmin.sync import institutions as reading
from linkadmin.sync.forms import RecordFilterForm
from linkadmin.sync.institution_words import fields_in_words, raw_fields, repair_in_words
from linkadmin.sync.live_queries import Question
from linkadmin.sync.models import SkippedRecord
from linkadmin.web.badges import StateBadge
from linkadmin.web.filter_menus import draw_menus, menus_of
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon
from linkadmin.web.pages import draw, go, reader
from linkadmin.web.sorting import Head, Sorting, draw_heads

from .at_provider import Look, integration_that_can, look, page_number

IN_ROWS = (
    *("display_name", "name", "country", "kind", "status", "read_at", "integration__name"),
    "integration__institutions_read_at",
)
EXPORTED = (
    *(gettext_lazy("Institution"), gettext_lazy("Name at provider"), gettext_lazy("Integration")),
    *(gettext_lazy("Country"), gettext_lazy("Type"), gettext_lazy("Status"), gettext_lazy("Links")),
    *(gettext_lazy("Need action"), gettext_lazy("Waiting on bank or provider")),
)

_ROW = FlatPart("sync/_institution_row.html")
_PROBLEM = FlatPart("sync/_known_problem.html")


def _left_out(environment: str) -> "QuerySet[SkippedRecord]":
    skipped = SkippedRecord.objects.filter(kind=SkippedRecord.Kind.INSTITUTION, integration__environment=environment)
    return skipped.select_related("integration").order_by("pk")


_LEFT_OUT = CompiledQuery(_left_out, types=(str,))


@require_safe
def institution_list(request: HttpRequest) -> HttpResponse:
    may_view = may(request.user, Right.VIEW_ALL_CUSTOMERS)
    links_url = reverse("link-list") if may_view else ""
    chosen, words, sorting = _chosen(request), request.GET.get("q", "").strip()[:80], _sorting(request)
    page = _listing(chosen, words, sorting).page(request.GET)
    menus = [*menus_of(chosen.form, request.GET, sorting.list_url), sorting.menu()]
    counted, problems = institutions.link_counts(page.rows), institutions.known_problems(chosen.environment)
    context = {
        "filters": draw_menus(menus, list_url=sorting.list_url),
        "fields": exports.filters_of(chosen.form) + sorting.fields(),
        "heads": sorting.heads(_heads()),
        "words": words,
        "rows": _rows(page.rows, counted, may_view_links=may_view),
        "page": page,
        "trouble": _PROBLEM.fill(_problem(each, ours, links_url) for each, ours in problems.institutions),
        "more_down": problems.more_down,
        "left_out": _LEFT_OUT.instances(chosen.environment),
        "is_filtered": bool(words or any(chosen.form.cleaned_data.values())),
        "shown_environment": chosen.environment,
        **_sources(request, chosen.environment),
    }
    return draw(request, "sync/institutions.html", "results", context)


@require_GET
def institution_list_export(request: HttpRequest) -> HttpResponseBase:
    chosen, words, sorting = _chosen(request), request.GET.get("q", "").strip()[:80], _sorting(request)
    lines = exports.of_few(_listing(chosen, words, sorting), EXPORTED, _cells)
    filters = exports.filters_of(chosen.form) + sorting.fields()
    return exports.download(
        request, Export("institutions", *lines, chosen.environment, filters=filters, is_search=bool(words))
    )


@require_safe
def institution_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    institution = get_object_or_404(Institution.objects.select_related("integration"), pk=pk)
    by_state, may_view = counts.current(institution=institution), may(request.user, Right.VIEW_ALL_CUSTOMERS)
    url = f"{reverse('link-list')}?institution={institution.pk}&state=" if may_view else ""
    context = {
        "institution": institution,
        "integration": institution.integration,
        "kind": word(institution.kind),
        "access": word(institution.integration_type),
        "status": _status(institution),
        "fields": fields_in_words(institution),
        "raw_fields": raw_fields(institution),
        "features": [word(each) for each in institution.features],
        "repair": repair_in_words(institution),
        "read": institution.read_at if _can_read(institution) else None,
        "states": state_counts(by_state, url=url),
        "links_count": by_state.total(),
        "may_view_links": may_view,
        "may_read": _can_read(institution) and may(request.user, Right.READ_RECORDS),
    }
    return render(request, "sync/institution.html", context)


@require_POST
def institution_read(request: HttpRequest, pk: UUID) -> HttpResponse:
    institution = get_object_or_404(Institution.objects.select_related("integration"), pk=pk)
    if not _can_read(institution):
        raise Http404
    question = _question(request, institution.integration, "institution", (ObjectType.INSTITUTION, institution.pk))
    seen = look(request, question, partial(reading.read_one, institution))
    done = _("Refreshed just now.")
    return _go_back(request, seen, isolated(institution.display_name), done, institution.get_absolute_url())


@require_POST
def institutions_read(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = integration_that_can(pk, Capability.INSTITUTIONS)
    back = f"{reverse('institution-list')}?integration={integration.pk}"
    question = _question(request, integration, "catalogue", (ObjectType.INTEGRATION, integration.pk))
    seen = look(request, question, partial(reading.read_institution_list, integration))
    done = _("Institution list refreshed: %(count)d institutions.")
    return _go_back(request, seen, _("Institution list"), done, back)


@require_http_methods(["GET", "HEAD", "POST"])
def institution_lookup(request: HttpRequest, pk: UUID) -> HttpResponse:
    integration = integration_that_can(pk, Capability.INSTITUTIONS)
    form = RecordFilterForm.of(integration.provider_class.institution_filters, request.POST)
    seen, status = None, 200
    if request.method == "POST" and form.can_ask:
        question = _question(
            request, integration, "institutions", (ObjectType.INTEGRATION, integration.pk), form.filters()
        )
        read = partial(reading.look_up, integration, filters=question.parameters, page=question.page)
        seen = look(request, question, read, kept=form.kept())
    elif form.is_bound:
        status = 422
    found = _found(integration, seen.found) if seen and seen.found else []
    context = {
        "integration": integration,
        "form": form,
        "look": seen,
        "heads": draw_heads(_heads()),
        "rows": _rows(
            found, institutions.link_counts(found), may_view_links=may(request.user, Right.VIEW_ALL_CUSTOMERS)
        ),
    }
    return draw(request, "sync/institution_lookup.html", "found", context, status=status)


def _chosen(request: HttpRequest) -> institutions.InstitutionFilter:
    every = Institution.objects.select_related("integration").only(*IN_ROWS)
    chosen = institutions.InstitutionFilter(request.GET, every, reader=reader(request))
    if not chosen.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    return chosen


def _sorting(request: HttpRequest) -> Sorting:
    return Sorting.read(institutions.ORDERS, request.GET, reverse("institution-list"))


def _listing(chosen: institutions.InstitutionFilter, words: str, sorting: Sorting) -> Listing[Institution]:
    return Listing(search_institutions(words, chosen.qs.filter(chosen.here)), sorting.keyset)


def _heads() -> list[Head]:
    return [
        Head(_("Name"), "table__bank", order="name"),
        Head(_("Country"), "table__count", order="country"),
        Head(_("Type"), "table__time", order="type"),
        Head(_("Status"), order="status"),
        Head(_("Our links"), "table__count num", order="links", falls=True),
        Head(_("Need action"), "table__count num"),
        Head(_("Waiting"), "table__count num"),
    ]


def _question(
    request: HttpRequest,
    integration: Integration,
    what: str,
    about: tuple[ObjectType, UUID],
    filters: Filters | None = None,
) -> Question:
    object_type, object_id = about
    return Question(reader(request), integration, what, object_type, object_id, filters or {}, page_number(request))


def _go_back(request: HttpRequest, seen: Look[Any], title: str, done: str, back: str) -> HttpResponse:
    """`done` may use `count`."""
    if seen.found is None:
        return draw(request, "sync/waiting.html", "waiting", {"look": seen, "title": title, "back": back})
    if seen.is_cached:
        words = _("Refreshed %(seconds)d s ago, so we sent no new request. You can refresh again in a minute.")
        messages.info(request, words % {"seconds": seen.elapsed})
    else:
        messages.success(request, done % {"count": seen.found})
    return go(request, back)


def _found(integration: Integration, found: RemotePage[RemoteInstitution]) -> list[Institution]:
    names = [each.name for each in found.items]
    stored = {each.name: each for each in integration.institutions.select_related("integration").filter(name__in=names)}
    return [stored[name] for name in names if name in stored]


def _rows(shown: Iterable[Institution], counted: Mapping[UUID, LinkCounts], *, may_view_links: bool) -> str:
    links_url = reverse("link-list") if may_view_links else ""
    return _ROW.fill(_texts(each, counted.get(each.pk, LinkCounts()), links_url) for each in shown)


def _cells(shown: Sequence[Institution]) -> Iterator[tuple[str, ...]]:
    counted = institutions.link_counts(shown)
    for each in shown:
        ours = counted.get(each.pk, LinkCounts())
        named = (each.display_name, each.name, each.integration.name, each.country, word(each.kind))
        yield (*named, _status(each).label, str(ours.links), str(ours.trouble), str(ours.waiting))


def _texts(institution: Institution, ours: LinkCounts, links_url: str) -> dict[str, object]:
    status, url = _status(institution), f"{links_url}?institution={institution.pk}&state=" if links_url else ""
    return {
        "url": institution.get_absolute_url(),
        "name": institution.display_name,
        "name_at_provider": institution.name if institution.name != institution.display_name else "",
        "country": institution.country or "–",
        "kind": word(institution.kind) or "–",
        "tone": status.tone,
        "icon": icon(status.icon),
        "status": status.label,
        "links": ours.links,
        "trouble": ours.trouble,
        "waiting": ours.waiting,
        "links_url": f"{url}active" if url and ours.links else "",
        "trouble_url": f"{url}somebody" if url and ours.trouble else "",
        "waiting_url": f"{url}wait" if url and ours.waiting else "",
    }


def _problem(institution: Institution, ours: LinkCounts, links_url: str) -> dict[str, object]:
    words = ngettext(
        "%(waiting)s of %(links)s link is waiting", "%(waiting)s of %(links)s links are waiting", ours.links
    )
    return {
        "icon": icon("landmark"),
        "state": word(institution.status) if institution.is_down else _("Waiting"),
        "url": institution.get_absolute_url(),
        "name": institution.display_name,
        "count": ours.waiting,
        "words": words % {"waiting": ours.waiting, "links": ours.links},
        "links_url": f"{links_url}?institution={institution.pk}&state=wait" if links_url and ours.waiting else "",
        "note": _("according to the provider") if institution.is_down else _("the provider reports no problem"),
        "integration": institution.integration.name,
    }


def _status(institution: Institution) -> StateBadge:
    if not institution.is_listed:
        return StateBadge("quiet", "circle-slash", _("No longer listed"))
    if institution.is_down:
        return StateBadge("info", "hourglass", word(institution.status))
    if institution.status in institutions.WORDS:
        return StateBadge("ok", "circle-check", word(institution.status))
    return StateBadge("quiet", "circle-question-mark", institution.status or _("Unknown"))


def _sources(request: HttpRequest, environment: str) -> dict[str, Any]:
    known = integrations_in(environment).values()
    return {
        "sources": [each for each in known if each.is_active and each.lists_institutions],
        "may_lookup": may(request.user, Right.READ_RECORDS),
        "may_read_all": may(request.user, Right.TEST_CONNECTION),
    }


def _can_read(institution: Institution) -> bool:
    return bool(institution.remote_id) and institution.integration.can(Capability.INSTITUTIONS)
