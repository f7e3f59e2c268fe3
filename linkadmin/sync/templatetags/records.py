"""The ways from our pages to what a provider keeps. Drawn only where the provider can tell and the reader may ask."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.translation import gettext as _

from linkadmin.accounts.roles import Right
from linkadmin.links.models import EndUser, Integration, Link
from linkadmin.providers.types import Capability
from linkadmin.sync.customers import tells_of_customers, tells_of_links

register = template.Library()


@dataclass(frozen=True, slots=True)
class Way:
    label: str
    note: str
    url: str


@register.inclusion_tag("sync/_ways.html", takes_context=True)
def records_of_integration(context: Context, integration: Integration) -> dict[str, Any]:
    """List what an integration's provider can be asked for, and what can be changed there."""
    every = (
        (Capability.LINKS, Right.READ_RECORDS, _("Links"), _("as the provider lists them"), "links"),
        (Capability.END_USERS, Right.READ_RECORDS, _("Customers"), _("with their sources of data"), "end-users"),
        (Capability.CONNECTORS, Right.TEST_CONNECTION, _("Set-up"), _("what it calls integrations"), "connectors"),
        (Capability.WEBHOOKS, Right.TEST_CONNECTION, _("Subscriptions"), _("to its messages"), "webhooks"),
    )
    ways = [
        Way(label, note, f"{integration.get_absolute_url()}records/{what}/")
        for capability, right, label, note, what in every
        if integration.can(capability) and right in context["rights"]
    ]
    if integration.can(Capability.INSTITUTIONS):
        there = f"{reverse('institution-list')}?integration={integration.pk}"
        ways.append(Way(_("Institutions"), _("its catalogue, as kept here"), there))
    if integration.can(Capability.REFRESH_REPORTS) and Right.MANAGE_INTEGRATIONS in context["rights"]:
        there = reverse("integration-reports", args=[integration.pk])
        ways.append(Way(_("Make all reports anew"), _("of all its customers"), there))
    return {"title": _("At the provider"), "ways": ways}


@register.inclusion_tag("sync/_ways.html", takes_context=True)
def records_of_customer(context: Context, customer: EndUser) -> dict[str, Any]:
    """List the integrations that can tell about a customer: where they have links, and where customers are known."""
    ways = []
    if Right.READ_RECORDS in context["rights"]:
        linked = set(customer.links.values_list("integration", flat=True))
        ways = [
            Way(each.name, each.provider_label, reverse("end-user-records", args=[customer.pk, each.pk]))
            for each in Integration.objects.filter(is_active=True).order_by("name")
            if tells_of_customers(each) and (each.pk in linked or each.can(Capability.END_USERS))
        ]
    return {"title": _("At the providers"), "ways": ways}


@register.simple_tag(takes_context=True)
def records_of_link(context: Context, link: Link) -> str:
    """Return where one reads what is behind a link at the provider; empty if nobody can tell, or not to this reader."""
    can_ask = Right.READ_RECORDS in context["rights"] and tells_of_links(link.integration)
    return reverse("link-records", args=[link.pk]) if can_ask else ""


@register.inclusion_tag("sync/_elsewhere.html", takes_context=True)
def not_found_here(context: Context, what: str) -> dict[str, Any]:
    """Offer the providers' own lists to who looks for something that is not in ours."""
    capability = {"links": Capability.LINKS, "end-users": Capability.END_USERS}[what]
    integrations: list[Integration] = []
    if Right.READ_RECORDS in context["rights"]:
        integrations = list(Integration.objects.filter(is_active=True).order_by("name"))
    return {
        "ways": [
            Way(each.name, "", reverse("integration-records", args=[each.pk, what]))
            for each in integrations
            if each.can(capability)
        ]
    }
