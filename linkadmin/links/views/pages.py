"""The work list, customers with their links, and notes and assignees.

Search terms never go into a URL, and providers never learn of notes or assignees.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.links import counts, queries, search
from linkadmin.links.forms import AssigneeForm, NoteForm
from linkadmin.links.group_counts import group_tiles
from linkadmin.links.models import EndUser, Link
from linkadmin.links.presentation import pills, rows
from linkadmin.links.staff_work import Overtaken, add_note, assign_if_unchanged
from linkadmin.paging import PAGE_SIZE, Page
from linkadmin.providers.names import isolated
from linkadmin.web.pages import draw, go, reader

from .access import link_for, seen


@require_http_methods(["GET", "HEAD", "POST"])
def link_list(request: HttpRequest) -> HttpResponse:
    words = _search_words(request)
    see_names = may(request.user, Right.SEE_NAMES)
    links = queries.visible_to(reader(request))
    if words and (exact := search.find_by_id(links, words)):
        return go(request, exact.get_absolute_url())
    chosen = queries.LinkFilter(request.GET, queryset=links, request=request)
    if not chosen.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    found = search.search(chosen.qs, words, see_names=see_names) if words else search.Found(chosen.qs)
    page = queries.WORK_LIST.page(found.links.select_related(*queries.NAMED), request.GET)
    context = {
        "tiles": group_tiles(counts.current(), current=request.GET.get("state", "")),
        "filter": chosen,
        "pills": pills(request.GET, chosen.form),
        "words": words,
        "is_too_short": search.is_too_short(words),
        "rows": rows(page.rows, see_names=see_names),
        "page": page,
        "matching": _matching(found, page),
        "chosen": [(name, request.GET[name]) for name in chosen.form.fields if request.GET.get(name)],
        "is_filtered": bool(words or any(chosen.form.cleaned_data.values())),
    }
    return draw(request, "links/list.html", "results", context)


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_list(request: HttpRequest) -> HttpResponse:
    words = _search_words(request)
    see_names = may(request.user, Right.SEE_NAMES)
    customers = search.search_customers(words, see_names=see_names)
    page = (queries.CUSTOMERS if see_names else queries.CUSTOMERS_BY_ID).page(customers, request.GET)
    counted = queries.count_links(page.rows)
    context = {
        "words": words,
        "is_too_short": search.is_too_short(words),
        "customers": [(each, *counted.get(each.pk, (0, 0))) for each in page.rows],
        "page": page,
    }
    return draw(request, "links/end_users.html", "results", context)


@require_safe
def end_user_detail(request: HttpRequest, pk: Any) -> HttpResponse:
    customer = get_object_or_404(EndUser, pk=pk)
    links = queries.visible_to(reader(request)).filter(end_user=customer).order_by("urgency", "health_since", "id")
    see_names = may(request.user, Right.SEE_NAMES)
    record(
        actor=reader(request),
        action=Action.END_USER_VIEWED,
        object_type=ObjectType.END_USER,
        object_id=str(customer.pk),
        outcome=Outcome.DONE,
    )
    context = {
        "customer": customer,
        "rows": rows(links.select_related(*queries.NAMED)[:PAGE_SIZE], see_names=see_names),
    }
    return render(request, "links/end_user.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def link_notes(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    form = NoteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        add_note(link, by=reader(request), text=form.cleaned_data["text"])
        messages.success(request, _("Note added."))
        return go(request, link.get_absolute_url())
    if not form.is_bound:
        seen(request, link, link.end_user, page="notes")
    return draw(request, "links/note.html", "form", {"link": link, "form": form}, status=422 if form.is_bound else 200)


@require_POST
def link_assignee(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    form = AssigneeForm(request.POST, link=link, reader=reader(request))
    if not form.is_valid():
        return draw(request, "links/assignee.html", "form", {"link": link, "form": form}, status=422)
    wanted = form.cleaned_data["assignee"]
    try:
        changed = assign_if_unchanged(link, by=reader(request), assignee=wanted, was=form.cleaned_data["was"])
    except Overtaken:
        link.refresh_from_db(fields=["assignee"])
        fresh = AssigneeForm(link=link, reader=reader(request))
        fresh.initial["assignee"] = wanted
        context = {"link": link, "form": fresh, "overtaken": True}
        return draw(request, "links/assignee.html", "form", context, status=409)
    if changed:
        messages.success(
            request,
            _("Assigned to %(name)s.") % {"name": isolated(wanted.display_name)} if wanted else _("Unassigned."),
        )
    return go(request, link.get_absolute_url())


def _matching(found: search.Found, page: Page[Link]) -> str:
    is_whole = not (page.next or page.first)
    if not (is_whole or found.is_countable):
        return _("Select all results")
    count = len(page.rows) if is_whole else found.links.order_by()[: queries.COUNTED + 1].count()
    if count > queries.COUNTED:
        return _("Select all results (more than %(count)d)") % {"count": queries.COUNTED}
    return ngettext("Select the only result", "Select all %(count)d results", count) % {"count": count}


def _search_words(request: HttpRequest) -> str:
    return search.clean_words(request.POST.get("q", "")) if request.method == "POST" else ""
