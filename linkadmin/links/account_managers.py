"""A customer's account manager: stored with the customer and with each of its links, always the same in both."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import transaction

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.database import update_rows

from . import staff_moves
from .models import EndUser, Link
from .staff_work import Overtaken


@transaction.atomic
def set_account_manager(customer: EndUser, manager: User | None, *, by: User) -> bool:
    """Return whether this changed anything. Updates `customer` in place."""
    was = _locked([customer.pk])[customer.pk]
    customer.account_manager = manager
    if was == customer.account_manager_id:
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
    if _locked([customer.pk])[customer.pk] != was:
        raise Overtaken
    return set_account_manager(customer, manager, by=by)


def take_over(links: Sequence[Link]) -> None:
    """Give new links their customers' account managers, in the transaction that inserted them."""
    managers = _locked({link.end_user_id for link in links})
    managed = [link for link in links if managers[link.end_user_id]]
    for link in managed:
        link.account_manager_id = managers[link.end_user_id]
    update_rows(managed, ["account_manager"])


def _locked(customers: Collection[UUID]) -> dict[UUID, UUID | None]:
    """The account managers of customers. Until the transaction ends, they stay, and no other links are created."""
    rows = EndUser.objects.filter(pk__in=customers).order_by("pk").select_for_update(no_key=True)
    return dict(rows.values_list("pk", "account_manager"))
