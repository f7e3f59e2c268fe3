"""Links from our pages to provider records, shown only if the provider has them and the reader may see them."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from django.template import Context
from django.urls import reverse
from django.utils.translation import gettext as _

from linkadmin.accounts.roles import Right
from linkadmin.integrations.models import Integration
from linkadmin.links.listing.known import INTEGRATIONS, integrations_in
from linkadmin.links.models import EndUser, Link
from linkadmin.providers.types import Capability
from linkadmin.sync.full_checks import can_full_check, duration
from linkadmin.sync.records import tells_of_customers, tells_of_links

READ_ALL = frozenset({Right.READ_RECORDS, Right.VIEW_ALL_CUSTOMERS})


@dataclass(frozen=True, slots=True)
class Way:
    label: str
    note: str
    url: str


def of_integration(page: Context) -> dict[str, Any]:
    integration: Integration = page["integration"]

    def at(view: str, *more: str) -> str:
        return reverse(f"integration-{view}", args=[integration.pk, *more])

    test, manage = Right.TEST_CONNECTION, Right.MANAGE_INTEGRATIONS
    catalogue = f"{reverse('institution-list')}?integration={integration.pk}"
    every: tuple[tuple[Capability, Set[Right], Way], ...] = (
        (Capability.LINKS, READ_ALL, Way(_("Links"), _("as the provider lists them"), at("records", "links"))),
        (Capability.END_USERS, READ_ALL, Way(_("Customers"), _("with their data sources"), at("records", "customers"))),
        (Capability.CONNECTORS, {test}, Way(_("Connectors"), _("what it calls “integrations”"), at("connectors"))),
        (Capability.WEBHOOKS, {test}, Way(_("Subscriptions"), _("for its webhooks"), at("webhooks"))),
        (Capability.INSTITUTIONS, set(), Way(_("Institution list"), _("what it supports"), catalogue)),
        (
            Capability.REGENERATE_REPORTS,
            {manage},
            Way(_("Regenerate all reports"), _("for all its customers"), at("reports")),
        ),
    )
    ways = [way for capability, needed, way in every if integration.can(capability) and needed <= page["rights"]]
    if can_full_check(integration):
        ways.append(Way(_("Full checks"), _("check every link"), at("full-checks")))
    return {"title": _("At the provider"), "ways": ways}


def full_checks_of(page: Context) -> dict[str, Any]:
    integration: Integration = page["integration"]
    if not can_full_check(integration):
        return {"full_check_url": ""}
    time = duration.full_pass(integration, page["usage"]["limits"])
    return {
        "full_check_url": reverse("integration-full-checks", args=[integration.pk]),
        "full_pass": duration.in_words(time) if time else "",
    }


def institutions_of(page: Context) -> dict[str, Any]:
    return {"institutions_count": page["integration"].institutions.count()}


def of_customer(page: Context) -> dict[str, Any]:
    customer: EndUser = page["customer"]
    ways = []
    if Right.READ_RECORDS in page["rights"]:
        linked = set(customer.links.values_list("integration", flat=True))
        ways = [
            Way(
                _("View at %(provider)s") % {"provider": each.provider_label},
                each.name,
                reverse("end-user-records", args=[customer.pk, each.pk]),
            )
            for each in INTEGRATIONS.all().values()
            if each.is_active and tells_of_customers(each) and (each.pk in linked or each.can(Capability.END_USERS))
        ]
    return {"title": _("Provider records"), "ways": ways}


def of_link(page: Context) -> dict[str, str]:
    link: Link = page["link"]
    can_ask = Right.READ_RECORDS in page["rights"] and tells_of_links(link.integration)
    return {"url": reverse("link-records", args=[link.pk]) if can_ask else ""}


def to_links(page: Context) -> dict[str, Any]:
    return _elsewhere(page, "links", Capability.LINKS)


def to_customers(page: Context) -> dict[str, Any]:
    return _elsewhere(page, "customers", Capability.END_USERS)


def _elsewhere(page: Context, what: str, capability: Capability) -> dict[str, Any]:
    able = [each for each in integrations_in(page["environment"]).values() if each.is_active and each.can(capability)]
    may_read = page["rights"] >= READ_ALL
    return {"records": what, "listed_by": tuple((each.pk, each.name) for each in able) if may_read else ()}
