"""The moves that many tests of changes make."""

import uuid
from typing import Any

from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.operations import services, tasks
from linkadmin.operations.models import Operation, OperationKind
from linkadmin.providers.types import Cause, Secret
from tests.house import HERON_INTEGRATION, House
from tests.markup import Page


def act(house: House, link: Link, slug: str, name: str = "ana", **values: str) -> Page:
    """Open the page of an act, fill it in and send it."""
    return house.send(url_of(link, slug), name, **values)


def url_of(link: Link, slug: str) -> str:
    return f"/links/{link.pk}/{slug}/"


def delete(house: House, link: Link, name: str = "ana", **values: str) -> Page:
    typed = {"reason": "The customer closed the account.", "confirmation": link.end_user.external_id}
    return act(house, link, "delete", name, **(typed | values))


def change(house: House, link: Link, kind: OperationKind, **values: str | Secret | tuple[str, ...]) -> Operation:
    """Have a link changed, and wait for the end of the call."""
    operation = services.change_link(
        actor=house.people["ana"], link=link, kind=kind, values=values, operation_key=uuid.uuid4()
    )
    return ended(house, operation)


def change_customer(house: House, link: Link, kind: OperationKind, target: str = "", **values: str) -> Operation:
    operation = services.change_account(
        actor=house.people["ana"],
        integration=link.integration,
        end_user=link.end_user,
        kind=kind,
        values=values,
        operation_key=uuid.uuid4(),
        target=target,
    )
    return ended(house, operation)


def change_heron(house: House, kind: OperationKind, target: str = "", **values: str) -> Operation:
    operation = services.change_account(
        actor=house.people["adm"],
        integration=house.heron,
        kind=kind,
        values=values,
        operation_key=uuid.uuid4(),
        target=target,
    )
    return ended(house, operation)


def ended(house: House, operation: Operation) -> Operation:
    house.settled()
    return Operation.objects.with_names().get(pk=operation.pk)


def reconciled(operation: Operation) -> Operation:
    """Let a worker read what became of an operation."""
    Operation.objects.filter(pk=operation.pk).update(check_at=timezone.now())
    tasks.reconcile_one(str(operation.pk))
    return Operation.objects.with_names().get(pk=operation.pk)


def three_of_one_customer(house: House) -> list[Link]:
    first = house.heron_link(item_id="item-1", bank="Chase")
    links = [first]
    for number in (2, 3):
        body: dict[str, Any] = {"access_token": "access-sandbox-1", "item_id": f"item-{number}"}
        body |= {"end_user_id": first.end_user.external_id}
        house.call_heron("POST", f"/api/integrations/{HERON_INTEGRATION}/links", body)
        links.append(house.let_know(house.heron, first.end_user, f"item-{number}", None, Cause.WORKING))
    return links
