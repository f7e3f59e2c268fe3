"""A customer's account manager: stored with the customer and with each of its links, always the same in both."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from . import staff_moves
from .models import EndUser, Link
from .staff_work import Overtaken


@transaction.atomic
def set_account_manager(customer: EndUser, manager: User | None, *, by: User) -> bool:
    """Return whether this changed anything. Updates `customer` in place."""
    # Creating a link also locks its customer, so no link is created in between.
    row = EndUser.objects.select_for_update().only("account_manager").get(pk=customer.pk)
    customer.account_manager = manager
    if row.account_manager_id == customer.account_manager_id:
        return False
    links = Link.objects.filter(end_user=customer)
    before = staff_moves.locked(links)
    EndUser.objects.filter(pk=customer.pk).update(account_manager=manager)
    links.update(account_manager=manager)
    staff_moves.note((each, each._replace(manager=customer.account_manager_id)) for each in before)
    record(
        actor=by,
        action=Action.ACCOUNT_MANAGER_SET,
        object_type=ObjectType.END_USER,
        object_id=customer.pk,
        outcome=Outcome.DONE,
        details={"account_manager": str(customer.account_manager_id or "")},
    )
    return True


@transaction.atomic
def set_if_unchanged(customer: EndUser, manager: User | None, *, by: User, was: UUID | None) -> bool:
    """Raises `Overtaken` if `was`, as the form showed, is no longer the account manager."""
    if EndUser.objects.select_for_update().only("account_manager").get(pk=customer.pk).account_manager_id != was:
        raise Overtaken
    return set_account_manager(customer, manager, by=by)


def take_over(links: Sequence[Link]) -> None:
    """Give new links their customers' account managers, in the transaction that inserted them."""
    created = Link.objects.filter(pk__in=[link.pk for link in links], end_user__account_manager__isnull=False)
    managers = dict(created.values_list("pk", "end_user__account_manager"))
    managed = [link for link in links if link.pk in managers]
    for link in managed:
        link.account_manager_id = managers[link.pk]
    Link.objects.bulk_update(managed, ["account_manager"])
