"""Provider records of one customer or link, read live and never stored."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from linkadmin.accounts.roles import Right, may
from linkadmin.audit.actions import ObjectType
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser
from linkadmin.links.views.access import customer_for, link_for
from linkadmin.operations.changes.account import YES
from linkadmin.operations.forms.fields import OnceForm
from linkadmin.operations.models import OperationKind
from linkadmin.providers.types import Capability
from linkadmin.sync.forms import SwitchForm
from linkadmin.sync.live_queries import Question
from linkadmin.sync.records import (
    CustomerRecord,
    LinkRecord,
    PartialAnswer,
    RecordRow,
    link_rows,
    links_here,
    read_behind_link,
    read_customer,
    tells_of_customers,
    tells_of_links,
)
from linkadmin.sync.troubles import explain_failure
from linkadmin.web.pages import draw, reader

from .at_provider import change, integration_that_can, look


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_records(request: HttpRequest, pk: UUID, integration: UUID) -> HttpResponse:
    customer, source = customer_for(request, pk), get_object_or_404(Integration, pk=integration)
    if not tells_of_customers(source):
        raise Http404
    seen = look(request, _about(request, customer, source), partial(read_customer, customer=customer))
    context = {
        "customer": customer,
        "integration": source,
        "look": seen,
        "form": OnceForm(),
        "may_tell": may(request.user, Right.CREATE_LINK),
        **(_customer_parts(request, customer, source, seen.found) if seen.found else {}),
    }
    return draw(request, "sync/customer.html", "records", context)


@require_POST
def end_user_tell(request: HttpRequest, pk: UUID, integration: UUID) -> HttpResponse:
    customer, source = customer_for(request, pk), integration_that_can(integration, Capability.END_USERS)
    return change(
        request,
        OperationKind.CREATE_END_USER,
        OnceForm.sent(request.POST),
        shown=_about(request, customer, source),
        done=_("Customer added to %(provider)s.") % {"provider": source.provider_label},
        back=_records_url(customer, source),
        end_user=customer,
    )


@require_POST
def data_source_switch(request: HttpRequest, pk: UUID, integration: UUID, source: str) -> HttpResponse:
    customer, through = customer_for(request, pk), integration_that_can(integration, Capability.DATA_SOURCES)
    form = SwitchForm.sent(request.POST)
    # The provider doesn't check the customer: only sources listed on this customer's page may be switched.
    form.require_listed(customer.pk, through.pk, source)
    enabled = form.cleaned_data["enabled"]
    included, excluded = _("Data source included."), _("Data source excluded.")
    return change(
        request,
        OperationKind.SWITCH_DATA_SOURCE,
        form,
        shown=_about(request, customer, through),
        done=included if enabled == YES else excluded,
        back=_records_url(customer, through),
        values={"enabled": enabled},
        target=source,
        end_user=customer,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def link_records(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    if not tells_of_links(link.integration):
        raise Http404
    question = Question(reader(request), link.integration, "link", ObjectType.LINK, link.pk)
    ref = link.ref
    seen = look(request, question, lambda provider: read_behind_link(provider, ref))
    context = {"link": link, "look": seen, **(_link_parts(seen.found) if seen.found else {})}
    return draw(request, "sync/link.html", "records", context)


def _customer_parts(
    request: HttpRequest, customer: EndUser, integration: Integration, found: CustomerRecord
) -> dict[str, Any]:
    ids = [each.remote_id for each in found.links.found or ()]
    ids += [each.remote_link_id for each in found.sources.found or ()]
    here = links_here(integration, ids, reader=reader(request))
    may_switch = may(request.user, Right.CHANGE_LINK)
    sources = [
        RecordRow(
            each,
            here.get(each.remote_link_id),
            SwitchForm.listed(customer.pk, integration.pk, each.remote_id, enabled=each.enabled)
            if may_switch
            else None,
        )
        for each in found.sources.found or ()
    ]
    return {
        "found": found,
        "links": _shown(found.links, link_rows(found.links.found or (), here)),
        "sources": _shown(found.sources, sources),
    }


def _link_parts(found: LinkRecord) -> dict[str, Any]:
    return {
        "sources": _shown(found.sources, [RecordRow(each) for each in found.sources.found or ()]),
        "consents": _shown(found.consents, [RecordRow(each) for each in found.consents.found or ()]),
    }


def _shown(part: PartialAnswer[Any], rows: list[RecordRow]) -> dict[str, Any] | None:
    """Return None if the provider has no such records."""
    if part.found is None and part.trouble is None:
        return None
    return {
        "rows": rows,
        "explanation": explain_failure(part.trouble) if part.trouble else None,
        "failure": part.trouble.failure if part.trouble else None,
    }


def _about(request: HttpRequest, customer: EndUser, integration: Integration) -> Question:
    return Question(reader(request), integration, "end-user", ObjectType.END_USER, customer.pk)


def _records_url(customer: EndUser, integration: Integration) -> str:
    return reverse("end-user-records", args=[customer.pk, integration.pk])
