"""Steps that many tests of changes share."""

import uuid
from typing import Any

from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.operations import services, tasks
from linkadmin.operations.models import Operation, OperationKind
from linkadmin.providers.types import Cause, Secret
from tests.environment import HERON_INTEGRATION, Environment
from tests.markup import Page


def act(env: Environment, link: Link, slug: str, name: str = "ana", **values: str) -> Page:
    """Open the page of a change, fill it in and submit it."""
    return env.send(url_of(link, slug), name, **values)


def url_of(link: Link, slug: str) -> str:
    return f"/links/{link.pk}/{slug}/"


def delete(env: Environment, link: Link, name: str = "ana", **values: str) -> Page:
    typed = {"reason": "The customer closed the account.", "confirmation": link.end_user.external_id}
    return act(env, link, "delete", name, **(typed | values))


def change(env: Environment, link: Link, kind: OperationKind, **values: str | Secret | tuple[str, ...]) -> Operation:
    """Start a change of a link, and wait for its outcome."""
    operation = services.change_link(
        actor=env.people["ana"], link=link, kind=kind, values=values, operation_key=uuid.uuid4()
    )
    return ended(env, operation)


def change_customer(env: Environment, link: Link, kind: OperationKind, target: str = "", **values: str) -> Operation:
    operation = services.change_account(
        actor=env.people["ana"],
        integration=link.integration,
        end_user=link.end_user,
        kind=kind,
        values=values,
        operation_key=uuid.uuid4(),
        target=target,
    )
    return ended(env, operation)


def change_heron(env: Environment, kind: OperationKind, target: str = "", **values: str) -> Operation:
    operation = services.change_account(
        actor=env.people["adm"],
        integration=env.heron,
        kind=kind,
        values=values,
        operation_key=uuid.uuid4(),
        target=target,
    )
    return ended(env, operation)


def ended(env: Environment, operation: Operation) -> Operation:
    env.settled()
    return Operation.objects.with_names().get(pk=operation.pk)


def reconciled(operation: Operation) -> Operation:
    """Run the reconciliation of an operation."""
    Operation.objects.filter(pk=operation.pk).update(check_at=timezone.now())
    tasks.reconcile_one(str(operation.pk))
    return Operation.objects.with_names().get(pk=operation.pk)


def three_of_one_customer(env: Environment) -> list[Link]:
    first = env.heron_link(item_id="item-1", bank="Chase")
    links = [first]
    for number in (2, 3):
        body: dict[str, Any] = {"access_token": "access-sandbox-1", "item_id": f"item-{number}"}
        body |= {"end_user_id": first.end_user.external_id}
        env.call_heron("POST", f"/api/integrations/{HERON_INTEGRATION}/links", body)
        links.append(env.let_know(env.heron, first.end_user, f"item-{number}", None, Cause.WORKING))
    return links
