"""Steps of bulk tests: selecting rows, starting drafts, and running a worker."""

from collections.abc import Iterable, Sequence

from django.utils import timezone

from linkadmin.bulk import work
from linkadmin.bulk.models import BulkJob
from linkadmin.integrations.models import Integration
from linkadmin.links import counts
from linkadmin.links.models import EndUser, Link, LinkSearch, search_text
from linkadmin.providers.types import HealthState
from tests.environment import Environment
from tests.markup import Page, read

PLACES = {"refresh": "/bulk/refresh/", "assign": "/bulk/assignee/", "note": "/bulk/note/"}


def select(env: Environment, kind: str, name: str = "ana", links: Iterable[Link] = (), **values: str) -> Page:
    """Submit the form of the link list with these rows selected."""
    return read(env.client(name).post(PLACES[kind], {"link": [str(link.pk) for link in links]} | values))


def draft_job(env: Environment, kind: str, links: Iterable[Link] = (), name: str = "ana", **values: str) -> BulkJob:
    """Draft a job from the link list."""
    page = select(env, kind, name, links, **values)
    assert page.location.startswith("/bulk/"), page.words
    return BulkJob.objects.get(pk=page.location.split("/")[2])


def move(env: Environment, job: BulkJob, what: str, name: str = "ana") -> Page:
    return env.post(job.get_absolute_url(), {"move": what}, name)


def started_job(env: Environment, kind: str, links: Iterable[Link] = (), name: str = "ana", **values: str) -> BulkJob:
    """Draft and start a job, without running a worker."""
    job = draft_job(env, kind, links, name, **values)
    assert move(env, job, "begin", name).status == 303
    job.refresh_from_db()
    return job


def completed(job: BulkJob) -> BulkJob:
    """Run a worker once."""
    work.work(job.pk)
    job.refresh_from_db()
    return job


def many(integration: Integration, count: int, state: HealthState = HealthState.CUSTOMER_LOGIN) -> Sequence[Link]:
    """Create links without records at the provider, each of its own customer."""
    customers = EndUser.objects.bulk_create(
        EndUser(external_id=f"{integration.provider}-{number:06}", name=f"Zebra {number}") for number in range(count)
    )
    links = Link.objects.bulk_create(
        Link(
            integration=integration,
            end_user=customer,
            remote_id=f"link-{number:06}",
            urgency=30,
            health=state.value,
            health_since=timezone.now(),
        )
        for number, customer in enumerate(customers)
    )
    LinkSearch.objects.bulk_create(LinkSearch(link=link, text=search_text(link)) for link in links)
    counts.note([(link, None) for link in links], at=timezone.now())
    return links


def ended(link: Link) -> Link:
    Link.objects.filter(pk=link.pk).update(disconnected_at=timezone.now())
    return link


def results(job: BulkJob) -> dict[str, int]:
    return {state: count for state, count in job.counts().items() if count}
