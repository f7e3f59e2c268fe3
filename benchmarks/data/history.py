"""Status changes of every link over the 90 days before its latest one, and the counts that follow from them.

A link fails and recovers within an hour, again and again; its latest change is how it is now. Changes are written one
per link at a time, so that those of one link are as far apart on the disk as in real life.
"""

from collections.abc import Callable

from django.db import connection, transaction

from benchmarks.sizes import Size
from linkadmin.links.models import HealthChange, Link
from linkadmin.providers.types import Cause, HealthState
from linkadmin.sync.tasks import recount

from .table import SEED, loading

DAYS = 90
LONG = (50, 5000)  # changes of the first two links by ID, for the benchmark of a link's page
UP, DOWN = HealthState.HEALTHY.value, HealthState.WAITING.value
COLUMNS = "link_id, at, source, old, new, cause, raw_status, raw_code, raw_words"


def build(size: Size) -> None:
    changes = size.facts[connection.vendor]
    with loading(HealthChange):
        for age in reversed(range(changes)):
            _write(age, changes)
    with transaction.atomic():
        for link, changes in zip(Link.objects.order_by("pk")[: len(LONG)], LONG, strict=True):
            link.changes.all().delete()
            for age in reversed(range(changes)):
                _write(age, changes, of=link)


def count(_size: Size) -> None:
    recount()


def _write(age: int, changes: int, *, of: Link | None = None) -> None:
    """Write the change that is followed by `age` newer ones, for every link or one of them."""
    step = DAYS * 2 / changes
    odd, hour = age % 2, min(1 / 24, step / 3)
    new, old = (_by_health(DOWN, UP), _by_health(UP, DOWN)) if odd else (_by_health(UP, DOWN), _by_health(DOWN, UP))
    # Working now: each failure is older than its recovery. Failed now: each recovery is older than the next failure.
    back = _by_health(f"{_back(age // 2, step)} + {odd * hour}", f"{_back((age + 1) // 2, step)} - {odd * hour}", "")
    cause = f"CASE WHEN {new} = '{UP}' THEN '{Cause.WORKING.value}' ELSE '{Cause.BANK_DOWN.value}' END"
    values = f"{old}, {new}, {cause}" if age else f"{old}, health, cause"
    links = "links_link" + (f" WHERE id = '{of.pk.hex}'" if of else "")
    sql = f"SELECT id, {_EARLIER[connection.vendor](back)}, 'list', {values}, '', '', '' FROM {links}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO links_healthchange ({COLUMNS}) {sql}")


def _by_health(working: str, failed: str, quote: str = "'") -> str:
    return f"CASE WHEN health = '{UP}' THEN {quote}{working}{quote} ELSE {quote}{failed}{quote} END"


def _back(pair: int, step: float) -> str:
    """Days before the latest change, as SQL: a bit different for each link."""
    number = "rowid * 7919" if connection.vendor == "sqlite" else "uuid_hash(id)::bigint"
    jitter = f"(({number} + {pair * 104_729 + SEED}) & 1023) / 1024.0"
    return f"({pair} - 0.3 * {jitter}) * {step}" if pair else "0"


_EARLIER: dict[str, Callable[[str], str]] = {
    "sqlite": lambda days: f"strftime('%Y-%m-%d %H:%M:%f', julianday(health_since) - ({days})) || '000'",
    "postgresql": lambda days: f"health_since - ({days}) * interval '1 day'",
}
