"""The world a first start finds: staff, two integrations, customers and their links with weeks of history.

The same on every machine but for the moment it begins at. What happened before that moment was not done here, so the
audit trail holds one event of it all and none of each act.
"""

import json
import os
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.actions import Action
from linkadmin.audit.models import Outcome
from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import Integration
from linkadmin.links import counts as link_counts
from linkadmin.links import unrecognized_values
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
from linkadmin.providers.types import Cause, Observation, Secret
from linkadmin.simulator.belvo.institutions import INSTITUTIONS

from .casting import by_customer, cast, id_of
from .lives import Cast, Life, belvo_consent, belvo_record, change_rows, heron_record, link_row, live, operation_rows
from .names import COLLEAGUES, HERON_BANKS, LOG_INS
from .notes import assignee_rows, note_rows
from .scenarios import BELVO, HERON, answered

PASSWORD = "linkadmin-demo"  # noqa: S105 - printed by the first start for everybody to read
SEED = 1
BATCH = 500
INTEGRATIONS: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    BELVO: ("Belvo sandbox", {}, {"secret_id": "sandbox-id", "secret_password": "sandbox-password"}),
    HERON: ("Heron sandbox", {"integration_id": "itg_sandbox_transactions"}, {"api_key": "key_sandbox"}),
}
TEST_ANSWERS = {BELVO: f"{len(INSTITUTIONS)} institutions (38 ms)", HERON: "world (12 ms)"}


class NotEmpty(Exception):
    """Staff of somebody's are in this database: the demo's published password must not come beside theirs."""


def plant(*, simulator_state: Path, simulator_url: str, now: datetime | None = None) -> bool:
    """Fill an installation that has no integration, and write what the simulated providers know; tell whether it did.

    Raises OSError when the state file cannot be written, and NotEmpty when there are staff already: then nothing is
    planted.
    """
    if Integration.objects.exists():
        return False
    if User.objects.exists():
        raise NotEmpty
    rng, began = Random(SEED), (now or timezone.now()).replace(microsecond=0)  # noqa: S311 - no secret comes of it
    lives = [live(part, now=began, rng=rng) for part in cast(rng)]
    with transaction.atomic():
        integrations = _integrations(simulator_url, began)
        known = Cast(_staff(), integrations, _institutions(integrations, began), _end_users(lives))
        counts = _links(lives, known, now=began)
        write_state(simulator_state, _state(lives, now=began))
        log.record(actor=None, action=Action.DEMO_SEEDED, outcome=Outcome.DONE, details=counts)
    return True


def _staff() -> dict[str, User]:
    password = make_password(PASSWORD)  # one for all: it is no secret, and each takes a while
    users = [
        User(id=id_of("staff", username), username=username, name=name, role=role, password=password)
        for username, name, role in LOG_INS
    ]
    for username, name, role in COLLEAGUES:
        user = User(id=id_of("staff", username), username=username, name=name, role=role)
        user.set_unusable_password()
        users.append(user)
    return {user.username: user for user in User.objects.bulk_create(users)}


def _integrations(simulator_url: str, now: datetime) -> dict[str, Integration]:
    made = {}
    for provider, (name, options, secrets) in INTEGRATIONS.items():
        made[provider] = Integration.objects.create(
            id=id_of("integration", provider),
            provider=provider,
            name=name,
            base_url=simulator_url,
            options=options,
            key_state=Integration.KeyState.VALID,
            tested_at=now - timedelta(minutes=25),
            test_detail=TEST_ANSWERS[provider],
            institutions_read_at=now if provider == BELVO else None,
            created_at=now - timedelta(days=80),
        )
        for key, text in secrets.items():
            store_secret(made[provider], key, Secret(text))
    return made


def _institutions(integrations: dict[str, Integration], now: datetime) -> dict[str, Institution]:
    """Make Belvo's catalogue as a read of it would, and the banks staff named for Heron."""
    listed = belvo_records.institution_page(answered(200, {"results": list(INSTITUTIONS.values())}), number=1).items
    rows = [
        Institution(id=id_of(BELVO, each.name), integration=integrations[BELVO], read_at=now, **asdict(each))
        for each in listed
    ]
    rows += [
        Institution(id=id_of(HERON, name), integration=integrations[HERON], name=name, display_name=name, read_at=now)
        for name in HERON_BANKS
    ]
    return {row.name: row for row in Institution.objects.bulk_create(rows)}


def _end_users(lives: list[Life]) -> dict[str, EndUser]:
    began = {life.id: life.began for life in lives}
    rows = [
        EndUser(
            id=id_of("end-user", external_id),
            external_id=external_id,
            name=parts[0].customer.name,
            created_at=min(began[id_of("link", part.number)] for part in parts) - timedelta(hours=1),
        )
        for external_id, parts in by_customer(life.part for life in lives).items()
    ]
    return {row.external_id: row for row in EndUser.objects.bulk_create(rows)}


def _links(lives: list[Life], known: Cast, *, now: datetime) -> dict[str, str | int]:
    """Make the links and all that belongs to them; return how many rows of each kind."""
    links = [link_row(life, known, now=now) for life in lives]
    changes = [row for life in lives for row in change_rows(life)]
    operations = [row for life in lives for row in operation_rows(life, known)]
    Link.objects.bulk_create(links, batch_size=BATCH)
    LinkSearch.objects.bulk_create([LinkSearch(link=link, text=search_text(link)) for link in links], batch_size=BATCH)
    Operation.objects.bulk_create(operations, batch_size=BATCH)
    HealthChange.objects.bulk_create(changes, batch_size=BATCH)
    Note.objects.bulk_create([row for life in lives for row in note_rows(life, known, now=now)])
    AssigneeChange.objects.bulk_create([row for life in lives for row in assignee_rows(life, known, now=now)])
    link_counts.recount()
    for link in links:
        seen = Observation(Cause(link.cause), link.raw_status, link.raw_code, link.raw_words)
        unrecognized_values.note_refusal(link.integration.provider, seen, at=link.health_since)
    return {
        "end_users": len(known.end_users),
        "links": len(links),
        "health_changes": len(changes),
        "operations": len(operations),
    }


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write what the simulated providers know, as a whole or not at all, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.planting")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(state, file, indent=1)
    draft.replace(path)


def _state(lives: list[Life], *, now: datetime) -> dict[str, Any]:
    known = [life for life in lives if life.part.scenario.has_record]
    consents = [belvo_consent(life, now=now) for life in known]
    return {
        "version": 1,
        "belvo": {
            "links": [belvo_record(life) for life in known if life.part.scenario.provider == BELVO],
            "consents": [consent for consent in consents if consent],
        },
        "heron": {
            "end_users": _heron_end_users(lives),
            "links": [heron_record(life) for life in known if life.part.scenario.provider == HERON],
        },
    }


def _heron_end_users(lives: list[Life]) -> list[dict[str, Any]]:
    found = {}
    for life in lives:
        scenario, customer = life.part.scenario, life.part.customer
        if scenario.provider == HERON and scenario.knows_customer:
            created = life.remote_created_at.isoformat()
            found[customer.external_id] = {
                "end_user_id": customer.external_id,
                "name": customer.name,
                "heron_id": f"eus_{id_of('heron', customer.external_id).hex[:22]}",
                "created": created,
                "last_updated": created,
            }
    return list(found.values())
