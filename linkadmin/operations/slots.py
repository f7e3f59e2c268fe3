"""Slots for requests of staff. A request gets one at once or is refused before any work starts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

from linkadmin.accounts.models import User
from linkadmin.integrations import call_pool, denials, rate_limiter, slots
from linkadmin.integrations.models import Integration
from linkadmin.integrations.slots import Slot
from linkadmin.providers.http.admission import Denial

from . import refusals


@contextmanager
def slot_for(
    integration_id: UUID,
    *,
    person: User,
    call: str = "",
    seconds: float = 0.0,
    with_it: Callable[[], None] = lambda: None,
) -> Iterator[Slot]:
    """Hold a slot for a person's request to an integration, for `seconds` or the time of a read.

    Never waits. Raises `TooManyCalls` if no slot is free or the person has half of them, `Paused` if the named call
    would be denied, and `IntegrationOff` for rejected keys. `with_it` runs in the transaction that takes the slot.
    """
    seconds = seconds or settings.PROVIDER_READ_SECONDS
    slot = rate_limiter.take_slot(integration_id, call=call, seconds=seconds, person_id=person.pk, with_it=with_it)
    if isinstance(slot, Denial):
        raise _refusal(integration_id, slot)
    with call_pool.held(slot) as held:
        yield held


def require_free_slot(integration_id: UUID, *, person: User) -> None:
    """Raise what `slot_for` would without a free slot, by a read alone: before anything is locked, opened or written.

    Otherwise requests without a slot would wait for each other's locks to find that out.
    """
    denial = slots.use_of(integration_id, person.pk).denial()
    if denial is not None:
        raise _refusal(integration_id, denial)


def _refusal(integration_id: UUID, denial: Denial) -> refusals.Refusal:
    if denial.why:
        return refusals.Paused(denials.describe(denial, Integration.objects.get(pk=integration_id)))
    if denial.reason == denials.KEYS_REJECTED:
        return refusals.IntegrationOff()
    return refusals.TooManyOfYours() if denial.reason == denials.OWN_SHARE else refusals.TooManyCalls()
