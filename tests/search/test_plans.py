"""Every search is answered by indexes, whatever its shape."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.http import QueryDict
from django.test import RequestFactory

from linkadmin.accounts.models import User
from linkadmin.audit.admin import SubjectFilter
from linkadmin.audit.models import AuditEvent
from linkadmin.bulk.models import BulkItem, BulkJob
from linkadmin.links.models import EndUser, HealthChange, Institution, Link
from linkadmin.links.search import find_by_id, search, search_customers, search_institutions
from linkadmin.operations.models import Operation
from linkadmin.search import pasted
from linkadmin.web import palette
from linkadmin.webhooks.models import WebhookDelivery
from linkadmin.webhooks.queries import OPEN, DeliveryFilter
from linkadmin.webhooks.queries import search as search_deliveries
from tests.environment import Environment

from .plans import WITHOUT_INDEX, plans

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PASTED = "0b5c3c1e-6f3b-4c8e-9d0a-3f1f2f6b7a10"


def in_admin(model: type[Model], words: str) -> Callable[[], Sequence[Any]]:
    def found() -> Sequence[Any]:
        request, listed = RequestFactory().get("/"), admin.site._registry[model]
        rows, _may_repeat = listed.get_search_results(request, listed.get_queryset(request), words)
        return list(rows.order_by(*listed.ordering or ())[:51])

    return found


def in_category(name: str) -> Callable[[], Sequence[Any]]:
    def found() -> Sequence[Any]:
        request, listed = RequestFactory().get("/"), admin.site._registry[AuditEvent]
        chosen = SubjectFilter(request, {"subject": [name]}, AuditEvent, listed)
        return list(chosen.queryset(request, AuditEvent.objects.order_by("-seq"))[:51])

    return found


def pending_deliveries() -> Sequence[Any]:
    query, ana = QueryDict(f"outcome={OPEN}"), User.objects.get(username="ana")
    return list(DeliveryFilter(query, WebhookDelivery.objects.order_by("-pk"), reader=ana).qs[:51])


def links(words: str, *, see_names: bool = True) -> Callable[[], Sequence[Any]]:
    order = ("urgency", "health_since", "id")
    return lambda: list(search(Link.objects.all(), words, see_names=see_names).order_by(*order)[:51])


def in_palette(text: str) -> Callable[[], object]:
    return lambda: palette.find(User.objects.get(username="ana"), pasted.read(text))


SEARCHES: dict[str, Callable[[], object]] = {
    "palette, two words": in_palette("acme corp"),
    "palette, an ID": in_palette(PASTED),
    "palette, an error": in_palette(f'{{"request_id": "{PASTED}", "item_id": "item-1"}}'),
    "link": links("acme"),
    "link, two words": links("acme platypus"),
    "link, three words": links("corp first platypus"),
    "link, by the beginning of an ID": links("item", see_names=False),
    "link, by the beginning of our ID": links(PASTED[:8], see_names=False),
    "link, by a whole ID": lambda: find_by_id(Link.objects.all(), PASTED),
    "customer": lambda: list(search_customers("acme", see_names=True).order_by("name", "id")[:51]),
    "customer, by ID": lambda: list(search_customers("cus", see_names=False).order_by("external_id")[:51]),
    "institution": lambda: list(search_institutions("platypus").order_by("display_name", "id")[:51]),
    "delivery, by ID": lambda: list(search_deliveries(WebhookDelivery.objects.order_by("-pk"), PASTED)[:51]),
    "delivery, by topic": lambda: list(search_deliveries(WebhookDelivery.objects.order_by("-pk"), "LINK inv")[:51]),
    "delivery, pending": pending_deliveries,
    "audit event, by category": in_category("link"),
    **{
        f"{model.__name__} in the admin, {words}": in_admin(model, words)
        for model in (
            AuditEvent,
            BulkItem,
            BulkJob,
            EndUser,
            HealthChange,
            Institution,
            Link,
            Operation,
            WebhookDelivery,
        )
        for words in (PASTED, "link.vi")
    },
}


@pytest.mark.parametrize("of", SEARCHES)
def test_search_reads_no_whole_table(env: Environment, of: str) -> None:
    env.heron_link("Acme Corp", item_id="item-1", bank="First Platypus Bank")
    for state in ("pending", "done"):
        WebhookDelivery.objects.create(integration=env.belvo, key=state, state=state, topic=f"LINK invalid {state}")

    found = plans(SEARCHES[of])

    assert not WITHOUT_INDEX.search(found), found
