"""A customer's contact details. Logs and the audit log only say which ones there are."""

from django.db import transaction

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record

from .models import CustomerContact, EndUser

DETAILS = ("email", "phone", "language")


def contact_of(customer: EndUser) -> CustomerContact:
    """Without any details if there are none."""
    return CustomerContact.objects.filter(end_user=customer).first() or CustomerContact(end_user=customer)


@transaction.atomic
def set_contact(customer: EndUser, *, email: str, phone: str, language: str, by: User) -> bool:
    """Return whether this changed anything. Without any details, the row is deleted."""
    EndUser.objects.select_for_update(no_key=True).get(pk=customer.pk)
    before = contact_of(customer)
    contact = CustomerContact(end_user=customer, email=email, phone=phone, language=language)
    if all(getattr(contact, name) == getattr(before, name) for name in DETAILS):
        return False
    has = [name for name in DETAILS if getattr(contact, name)]
    if has:
        contact.save()
    else:
        before.delete()
    record(
        actor=by,
        action=Action.CONTACT_SET,
        object_type=ObjectType.END_USER,
        object_id=customer.pk,
        outcome=Outcome.DONE,
        details={"has": ", ".join(has)},
    )
    return True
