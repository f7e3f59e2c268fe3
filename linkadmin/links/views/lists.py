"""The work list, and customers with their links. What is searched for is never part of a URL."""

from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from linkadmin.accounts.roles import Right, may
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.links import counts, queries
from linkadmin.links.group_counts import group_tiles
from linkadmin.links.models import EndUser, Link
from linkadmin.links.presentation import pills, rows
from linkadmin.paging import PAGE_SIZE, Page
from linkadmin.web.pages import draw, go, reader


@require_http_methods(["GET", "HEAD", "POST"])
def link_list(request: HttpRequest) -> HttpResponse:
    """Show the work list. Words to search for come in the body of a POST: no name is ever part of an address."""
    words = _search_words(request)
    see_names = may(request.user, Right.SEE_NAMES)
    links = queries.visible_to(reader(request))
    if words and (exact := queries.find_by_id(links, words)):
        return go(request, exact.get_absolute_url())
    chosen = queries.LinkFilter(request.GET, queryset=links, request=request)
    if not chosen.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    found = queries.search(chosen.qs, words, see_names=see_names) if words else chosen.qs
    page = queries.WORK_LIST.page(found.select_related(*queries.NAMED), request.GET)
    context = {
        "strip": group_tiles(counts.current(), current=request.GET.get("state", "")),
        "filter": chosen,
        "pills": pills(request.GET, chosen.form),
        "words": words,
        "rows": rows(page.rows, see_names=see_names),
        "page": page,
        "matching": _matching(found, page),
        "chosen": [(name, request.GET[name]) for name in chosen.form.fields if request.GET.get(name)],
        "is_filtered": bool(words or any(chosen.form.cleaned_data.values())),
    }
    return draw(request, "links/list.html", "results", context)


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_list(request: HttpRequest) -> HttpResponse:
    """Show customers by name, or by id to who sees no names, with how many of their links need somebody."""
    words = _search_words(request)
    see_names = may(request.user, Right.SEE_NAMES)
    customers = queries.search_customers(words, see_names=see_names)
    page = (queries.CUSTOMERS if see_names else queries.CUSTOMERS_BY_ID).page(customers, request.GET)
    counted = queries.count_links(page.rows)
    context = {
        "words": words,
        "customers": [(each, *counted.get(each.pk, (0, 0))) for each in page.rows],
        "page": page,
    }
    return draw(request, "links/end_users.html", "results", context)


@require_safe
def end_user_detail(request: HttpRequest, pk: Any) -> HttpResponse:
    """Show one customer with all their links. Looking at a customer is an event."""
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


def _matching(found: "QuerySet[Link]", page: Page[Link]) -> str:
    """Say how many links match in all: counted only where a page does not show them all."""
    count = queries.how_many(found) if page.next or page.first else len(page.rows)
    if count > queries.COUNTED:
        return _("All that match, more than %(count)d") % {"count": queries.COUNTED}
    return ngettext("The one that matches", "All %(count)d that match", count) % {"count": count}


def _search_words(request: HttpRequest) -> str:
    return queries.clean_words(request.POST.get("q", "")) if request.method == "POST" else ""
