"""Adds links and customers created elsewhere, as soon as provider records show them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.models import EndUser, Link
from linkadmin.links.models.institutions import institutions_named
from linkadmin.operations.models import Operation, OperationKind
from linkadmin.operations.reading import without_attempt
from linkadmin.providers.types import RemoteLink

BEFORE = timedelta(minutes=5)  # a link this much older than an operation wasn't created by it, even if clocks differ


@transaction.atomic
def add_unknown_links(
    integration: Integration, remotes: Sequence[RemoteLink], *, at: datetime, end_user_id: str = ""
) -> list[Link]:
    """Add the links among these records that we don't know; return them, saved.

    `at` is when they were requested. `end_user_id` is their customer, where the records don't say. Pass at most a few
    hundred.
    """
    if not remotes:
        return []
    # One at a time: two would add the same link. And the first link fixes the environment that is stored now.
    integration = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    new = _unknown(integration, remotes, at, end_user_id)
    customer_ids = {
        each.remote_id: end_user_id or each.external_id or f"{integration.provider}:{each.remote_id}" for each in new
    }
    customers = ensure_customers(dict.fromkeys(customer_ids.values(), ""))
    banks = institutions_named(integration, {each.institution for each in new if each.institution})
    found = [
        (
            Link(
                integration=integration,
                end_user=customers[customer_ids[each.remote_id]],
                institution=banks.get(each.institution),
                remote_id=each.remote_id,
            ),
            each,
        )
        for each in new
    ]
    health.start_links(found, at=at, understood=without_attempt)
    return [link for link, _remote in found]


def ensure_customers(names: Mapping[str, str]) -> dict[str, EndUser]:
    """Return the customers with these IDs, creating those we don't have under the given names."""
    known = customers_with(names)
    if new := sorted(names.keys() - known.keys()):
        rows = [EndUser(external_id=each, name=names[each][:128]) for each in new]
        EndUser.objects.bulk_create(rows, ignore_conflicts=True)
        known |= customers_with(new)
    return known


def customers_with(external_ids: Iterable[str]) -> dict[str, EndUser]:
    return {each.external_id: each for each in EndUser.objects.filter(external_id__in={*external_ids})}


def _unknown(
    integration: Integration, remotes: Sequence[RemoteLink], at: datetime, end_user_id: str
) -> list[RemoteLink]:
    by_id = {each.remote_id: each for each in remotes}
    # Operations before links: one that ends in between has created its link by then.
    creates = Operation.objects.open().filter(kind=OperationKind.CREATE_LINK, integration=integration)
    open_creates = list(creates.select_related("end_user", "institution"))
    here = Link.objects.filter(integration=integration, remote_id__in=by_id)
    ours = set(here.filter(disconnected_at=None).values_list("remote_id", flat=True))
    # The list may predate a disconnect, and the provider's records may lag behind it.
    ended = set(here.filter(disconnected_at__gt=at - health.PROOF_LAG).values_list("remote_id", flat=True))
    return [
        each
        for each in by_id.values()
        if each.remote_id not in ours | ended
        and not any(_may_create(create, each, end_user_id) for create in open_creates)
    ]


def _may_create(create: Operation, remote: RemoteLink, end_user_id: str) -> bool:
    if remote.created_at is not None and remote.created_at < create.created_at - BEFORE:
        return False
    if create.natural_key:
        return create.natural_key == remote.remote_id
    customer_id = end_user_id or remote.external_id  # the provider may have dropped it: without one, it may be anyone's
    is_theirs = create.end_user is None or customer_id in ("", create.end_user.external_id)
    is_there = create.institution is None or remote.institution in ("", create.institution.name)
    return is_theirs and is_there
