"""Customers with their links, and notes and assignees.

Search terms never go into a URL, and providers never learn of notes or assignees.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.links import queries, search
from linkadmin.links.forms import AssigneeForm, NoteForm
from linkadmin.links.listing.table_rows import rows
from linkadmin.links.models import EndUser
from linkadmin.links.staff_work import Overtaken, add_note, assign_if_unchanged
from linkadmin.paging import PAGE_SIZE
from linkadmin.providers.names import isolated
from linkadmin.web.pages import draw, go, reader

from .access import link_for, seen


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


def _search_words(request: HttpRequest) -> str:
    return search.clean_words(request.POST.get("q", "")) if request.method == "POST" else ""
