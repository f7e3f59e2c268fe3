"""A small environment for tests: staff, two integrations at a simulator, and links to repair."""

import random
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import requests
from django.db import connection
from django.db.models import Model
from django.db.models.sql import InsertQuery
from django.test import Client
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.integrations import call_pool
from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import Integration, IntegrationSecret
from linkadmin.links import due_reads, health
from linkadmin.links.models import EndUser, Institution, Link, LinkRead, Reason
from linkadmin.operations.models import Operation
from linkadmin.providers.types import Cause, Observation, RemoteLink, Secret
from linkadmin.simulator.journal import Call
from linkadmin.simulator.plaid.api import CLIENT_ID, SECRET
from linkadmin.simulator.server import Simulator
from linkadmin.sync import tasks
from linkadmin.sync.institutions import read_institutions

from .markup import Page, read

PASSWORD = "a password for tests"
CAST = {"ana": Role.SUPPORT, "ben": Role.SUPPORT, "mia": Role.MANAGER, "aud": Role.AUDITOR, "adm": Role.ADMINISTRATOR}
HERON_INTEGRATION = "itg_sandbox_transactions"
HTMX = {"HX-Request": "true"}


class Clock:
    """The simulator's clock: ours, until a test moves it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += seconds


@dataclass
class Environment:
    simulator: Simulator
    clock: Clock
    belvo: Integration
    heron: Integration
    people: dict[str, User]
    browsers: dict[str, Client] = field(default_factory=dict)
    calls_before: int = 0  # those that built it

    def client(self, name: str = "ana") -> Client:
        """A browser with this person signed in; the same one each time."""
        if name not in self.browsers:
            self.browsers[name] = Client()
            self.browsers[name].force_login(self.people[name])
        return self.browsers[name]

    def open(self, url: str, name: str = "ana") -> Page:
        return read(self.client(name).get(url, follow=True))

    def send(self, url: str, name: str = "ana", *, htmx: bool = False, **values: str) -> Page:
        """Open a form, fill it in and submit it. Doesn't follow redirects."""
        form = self.open(url, name).form_with(*values)
        headers = HTMX if htmx else {}
        return read(self.client(name).post(form.action or url, form.values | values, headers=headers))

    def post(
        self, url: str, values: Mapping[str, str | list[str]] | None = None, name: str = "ana", *, htmx: bool = False
    ) -> Page:
        return read(self.client(name).post(url, dict(values or {}), headers=HTMX if htmx else {}))

    def bank(self, name: str = "heimdall_mx_retail") -> Institution:
        return self.belvo.institutions.get(name=name)

    def new_link_url(self, bank: str = "") -> str:
        if not bank:
            return f"/links/new/?integration={self.heron.pk}"
        return f"/links/new/?integration={self.belvo.pk}&institution={self.bank(bank).pk}"

    def customer(self, name: str = "Acme Corp") -> EndUser:
        return EndUser.objects.create(external_id=f"cus-{uuid.uuid4().hex[:8]}", name=name)

    def belvo_link(
        self, name: str = "Acme Corp", *, bank: str = "erebor_mx_retail", cause: Cause = Cause.LOGIN_REFUSED
    ) -> Link:
        """Register a link at the simulator and store it with this cause."""
        customer = self.customer(name)
        body = {"institution": bank, "username": self._username_at(bank), "password": "pass_valid"}
        body |= {"external_id": customer.external_id, "access_mode": "recurrent"} | self._all_that_it_asks_for(bank)
        remote_id = self.call_belvo("POST", "/api/links/", body)["id"]
        return self.let_know(self.belvo, customer, remote_id, self.bank(bank), cause)

    def heron_link(
        self, name: str = "Acme Corp", *, item_id: str = "item-1", cause: Cause = Cause.WORKING, bank: str = ""
    ) -> Link:
        """Create a link at the simulated Heron and store it."""
        customer = self.customer(name)
        body = {"access_token": "access-sandbox-1", "end_user_id": customer.external_id, "item_id": item_id}
        self.call_heron("POST", f"/api/integrations/{HERON_INTEGRATION}/links", body)
        institution = Institution.objects.create(integration=self.heron, name=bank, display_name=bank) if bank else None
        return self.let_know(self.heron, customer, item_id, institution, cause)

    def plaid(self) -> Integration:
        """Add the companion of the Heron integration."""
        companion = Integration.objects.create(
            provider="plaid",
            name="Plaid test",
            base_url=self.simulator.url,
            options={"countries": "US", "endpoint": ""},
            companion_of=self.heron,
            environment=self.heron.environment,
        )
        store_secret(companion, "client_id", Secret(CLIENT_ID))
        store_secret(companion, "secret", Secret(SECRET))
        return companion

    def call_belvo(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        auth = ("sandbox-id", "sandbox-password")
        return requests.request(method, self.simulator.url + path, json=body, auth=auth, timeout=60).json()

    def call_heron(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"x-api-key": "key_sandbox"}
        return requests.request(method, self.simulator.url + path, json=body, headers=headers, timeout=60).json()

    def calls(self, method: str, path: str = "/api/") -> list[Call]:
        """Calls from the product that reached the simulator, oldest first."""
        since = self.simulator.calls[self.calls_before :]
        ours = [call for call in since if call.headers.get("user-agent", "").startswith("linkadmin/")]
        return [call for call in ours if call.method == method and call.path.startswith(path)]

    def last_operation(self, link: Link | None = None) -> Operation:
        made = Operation.objects.with_names().order_by("-created_at")
        return made.filter(link=link)[0] if link else made[0]

    def prove(self, link: Link) -> None:
        """Have a worker read a link, no matter how recent the last read is."""
        LinkRead.objects.filter(link=link).update(read_at=None)
        due_reads.want([link.pk], reason=Reason.REPAIR, at=timezone.now())
        tasks.read_due(str(link.integration_id))
        link.refresh_from_db()

    def settled(self) -> None:
        """Wait until no call is in progress."""
        wait(list(call_pool._running), timeout=60)

    def let_know(
        self, integration: Integration, customer: EndUser, remote_id: str, bank: Institution | None, cause: Cause
    ) -> Link:
        link = Link(integration=integration, end_user=customer, institution=bank, remote_id=remote_id)
        seen = Observation(cause=cause, raw_status="invalid" if cause is Cause.LOGIN_REFUSED else "")
        report = health.Report(seen, health.Source.WEBHOOK, timezone.now() - timedelta(seconds=1))
        return health.start_link(RemoteLink(remote_id=remote_id, observation=seen), link, report)

    def _username_at(self, bank: str) -> str:
        """The kind of username that this bank, tax authority or employer uses."""
        digits = str(random.randrange(10**10, 10**11))
        fields = self.bank(bank).form_fields  # a test may have changed them
        label = next((str(item["label"]) for item in fields if item["name"] == "username"), "")
        shapes = {"RFC": f"LOLJ{digits[:6]}AB1", "CURP": f"LOLJ{digits[:6]}MBSPPN08", "RUT": f"{digits[:8]}-K"}
        return digits if bank == "tatooine_mx_fiscal" else shapes.get(label, digits)

    def _all_that_it_asks_for(self, bank: str) -> dict[str, str]:
        asked = {str(item["name"]): item for item in self.bank(bank).form_fields}
        typed = {"username2": "valid", "password2": "valid", "certificate": "Y2VydA==", "private_key": "a2V5"}
        body = {name: text for name, text in typed.items() if name in asked}
        if asked.get("username2", {}).get("label") == "CNPJ":
            body["username2"] = "12345678000195"
        if "username_type" in asked:
            body["username_type"] = asked["username_type"]["values"][-1]["code"]
        return body


def build(simulator: Simulator, clock: Clock | None = None) -> Environment:
    if _first:
        _copy(simulator)
    else:
        _first.extend(_make(simulator))
    belvo, heron = Integration.objects.order_by("provider")
    people = {user.username: user for user in User.objects.all()}
    return Environment(simulator, clock or Clock(), belvo, heron, people)


@dataclass(frozen=True)
class Rows:
    """The statement that inserts all rows of a table, and where in it each environment's own IDs go."""

    sql: str
    values: Sequence[Any]
    ids: list[Any]


_first: list[Rows] = []  # the product creates the first env, and all others are copies


def _make(simulator: Simulator) -> Iterator[Rows]:
    for name, role in CAST.items():
        User.objects.create_user(username=name, password=PASSWORD, roles=role, name=name.title())
    belvo = Integration.objects.create(provider="belvo", name="Belvo test", base_url=simulator.url)
    store_secret(belvo, "secret_id", Secret("sandbox-id"))
    store_secret(belvo, "secret_password", Secret("sandbox-password"))
    heron = Integration.objects.create(
        provider="heron", name="Heron test", base_url=simulator.url, options={"integration_id": HERON_INTEGRATION}
    )
    store_secret(heron, "api_key", Secret("key_sandbox"))
    yield _rows_of(User)
    yield _rows_of(Integration)
    yield replace(_rows_of(IntegrationSecret), ids=[])  # a secret is encrypted for its ID only
    read_institutions(belvo)
    yield _rows_of(Institution)


def _rows_of(model: type[Model]) -> Rows:
    rows = list(model._default_manager.all())
    query = InsertQuery(model)
    query.insert_values(model._meta.concrete_fields, rows, raw=True)
    ((sql, values),) = query.get_compiler(connection=connection).as_sql()
    return Rows(sql, values, [model._meta.pk.get_db_prep_value(row.pk, connection) for row in rows])


def _copy(simulator: Simulator) -> None:
    own = {key: type(key)(uuid.uuid4().hex) for rows in _first for key in rows.ids}
    with connection.cursor() as cursor:
        for rows in _first:
            cursor.execute(rows.sql, _with(own, rows.values))
    now = timezone.now()
    Integration.objects.update(base_url=simulator.url, created_at=now)
    IntegrationSecret.objects.update(changed_at=now)


def _with(own: Mapping[Any, Any], values: Sequence[Any]) -> list[Any]:
    """Put an environment's own IDs into values. PostgreSQL takes the IDs of a column as a list."""
    return [_with(own, value) if isinstance(value, list) else own.get(value, value) for value in values]
