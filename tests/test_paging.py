"""Every list, walked from its first page to its last and back: each row once, in one order, by few statements."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import chain
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.audit.log import record
from linkadmin.audit.models import Outcome
from linkadmin.bulk.models import BulkItem, BulkJob, JobKind, JobState
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, HealthChange, Institution, Link
from linkadmin.operations.models import Operation
from linkadmin.paging import PAGE_SIZE
from linkadmin.sync.models import FullCheck
from linkadmin.webhooks.models import WebhookDelivery
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ROWS = 2 * PAGE_SIZE + 7
NOW = timezone.now()
ROW = re.compile(r"/(?:links|customers|institutions|deliveries|full-checks|bulk|operations)/([\w-]{36})/")
RECORD = re.compile(r"/admin/\w+/\w+/([\w-]+)/change/")


class Data:
    """Rows of every list. Many are equal in what they're sorted by."""

    def __init__(self) -> None:
        self.user = User.objects.create(username="ana", name="Ana", roles=Role.MANAGER)
        self.integration = Integration.objects.create(provider="belvo", name="Belvo", base_url="https://x.belvo.com")
        self.customer = EndUser.objects.create(external_id="cus", name="Acme Corp")

    def customers(self) -> str:
        EndUser.objects.bulk_create(EndUser(external_id=f"cus-{n}", name=f"Name {n % 4}") for n in range(ROWS - 1))
        return "/customers/?sort=name"

    def customers_in_trouble(self) -> str:
        self.customers()
        self.links(EndUser.objects.all())
        return "/customers/"

    def institutions(self) -> str:
        Institution.objects.bulk_create(
            Institution(integration=self.integration, name=f"bank_{n}", display_name=f"Bank {n % 4}")
            for n in range(ROWS)
        )
        return "/institutions/"

    def links(self, customers: Iterable[EndUser] = ()) -> list[Link]:
        now = timezone.now()
        return Link.objects.bulk_create(
            Link(
                integration=self.integration,
                end_user=customer,
                remote_id=f"r-{n}",
                urgency=n % 3,
                health_since=now - timedelta(days=n % 5),
            )
            for n, customer in enumerate(customers or [self.customer] * ROWS)
        )

    def links_of_all(self) -> str:
        self.links()
        return "/links/"

    def links_of_customer(self) -> str:
        self.links()
        return self.customer.get_absolute_url()

    def deliveries(self) -> str:
        WebhookDelivery.objects.bulk_create(
            WebhookDelivery(integration=self.integration, key=str(n)) for n in range(ROWS)
        )
        return "/deliveries/"

    def full_checks(self) -> str:
        FullCheck.objects.bulk_create(
            FullCheck(integration=self.integration, state="done", started_at=NOW - timedelta(hours=n % 7))
            for n in range(ROWS)
        )
        return f"/integrations/{self.integration.pk}/full-checks/"

    def jobs(self) -> str:
        BulkJob.objects.bulk_create(
            BulkJob(kind=JobKind.NOTE, state=JobState.DONE, actor=self.user, created_at=NOW - timedelta(hours=n % 7))
            for n in range(ROWS)
        )
        return "/bulk/?whose=others"

    def items(self) -> str:
        job = BulkJob.objects.create(kind=JobKind.NOTE, state=JobState.DONE, actor=self.user)
        BulkItem.objects.bulk_create(BulkItem(job=job, link=link, state="done") for link in self.links())
        return job.get_absolute_url()

    def operations(self) -> str:
        Operation.objects.bulk_create(
            Operation(
                kind="refresh_data",
                state="succeeded",
                integration=self.integration,
                end_user=self.customer,
                actor=self.user,
                operation_key=UUID(int=n),
                created_at=NOW - timedelta(hours=n % 7),
            )
            for n in range(ROWS)
        )
        return "/admin/operations/operation/"

    def changes(self) -> str:
        link = self.links()[0]
        HealthChange.objects.bulk_create(
            HealthChange(link=link, at=NOW - timedelta(hours=n % 7), source="list", new="healthy", cause="working")
            for n in range(ROWS)
        )
        return "/admin/links/healthchange/"

    def events(self) -> str:
        for _number in range(ROWS):
            record(actor=None, action="link.seen", outcome=Outcome.DONE)
        return "/admin/audit/auditevent/?subject=link"

    def in_admin(self, model: type[Model], fill: Callable[[], object]) -> str:
        fill()
        return f"/admin/{model._meta.label_lower.replace('.', '/')}/"


LISTS: dict[str, Callable[[Data], str]] = {
    "customers by name": Data.customers,
    "customers": Data.customers_in_trouble,
    "links": Data.links_of_all,
    "links of a customer": Data.links_of_customer,
    "institutions": Data.institutions,
    "deliveries": Data.deliveries,
    "full checks": Data.full_checks,
    "bulk jobs": Data.jobs,
    "links of a bulk job": Data.items,
}
RECORDS: dict[str, Callable[[Data], str]] = {
    "operations": Data.operations,
    "status changes": Data.changes,
    "audit log": Data.events,
    "customers": lambda data: data.in_admin(EndUser, data.customers),
    "links": lambda data: data.in_admin(Link, data.links),
    "institutions": lambda data: data.in_admin(Institution, data.institutions),
    "deliveries": lambda data: data.in_admin(WebhookDelivery, data.deliveries),
    "bulk jobs": lambda data: data.in_admin(BulkJob, data.jobs),
    "rows of bulk jobs": lambda data: data.in_admin(BulkItem, data.items),
}


class Walk:
    """A reader who turns the pages of one list."""

    def __init__(self, url: str, role: Role, row: re.Pattern[str], css: str = "table__main") -> None:
        self.url, self.row, self.css = url, row, css
        self.statements: list[list[str]] = []
        self.client = Client()
        self.client.force_login(User.objects.create(username="reader", roles=role))

    def open(self, query: str = "") -> Page:
        with CaptureQueriesContext(connection) as done:
            page = read(self.client.get(f"{self.url.partition('?')[0]}{query}" if query else self.url))
        self.statements.append([each["sql"] for each in done.captured_queries])
        assert page.status == 200
        return page

    def rows(self, page: Page) -> list[str]:
        found = [each.attrs.get("href", "") for each in page.elements if each.attrs.get("class", "") == self.css]
        return [match[1] for match in map(self.row.search, found) if match]

    def turned(self, page: Page, rel: str) -> str:
        return next((each.attrs["href"] for each in page.elements if each.attrs.get("rel") == rel), "")

    def through(self, page: Page, rel: str) -> list[list[str]]:
        pages = [self.rows(page)]
        while turn := self.turned(page, rel):
            page = self.open(turn)
            pages.append(self.rows(page))
        return pages


@pytest.mark.parametrize("name", LISTS)
def test_list_is_walked_both_ways(name: str) -> None:
    data = Data()
    _walk(Walk(LISTS[name](data), Role.MANAGER, ROW))


@pytest.mark.deep
@pytest.mark.parametrize("name", RECORDS)
def test_records_are_walked_both_ways(name: str) -> None:
    data = Data()
    _walk(Walk(RECORDS[name](data), Role.AUDITOR, RECORD, css=""))


def test_customers_are_walked_by_id_by_readers_who_see_no_names() -> None:
    _walk(Walk(Data().customers(), Role.AUDITOR, ROW))


def _walk(reader: Walk) -> None:
    first = reader.open()

    forwards = reader.through(first, "next")
    _first, full, short = reader.statements
    (end,) = {each.attrs["href"] for each in first.elements if each.attrs.get("href", "").endswith("before=")}
    backwards = reader.through(reader.open(end), "prev")

    rows = list(chain.from_iterable(forwards))
    assert [len(page) for page in forwards] == [PAGE_SIZE, PAGE_SIZE, ROWS - 2 * PAGE_SIZE]
    assert len(set(rows)) == ROWS
    assert list(chain.from_iterable(reversed(backwards))) == rows
    assert len(full) == len(short)
    assert not [sql for sql in full if "OFFSET" in sql]
    base = reader.url.partition("?")[2]
    for place in ("after=x", "before=x", "after=1.2.3.4.5"):
        page = reader.open(f"?{base}&{place}")
        assert reader.rows(page) == forwards[0]
