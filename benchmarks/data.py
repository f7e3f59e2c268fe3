"""Fill a database with links as a large customer has them, in the product's own tables. The same seed, the same rows.

Run as `python -m benchmarks.data SIZE` by the benchmark, once per data set.
"""

import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from typing import Any
from uuid import UUID

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django has to be set up first
from django.db import connection, models, transaction  # noqa: E402

from benchmarks.sizes import SIZES, Size  # noqa: E402
from linkadmin.accounts.models import User  # noqa: E402
from linkadmin.accounts.roles import Role  # noqa: E402
from linkadmin.integrations.models import Integration  # noqa: E402
from linkadmin.links.causes import STATES, VERDICTS  # noqa: E402
from linkadmin.links.count_upkeep import recount  # noqa: E402
from linkadmin.links.models import EndUser, HealthChange, Institution, Link, LinkSearch  # noqa: E402
from linkadmin.providers.names import folded  # noqa: E402
from linkadmin.providers.types import Cause, HealthState  # noqa: E402

SEED = 20_261_128
CHUNK = 20_000  # rows of one COPY or executemany
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CUSTOMERS_PER_LINK = 0.7
BANKS, INTEGRATIONS, STAFF = 200, 8, 25
WORDS = "Amber Birch Cedar Delta Ember Fjord Grove Harbor Iris Juniper Kestrel Lumen Maple Nimbus Orchid Pine"
TRADES = "Bakery Books Cycles Dental Foods Garden Legal Media Motors Optics Paper Roofing Studio Tools"
BROKEN_BANKS = 6  # which fail five times as often
MIX: tuple[tuple[float, tuple[Cause, ...]], ...] = (
    (0.955, (Cause.WORKING,)),
    (0.025, (Cause.STALE,)),
    (0.013, (Cause.LOGIN_REFUSED, Cause.PASSWORD_WRONG, Cause.CONSENT_EXPIRED, Cause.ACCOUNT_LOCKED, Cause.BANK_DOWN)),
    (0.007, (Cause.CODE_NEEDED, Cause.SWITCHED_OFF)),
)


class Table:
    """Rows of a model, written without it: every column that isn't named has its default."""

    def __init__(self, model: type[models.Model], *names: str) -> None:
        columns = {field.name: field for field in model._meta.concrete_fields}
        self.varying = [columns[name] for name in names]
        fixed = [
            field
            for field in model._meta.concrete_fields
            if field not in self.varying and not field.has_db_default() and not isinstance(field, models.AutoField)
        ]
        self.fixed = [field.get_db_prep_save(field.get_default(), connection) for field in fixed]
        quote = connection.ops.quote_name
        self.name = quote(model._meta.db_table)
        self.columns = ", ".join(quote(str(field.column)) for field in [*self.varying, *fixed])
        self.width = len(self.varying) + len(fixed)

    def fill(self, rows: Iterable[Sequence[Any]]) -> None:
        prepared = ([*map(self._prepared, self.varying, row), *self.fixed] for row in rows)
        while chunk := list(islice(prepared, CHUNK)):
            self._write(chunk)

    def _prepared(self, field: Any, value: Any) -> Any:
        return field.get_db_prep_save(value, connection)

    def _write(self, rows: list[list[Any]]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {self.name} ({self.columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                return
            marks = ", ".join(["%s"] * self.width)
            cursor.executemany(f"INSERT INTO {self.name} ({self.columns}) VALUES ({marks})", rows)  # noqa: S608


def build(size: Size) -> None:
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    chance = random.Random(SEED)  # noqa: S311 - no secret depends on it
    staff = _staff()
    integrations = _integrations()
    banks = _banks(chance, integrations)
    customers = _customers(chance, int(size.links * CUSTOMERS_PER_LINK))
    _links(chance, size, customers, banks, integrations, staff)
    recount()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _staff() -> list[User]:
    staff = [User(username=f"staff{n:02}", name=f"Staff {n:02}", role=Role.MANAGER, password="!") for n in range(STAFF)]  # noqa: S106
    return User.objects.bulk_create(staff)


def _integrations() -> list[Integration]:
    return Integration.objects.bulk_create(
        Integration(provider=("belvo", "heron")[n % 2], name=f"Integration {n}", base_url="https://sandbox.belvo.com")
        for n in range(INTEGRATIONS)
    )


def _banks(chance: random.Random, integrations: list[Integration]) -> list[list[Institution]]:
    """Return each bank as every integration lists it, the one that has most of its links first."""
    banks = []
    for n in range(BANKS):
        home = integrations[n % INTEGRATIONS]
        others = chance.sample([each for each in integrations if each is not home], 2)
        banks.append(
            [
                Institution(
                    integration=each,
                    name=f"bank_{n:03}",
                    display_name=f"Bank {WORDS.split()[n % 16]} {n:03}",
                    kind="bank",
                )
                for each in (home, *others)
            ]
        )
    Institution.objects.bulk_create(each for bank in banks for each in bank)
    return banks


def _customers(chance: random.Random, count: int) -> list[tuple[UUID, str, str]]:
    words, trades = WORDS.split(), TRADES.split()
    names = (f"{chance.choice(words)} {chance.choice(trades)} {n}" for n in range(count))
    customers = [(_id(chance), f"cus-{n:07}", name) for n, name in enumerate(names)]
    table = Table(EndUser, "id", "external_id", "name", "search", "created_at")
    table.fill((pk, key, name, f"{folded(name)} {key}", NOW) for pk, key, name in customers)
    return customers


def _links(
    chance: random.Random,
    size: Size,
    customers: list[tuple[UUID, str, str]],
    banks: list[list[Institution]],
    integrations: list[Integration],
    staff: list[User],
) -> None:
    causes = [(cause, share / len(group)) for share, group in MIX for cause in group]
    popular = list(accumulate(1 / rank**1.1 for rank in range(1, BANKS + 1)))
    owners = list(accumulate(1 / rank**0.8 for rank in range(1, STAFF + 1)))
    names = ("id", "integration", "end_user", "institution", "assignee", "remote_id", "health", "cause", "health_since")
    links = Table(Link, *names, "urgency", "last_good_at", "checked_at", "created_at", "disconnected_at")
    words, facts = Table(LinkSearch, "link", "text"), Table(HealthChange, "link", "at", "source", "old", "new", "cause")
    per_link, left = size.facts[connection.vendor], size.links
    while left:
        rows: list[tuple[Any, ...]] = []
        texts: list[tuple[UUID, str]] = []
        changes: list[tuple[UUID, datetime, str, str, str, str]] = []
        for _ in range(min(CHUNK, left)):
            customer, key, name = chance.choice(customers)
            bank = chance.choices(range(BANKS), cum_weights=popular)[0]
            listed = banks[bank][0 if chance.random() < 0.9 else chance.randint(1, 2)]
            cause = _cause(chance, causes, is_failing=bank < BROKEN_BANKS)
            verdict = VERDICTS[cause]
            since = NOW - timedelta(seconds=chance.random() * 86_400 * (7 if chance.random() < 0.6 else 730))
            owner = chance.choices(staff, cum_weights=owners)[0] if chance.random() < 0.3 else None
            pk, remote = _id(chance), str(_id(chance))
            is_over = verdict.state is HealthState.DISCONNECTED
            good = NOW - timedelta(hours=chance.random() * 24) if cause is Cause.WORKING else since
            row = (pk, listed.integration_id, customer, listed.pk, owner.pk if owner else None, remote)
            health = (verdict.state.value, cause.value, since, STATES[verdict.state].rank)
            rows.append((*row, *health, good, NOW, since - timedelta(days=30), since if is_over else None))
            texts.append((pk, f"{folded(name)} {key} {remote} {pk}"))
            changes += _changes(chance, pk, verdict.state, cause, per_link)
        links.fill(rows)
        words.fill(texts)
        facts.fill(changes)
        left -= len(rows)


def _cause(chance: random.Random, causes: list[tuple[Cause, float]], *, is_failing: bool) -> Cause:
    weights = [share * (5 if is_failing and cause is not Cause.WORKING else 1) for cause, share in causes]
    return chance.choices([cause for cause, _share in causes], weights=weights)[0]


def _changes(
    chance: random.Random, link: UUID, state: HealthState, cause: Cause, count: int
) -> Iterator[tuple[UUID, datetime, str, str, str, str]]:
    """Return the status changes of a link over 90 days; the last one is how it is now."""
    times = sorted(chance.random() * 90 for _ in range(count))
    for n, days in enumerate(times):
        is_last = n == count - 1
        new, why = (state, cause) if is_last else (HealthState.HEALTHY, Cause.WORKING)
        yield link, NOW - timedelta(days=90 - days), "list", HealthState.WAITING.value, new.value, why.value


def _id(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


if __name__ == "__main__":
    build(SIZES[sys.argv[1]])
