"""Links whose status changed in the past."""

from datetime import timedelta

from django.utils import timezone

from linkadmin.links import health
from linkadmin.links.models import Link
from linkadmin.providers.types import Cause, Observation, RemoteLink
from tests.environment import Environment


def link_with_a_past(env: Environment, *pasts: tuple[int, Cause]) -> Link:
    """A link found this many days ago in the first state, which changed to the others later."""
    (found, cause), *later = pasts
    now = timezone.now()
    link = Link(integration=env.belvo, end_user=env.customer(), institution=env.bank(), remote_id=f"past-{found}")
    health.start_links([(link, RemoteLink(link.remote_id, Observation(cause)))], at=now - timedelta(days=found))
    for ago, cause in later:
        report = health.Report(Observation(cause), health.Source.LIST, now - timedelta(days=ago))
        health.observe(link, report)
    return link
