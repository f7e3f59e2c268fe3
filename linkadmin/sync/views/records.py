"""Pages of provider lists, read live and never stored: links, customers, connectors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.actions import ObjectType
from linkadmin.integrations.models import Integration
from linkadmin.providers.base import Provider
from linkadmin.providers.records import Filters
from linkadmin.providers.types import Capability, CredentialField
from linkadmin.staff_limits import shown
from linkadmin.sync.forms import RecordFilterForm
from linkadmin.sync.full_checks.discovery import customers_with
from linkadmin.sync.live_queries import Question
from linkadmin.sync.records import RecordRow, link_rows, links_here
from linkadmin.web.pages import draw, reader

from .at_provider import integration_that_can, look, page_number


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of provider list: who has it, its filters, and how it's read and shown."""

    title: Promise
    lead: Promise
    capability: Capability
    filters: Callable[[type[Provider]], tuple[CredentialField, ...]]
    read: Callable[[Provider, Filters, int], Any]
    rows: Callable[[Any, Integration, User], list[RecordRow]]
    template: str
    home: str = ""  # our own list, for readers who can't open integrations


def _links(page: Any, integration: Integration, user: User) -> list[RecordRow]:
    return link_rows(page.items, links_here(integration, (each.remote_id for each in page.items), reader=user))


def _end_users(page: Any, integration: Integration, _user: User) -> list[RecordRow]:
    here = customers_with(each.end_user_id for each in page.items)
    others = [each.end_user_id for each in page.items if each.end_user_id not in here]
    shown.note(uuid5(integration.pk, customer_id) for customer_id in others)
    return [RecordRow(each, here.get(each.end_user_id)) for each in page.items]


def _connectors(found: Any, integration: Integration, _user: User) -> list[RecordRow]:
    ours = set(integration.options.values())
    return [RecordRow(each, integration if each.remote_id in ours else None) for each in found]


KINDS = {
    "links": RecordKind(
        _("Links at the provider"),
        _("The provider's current records. Viewing them changes nothing."),
        Capability.LINKS,
        lambda provider_class: provider_class.link_filters,
        lambda provider, filters, page: provider.list_links(filters, page=page),
        _links,
        "sync/records/_links.html",
        home="link-list",
    ),
    "customers": RecordKind(
        _("Customers at the provider"),
        _("The provider's current records. Viewing them changes nothing."),
        Capability.END_USERS,
        lambda provider_class: provider_class.end_user_filters,
        lambda provider, filters, page: provider.list_end_users(filters, page=page),
        _end_users,
        "sync/records/_end_users.html",
        home="end-user-list",
    ),
}
CONNECTORS = RecordKind(
    _("Connectors at the provider"),
    _("What the provider calls “integrations” in our account. Secrets aren't shown."),
    Capability.CONNECTORS,
    lambda _provider_class: (),
    lambda provider, _filters, _page: provider.list_connectors(),
    _connectors,
    "sync/records/_connectors.html",
)


@require_http_methods(["GET", "HEAD", "POST"])
def integration_records(request: HttpRequest, pk: UUID, what: str) -> HttpResponse:
    """Filters come in a POST body, since one may be a name."""
    if what not in KINDS or not may(request.user, Right.VIEW_ALL_CUSTOMERS):
        raise Http404
    return _list(request, pk, what, KINDS[what])


@require_http_methods(["GET", "HEAD", "POST"])
def integration_connectors(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _list(request, pk, "connectors", CONNECTORS)


def _list(request: HttpRequest, pk: UUID, what: str, kind: RecordKind) -> HttpResponse:
    integration = integration_that_can(pk, kind.capability)
    user = reader(request)
    form = RecordFilterForm.of(kind.filters(integration.provider_class), request.POST)
    context: dict[str, Any] = {"integration": integration, "kind": kind, "form": form if form.asked else None}
    if form.can_ask:
        filters, page = form.filters(), page_number(request)
        question = Question(user, integration, what, ObjectType.INTEGRATION, integration.pk, filters, page)
        seen = look(request, question, lambda provider: kind.read(provider, filters, page), kept=form.kept())
        rows = [] if seen.found is None else kind.rows(seen.found, integration, user)
        context |= {"look": seen, "rows": rows}
    status = 422 if form.is_bound and not form.is_valid() else 200
    return draw(request, "sync/records.html", "records", context, status=status)
