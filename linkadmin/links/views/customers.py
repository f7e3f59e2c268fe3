"""Customers: the list, one customer with their links, and who answers for them."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin import exports
from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may, rights_of
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.exports import Export
from linkadmin.links import queries, search
from linkadmin.links.account_managers import set_if_unchanged
from linkadmin.links.contacts import contact_of, set_contact
from linkadmin.links.forms import AccountManagerForm, ContactForm
from linkadmin.links.listing import columns
from linkadmin.links.listing.filters import MINE, NOBODY
from linkadmin.links.listing.known import STAFF
from linkadmin.links.listing.table_heads import heads
from linkadmin.links.listing.table_rows import listed, rows
from linkadmin.links.models import RANKED, EndUser
from linkadmin.links.presentation import pills
from linkadmin.links.staff_work import Overtaken
from linkadmin.paging import Keyset, Listing
from linkadmin.providers.names import isolated
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.flat_select import FlatSelect
from linkadmin.web.pages import draw, go, reader

_ROW = FlatPart("links/_customer_row.html")


class CustomerFilter(forms.Form):
    manager = forms.ChoiceField(label=gettext_lazy("Account manager"), required=False, widget=FlatSelect)

    def __init__(self, query: QueryDict, *, staff: Mapping[UUID, User]) -> None:
        super().__init__(query)
        field = self.fields["manager"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the types
        anybody = [("", _("Any account manager")), (MINE, _("Mine")), (NOBODY, _("No account manager"))]
        possible = ((str(pk), each.display_name) for pk, each in staff.items() if may(each, Right.REFRESH))
        field.choices = [*anybody, *possible]

    def narrow(self, customers: "QuerySet[EndUser]", user: User) -> "QuerySet[EndUser]":
        manager = self.cleaned_data["manager"]
        if not manager:
            return customers
        wanted = {MINE: user.pk, NOBODY: None}.get(manager, manager)
        return customers.filter(account_manager=wanted)


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_list(request: HttpRequest) -> HttpResponse:
    words, see_names, staff = _search_words(request), may(request.user, Right.SEE_NAMES), STAFF.all()
    chosen, listing = _chosen(request, words, staff)
    page = listing.page(request.GET)
    context = {
        "filter": chosen,
        "pills": pills(request.GET, chosen),
        "query": request.GET.urlencode(),
        "words": words,
        "is_too_short": search.is_too_short(words),
        "rows": _ROW.fill(_texts(page.rows, staff, see_names=see_names)),
        "page": page,
        "is_filtered": bool(words or chosen.cleaned_data["manager"]),
    }
    return draw(request, "links/end_users.html", "results", context)


@require_http_methods(["GET", "POST"])
def end_user_list_export(request: HttpRequest) -> HttpResponseBase:
    words = _search_words(request)
    chosen, listing = _chosen(request, words, STAFF.all())
    lines = exports.of_list(listing, columns.of_customers(see_names=may(request.user, Right.SEE_NAMES)))
    export = Export("customers", *lines, filters=exports.filters_of(chosen), is_search=bool(words))
    return exports.download(request, export)


@require_safe
def end_user_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    customer, user = get_object_or_404(EndUser.objects.select_related("account_manager"), pk=pk), reader(request)
    _note_view(user, customer)
    page = Keyset(*RANKED).page(listed(queries.visible_to(user).filter(end_user=customer)), request.GET)
    context = {
        "customer": customer,
        "contact": contact_of(customer),
        "rows": rows(page.rows, rights=rights_of(user)),
        "heads": heads(),
        "page": page,
        "form": AccountManagerForm(customer=customer, reader=user) if may(user, Right.ORGANIZE_LINKS) else None,
    }
    return render(request, "links/end_user.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_contact(request: HttpRequest, pk: UUID) -> HttpResponse:
    customer, user = get_object_or_404(EndUser, pk=pk), reader(request)
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


@require_POST
def end_user_account_manager(request: HttpRequest, pk: UUID) -> HttpResponse:
    customer, user = get_object_or_404(EndUser, pk=pk), reader(request)
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
    return go(request, customer.get_absolute_url())


def _note_view(user: User, customer: EndUser) -> None:
    record(
        actor=user,
        action=Action.END_USER_VIEWED,
        object_type=ObjectType.END_USER,
        object_id=str(customer.pk),
        outcome=Outcome.DONE,
    )


def _chosen(request: HttpRequest, words: str, staff: Mapping[UUID, User]) -> tuple[CustomerFilter, Listing[EndUser]]:
    see_names, chosen = may(request.user, Right.SEE_NAMES), CustomerFilter(request.GET, staff=staff)
    if not chosen.is_valid():
        raise BadRequest("a filter has a value it does not offer")
    found = chosen.narrow(search.search_customers(words, see_names=see_names), reader(request))
    return chosen, Listing(found, queries.CUSTOMERS if see_names else queries.CUSTOMERS_BY_ID)


def _search_words(request: HttpRequest) -> str:
    return search.clean_words(request.POST.get("q", "")) if request.method == "POST" else ""


def _texts(customers: Sequence[EndUser], staff: Mapping[UUID, User], *, see_names: bool) -> Iterator[dict[str, object]]:
    counted = queries.count_links(customers)
    links = reverse("link-list")
    for each in customers:
        count, trouble = counted.get(each.pk, (0, 0))
        manager = staff.get(each.account_manager_id) if each.account_manager_id else None
        yield {
            "url": each.get_absolute_url(),
            "name": each.called(see_names=see_names),
            "external_id": each.external_id,
            "links_url": f"{links}?customer={each.pk}&state=",
            "count": count,
            "trouble": trouble,
            "manager": manager.display_name if manager else "—",
        }
