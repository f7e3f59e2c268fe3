"""Reads that prove what came of a lost response. They never contact a bank, and prove nothing before its time.

A login may still be running at the provider after the connection broke, so "not done" is believed only once that time
is over.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from linkadmin.integrations import connections
from linkadmin.links.models import Link
from linkadmin.operations import reading
from linkadmin.operations.models import Operation, State
from linkadmin.providers.base import Provider
from linkadmin.providers.types import RemoteLink

from .row import NOTHING, Finding

CLOCK_SKEW = timedelta(seconds=60)  # between the provider's clock and ours


def is_settled(operation: Operation, now: datetime) -> bool:
    """Tell whether whatever the provider began would be over by now."""
    return now - operation.began_at >= timedelta(seconds=settings.RECONCILE_SETTLED_SECONDS)


def not_done(operation: Operation, now: datetime) -> Finding[Any]:
    return Finding(State.CONFIRMED_NOT_DONE, "shows_it_not") if is_settled(operation, now) else NOTHING


def has_new_data(operation: Operation, remote: RemoteLink) -> bool:
    """Tell whether the provider had a good answer of the bank after we sent."""
    good = remote.observation.last_good_at
    if good is None or good == operation.good_data_before:
        return False
    # Only where the login before it is known can one that seems a little earlier than the call be told from it.
    return good >= operation.began_at - (CLOCK_SKEW if operation.good_data_before else timedelta(0))


def read(link: Link) -> RemoteLink | None:
    return reading.read(link, in_background=True)


def provider_of(operation: Operation) -> Provider:
    return connections.client_for(operation.integration, in_background=True)


def link_of(operation: Operation) -> Link:
    assert operation.link is not None  # noqa: S101 - for the types: these kinds are about a link
    return operation.link
