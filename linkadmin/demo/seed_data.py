"""What the first start creates: staff, two integrations, customers and their links with weeks of history.

The data is the same on every machine except for the start time. Nothing before that time was done here, so the audit
log has one event for all of it and none for each operation.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import Environment, User
from linkadmin.audit import log
from linkadmin.audit.actions import Action
from linkadmin.audit.models import Outcome
from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import Integration
from linkadmin.links import count_upkeep, unrecognized_values
from linkadmin.links.models import (
    AssigneeChange,
    EndUser,
    HealthChange,
    Institution,
    Link,
    LinkSearch,
    Note,
    search_text,
)
from linkadmin.operations.models import Operation
from linkadmin.providers.belvo import records as belvo_records
from linkadmin.providers.types import Observation, Secret
from linkadmin.simulator import state_file
from linkadmin.simulator.belvo.institutions import INSTITUTIONS
from linkadmin.simulator.plaid import api as plaid

from .casting import build_scenes, id_of
from .demo_links import DemoLink, belvo_consent, belvo_record, build_link, heron_record
from .names import HERON_BANKS, SIGN_INS, STAFF
from .notes import assignee_rows, note_rows
from .scenarios import BELVO, HERON, PLAID, answered

PASSWORD = "linkadmin-demo"  # noqa: S105 - the first start prints it
SEED = 1
BATCH = 500
INTEGRATIONS: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    BELVO: ("Belvo sandbox", {}, {"secret_id": "sandbox-id", "secret_password": "sandbox-password"}),
    HERON: ("Heron sandbox", {"integration_id": "itg_sandbox_transactions"}, {"api_key": "key_sandbox"}),
    PLAID: (
        "Plaid sandbox",
        {"countries": "US", "endpoint": ""},
        {"client_id": plaid.CLIENT_ID, "secret": plaid.SECRET},
    ),
}
TEST_ANSWERS = {BELVO: f"{len(INSTITUTIONS)} institutions (38 ms)", HERON: "hello world (12 ms)", PLAID: "OK (31 ms)"}


class NotEmpty(Exception):
    """The database already has staff: the demo's published password must not be added to it."""


def seed(*, simulator_state: Path, simulator_url: str, now: datetime | None = None) -> bool:
    """Fill an installation that has no integration, and write the simulator's state; return whether it did.

    Raises OSError if the state file can't be written, and NotEmpty, without any change, if there are staff already.
    """
    if Integration.objects.exists():
        return False
    if User.objects.exists():
        raise NotEmpty
    rng, began = Random(SEED), (now or timezone.now()).replace(microsecond=0)  # noqa: S311 - not for secrets
    demo_links = [build_link(scene, now=began, rng=rng) for scene in build_scenes(rng)]
    with transaction.atomic():
        _add_staff()
        integrations = _integrations(simulator_url, began)
        _add_institutions(integrations, began)
        for demo_link in demo_links:
            demo_link.link.integration = integrations[demo_link.scene.scenario.provider]
        counts = {"end_users": _add_end_users(demo_links), **_add_links(demo_links, now=began)}
        state_file.write(simulator_state, _state(demo_links))
        log.record(actor=None, action=Action.DEMO_SEEDED, outcome=Outcome.DONE, details=counts)
    return True


def _add_staff() -> None:
    password = make_password(PASSWORD)  # one hash for all: it isn't secret, and hashing takes a while
    User.objects.bulk_create(
        User(
            id=id_of("staff", username),
            username=username,
            name=name,
            roles=role,
            password=password if (username, name, role) in SIGN_INS else make_password(None),
        )
        for username, name, role in STAFF
    )


def _integrations(simulator_url: str, now: datetime) -> dict[str, Integration]:
    created: dict[str, Integration] = {}
    for provider, (name, options, secrets) in INTEGRATIONS.items():
        created[provider] = Integration.objects.create(
            id=id_of("integration", provider),
            provider=provider,
            name=name,
            environment=Environment.SANDBOX,
            base_url=simulator_url,
            options=options,
            companion_of=created[HERON] if provider == PLAID else None,
            key_state=Integration.KeyState.VALID,
            tested_at=now - timedelta(minutes=25),
            test_detail=TEST_ANSWERS[provider],
            institutions_read_at=now if provider == BELVO else None,
            created_at=now - timedelta(days=80),
        )
        for key, text in secrets.items():
            store_secret(created[provider], key, Secret(text))
    return created


def _add_institutions(integrations: dict[str, Integration], now: datetime) -> None:
    answer = answered(200, {"results": list(INSTITUTIONS.values())})
    listed = belvo_records.page(answer, parse=belvo_records.institution_of, number=1).items
    rows = [
        Institution(id=id_of(BELVO, each.name), integration=integrations[BELVO], read_at=now, **asdict(each))
        for each in listed
    ]
    rows += [
        Institution(id=id_of(HERON, name), integration=integrations[HERON], name=name, display_name=name, read_at=now)
        for name in HERON_BANKS
    ]
    Institution.objects.bulk_create(rows)


def _add_end_users(demo_links: list[DemoLink]) -> int:
    rows: dict[str, EndUser] = {}
    for demo_link in demo_links:
        customer, at = demo_link.scene.customer, demo_link.link.created_at - timedelta(hours=1)
        pk = id_of("end-user", customer.external_id)
        new = EndUser(id=pk, external_id=customer.external_id, name=customer.name, created_at=at)
        new.account_manager_id = customer.account_manager_id
        known = rows.setdefault(customer.external_id, new)
        known.created_at = min(known.created_at, at)
    return len(EndUser.objects.bulk_create(rows.values()))


def _add_links(demo_links: list[DemoLink], *, now: datetime) -> dict[str, int]:
    changes = [row for demo_link in demo_links for row in demo_link.history.changes]
    operations = [_complete(row, demo_link) for demo_link in demo_links for row in demo_link.history.operations]
    Link.objects.bulk_create([demo_link.link for demo_link in demo_links], batch_size=BATCH)
    links = Link.objects.select_related("end_user")
    LinkSearch.objects.bulk_create([LinkSearch(link=link, text=search_text(link)) for link in links], batch_size=BATCH)
    Operation.objects.bulk_create(operations, batch_size=BATCH)
    HealthChange.objects.bulk_create(changes, batch_size=BATCH)
    Note.objects.bulk_create([row for demo_link in demo_links for row in note_rows(demo_link, now=now)])
    AssigneeChange.objects.bulk_create([row for demo_link in demo_links for row in assignee_rows(demo_link, now=now)])
    count_upkeep.recount()
    for demo_link in demo_links:
        scenario, reported, link = demo_link.scene.scenario, demo_link.scene.scenario.reported, demo_link.link
        seen = Observation(scenario.cause, reported.status, reported.code, reported.words)
        unrecognized_values.note_refusal(link.integration, seen, at=demo_link.history.since)
    return {"links": len(demo_links), "health_changes": len(changes), "operations": len(operations)}


def _complete(operation: Operation, demo_link: DemoLink) -> Operation:
    # The link's ID at Heron was invented after the history.
    if demo_link.scene.scenario.provider == HERON:
        operation.natural_key = demo_link.link.remote_id
        operation.parameters = {"item_id": demo_link.link.remote_id}
    return operation


def _state(demo_links: list[DemoLink]) -> dict[str, Any]:
    known = [demo_link for demo_link in demo_links if demo_link.scene.scenario.has_record]
    return {
        "version": 1,
        "belvo": {
            "links": [belvo_record(demo_link) for demo_link in known if demo_link.scene.scenario.provider == BELVO],
            "consents": list(filter(None, map(belvo_consent, known))),
        },
        "heron": {
            "end_users": _heron_end_users(demo_links),
            "links": [heron_record(demo_link) for demo_link in known if demo_link.scene.scenario.provider == HERON],
        },
    }


def _heron_end_users(demo_links: list[DemoLink]) -> list[dict[str, Any]]:
    found = {}
    for demo_link in demo_links:
        scenario, external_id = demo_link.scene.scenario, demo_link.scene.customer.external_id
        if scenario.provider == HERON and scenario.knows_customer:
            created = demo_link.remote_created_at.isoformat()
            found[external_id] = {
                "end_user_id": external_id,
                "name": demo_link.scene.customer.name,
                "heron_id": f"eus_{id_of('heron', external_id).hex[:22]}",
                "created": created,
                "last_updated": created,
            }
    return list(found.values())
