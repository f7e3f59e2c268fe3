"""Customers: the list, one customer with their links, and who answers for them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from linkadmin import exports
from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may, rights_of
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.exports import Export
from linkadmin.links import queries, search
from linkadmin.links.account_managers import set_if_unchanged
from linkadmin.links.contacts import contact_of, set_contact
from linkadmin.links.forms import AccountManagerForm, ContactForm, ShowNameForm
from linkadmin.links.listing import columns, customer_filter, customer_page
from linkadmin.links.listing.customer_filter import CustomerFilter
from linkadmin.links.listing.customer_head import head_of
from linkadmin.links.listing.customer_page import CustomerPage
from linkadmin.links.listing.filters import NotOffered
from linkadmin.links.listing.known import environment_of
from linkadmin.links.listing.table_heads import heads
from linkadmin.links.listing.table_rows import listed, rows
from linkadmin.links.models import RANKED, EndUser
from linkadmin.links.queries import portfolio_of
from linkadmin.links.staff_work import Overtaken
from linkadmin.paging import Keyset, Listing
from linkadmin.providers.names import isolated
from linkadmin.web.pages import draw, go, reader

from .access import customer_for
from .live import NOTHING_AWAITED, PageVersion, alerts_version, answer, version_of


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_list(request: HttpRequest) -> HttpResponse:
    words, user = _search_words(request), reader(request)
    chosen = _chosen(request, words)
    shown = customer_page.read_page(chosen, user, request.GET)
    context = {
        "tabs": customer_page.tabs(chosen, user, request.GET),
        "filters": customer_page.menus(chosen, user, request.GET),
        "heads": customer_page.heads(chosen),
        "query": request.GET.urlencode(),
        "words": words,
        "is_too_short": search.is_too_short(words),
        "rows": shown.rows(see_names=may(user, Right.SEE_NAMES)),
        "page": shown.page,
        "page_version": None if words else _version(request, shown),
        "is_filtered": bool(words or chosen.manager),
        "is_by_name": chosen.is_by_name,
    }
    return draw(request, "links/end_users.html", "results", context)


@require_http_methods(["GET", "POST"])
def end_user_list_export(request: HttpRequest) -> HttpResponseBase:
    words, user = _search_words(request), reader(request)
    chosen, see_names = _chosen(request, words), may(request.user, Right.SEE_NAMES)
    listing: Listing[Any] = chosen.by_name(user) if chosen.is_by_name else chosen.by_trouble(user)
    of_customers = columns.of_customers if chosen.is_by_name else columns.of_customers_by_link
    lines = exports.of_list(listing, of_customers(chosen.environment, see_names=see_names))
    return exports.download(
        request, Export("customers", *lines, chosen.environment, filters=chosen.fields, is_search=bool(words))
    )


@require_safe
def end_user_list_live(request: HttpRequest) -> HttpResponse:
    shown = customer_page.read_page(_chosen(request, ""), reader(request), request.GET)
    return answer(request, _version(request, shown).version, NOTHING_AWAITED)


@require_safe
def end_user_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    customer, user = customer_for(request, pk), reader(request)
    _note_view(user, customer)
    environment, others = _environments(customer, user)
    links = queries.visible_to(user).filter(end_user=customer, environment=environment)
    page = Keyset(*RANKED).page(listed(links), request.GET)
    context = {
        "customer": customer,
        "head": head_of(customer, environment),
        "shown_environment": environment,
        "has_others": others,
        "contact": contact_of(customer),
        "rows": rows(page.rows, rights=rights_of(user), of_one_customer=True),
        "heads": heads(of_one_customer=True),
        "page": page,
        "may_organize": may(user, Right.ORGANIZE_LINKS),
    }
    return render(request, "links/end_user.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_name(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Shows a masked name in a single response."""
    customer, user = customer_for(request, pk), reader(request)
    form = ShowNameForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        _record(user, customer, Action.NAME_SHOWN, reason=form.cleaned_data["reason"])
        context = {"customer": customer, "name": customer.called(see_names=True)}
        return draw(request, "links/name.html", "name", context)
    if not form.is_bound:
        _note_view(user, customer)
    context = {"customer": customer, "form": form}
    return draw(request, "links/name.html", "name", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_contact(request: HttpRequest, pk: UUID) -> HttpResponse:
    customer, user = customer_for(request, pk), reader(request)
    contact = contact_of(customer)
    form = ContactForm(request.POST if request.method == "POST" else None, initial=model_to_dict(contact))
    if form.is_valid():
        if set_contact(customer, by=user, **form.cleaned_data):
            erased = not any(form.cleaned_data.values())
            messages.success(request, _("Contact details erased.") if erased else _("Contact details saved."))
        return go(request, customer.get_absolute_url())
    if not form.is_bound:
        _note_view(user, customer)
    context = {"customer": customer, "form": form, "has_any": contact.email or contact.phone or contact.language}
    return draw(request, "links/contact.html", "form", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_account_manager(request: HttpRequest, pk: UUID) -> HttpResponse:
    customer, user = customer_for(request, pk), reader(request)
    if request.method != "POST":
        _note_view(user, customer)
        unbound = AccountManagerForm(customer=customer, reader=user)
        return draw(request, "links/account_manager.html", "form", {"customer": customer, "form": unbound})
    form = AccountManagerForm(request.POST, customer=customer, reader=user)
    if not form.is_valid():
        return draw(request, "links/account_manager.html", "form", {"customer": customer, "form": form}, status=422)
    wanted = form.cleaned_data["account_manager"]
    try:
        changed = set_if_unchanged(customer, wanted, by=user, was=form.cleaned_data["was"])
    except Overtaken:
        customer.refresh_from_db(fields=["account_manager"])
        fresh = AccountManagerForm(customer=customer, reader=user)
        fresh.initial["account_manager"] = wanted
        context = {"customer": customer, "form": fresh, "overtaken": True}
        return draw(request, "links/account_manager.html", "form", context, status=409)
    if changed:
        now = _("%(name)s is now the account manager.") % {"name": isolated(wanted.display_name)} if wanted else ""
        messages.success(request, now or _("This customer no longer has an account manager."))
    is_visible = portfolio_of(user) in (None, wanted.pk if wanted else None)
    return go(request, customer.get_absolute_url() if is_visible else reverse("end-user-list"))


def _environments(customer: EndUser, user: User) -> tuple[str, bool]:
    """The environment to show links of: the reader's, unless all are in the other; and whether there are more."""
    usual = environment_of(user)
    theirs = set(customer.links.order_by().values_list("environment", flat=True).distinct())
    environment = usual if usual in theirs or not theirs else next(iter(theirs))
    return environment, len(theirs) > 1


def _note_view(user: User, customer: EndUser) -> None:
    _record(user, customer, Action.END_USER_VIEWED)


def _record(user: User, customer: EndUser, action: Action, **details: str) -> None:
    record(
        actor=user,
        action=action,
        object_type=ObjectType.END_USER,
        object_id=str(customer.pk),
        outcome=Outcome.DONE,
        details=details,
    )


def _chosen(request: HttpRequest, words: str) -> CustomerFilter:
    try:
        return customer_filter.read(request.GET, environment_of(reader(request)), words)
    except NotOffered:
        raise BadRequest("a filter has a value it does not offer") from None


def _version(request: HttpRequest, shown: CustomerPage) -> PageVersion:
    version = version_of(*shown.facts, alerts_version(None).version)
    return PageVersion(f"{reverse('end-user-list-live')}?{request.GET.urlencode()}", version)


def _search_words(request: HttpRequest) -> str:
    return search.clean_words(request.POST.get("q", "")) if request.method == "POST" else ""
