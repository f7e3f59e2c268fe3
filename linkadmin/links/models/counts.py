"""How many links are in each state, in all, by institution and by person: now, and per day.

The transaction that changes a link appends a move. Moves are added to the counts later. Together they are exact at any
time. The database checks no foreign keys here: that would make every change of a link lock its integration.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import ENVIRONMENT
from linkadmin.integrations.models import Integration

from .institutions import Institution

STATE_LENGTH = 20
ROWS_AT_ONCE = 500  # of a statement

Key = tuple[Any, ...]


class SumManager(models.Manager[Any]):
    """Counts with a row per key."""

    def __init__(self, *sums: str) -> None:
        super().__init__()
        self.sums = sums

    def add(self, by_key: Mapping[Key, tuple[int, ...]]) -> None:
        """Add to the rows with these keys, the unique ones in their order, and create those that are missing."""
        table = connection.ops.quote_name(self.model._meta.db_table)
        sums = [connection.ops.quote_name(name) for name in self.sums]
        added = ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in sums)
        self._insert(by_key, otherwise=f"UPDATE SET {added}")

    def fill(self, by_key: Mapping[Key, tuple[int, ...]]) -> None:
        """Create the rows that are missing, a few at a time: others can write in between, or do the same."""
        self._insert(by_key, otherwise="NOTHING")

    def _insert(self, by_key: Mapping[Key, tuple[int, ...]], *, otherwise: str) -> None:
        (unique,) = self.model._meta.constraints
        fields = [self.model._meta.get_field(name) for name in (*unique.fields, *self.sums)]
        # Always in the same order, to prevent deadlocks.
        rows = [(*key, *sums) for key, sums in sorted(by_key.items()) if any(sums)]
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            values = [
                field.get_db_prep_save(v, connection) for row in some for field, v in zip(fields, row, strict=True)
            ]
            with connection.cursor() as cursor:
                cursor.execute(f"{self._values(fields, len(some))} DO {otherwise}", values)

    def _values(self, fields: list[Any], count: int) -> str:
        table, quote = self.model._meta.db_table, connection.ops.quote_name
        columns = [quote(field.column) for field in fields]
        keys = columns[: -len(self.sums)]
        rows = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * count)
        return (
            f"INSERT INTO {quote(table)} ({', '.join(columns)}) VALUES {rows} "  # noqa: S608 - names of our own columns
            f"ON CONFLICT ({', '.join(keys)})"
        )


class Grain(models.Model):
    """What is counted separately."""

    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    institution = models.ForeignKey(
        Institution, on_delete=models.SET_NULL, null=True, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        abstract = True


class CountMove(Grain):
    """Links that changed state or institution on a day (UTC), not in the counts yet."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    old = models.CharField(max_length=STATE_LENGTH, blank=True)  # empty: new, or new at this institution
    new = models.CharField(max_length=STATE_LENGTH, blank=True)  # empty: no longer at this institution
    links = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.old or '-'} → {self.new or '-'}"


class LinkTotal(models.Model):
    """Links of an integration, at any institution or none."""

    id = models.BigAutoField(primary_key=True)
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    state = models.CharField(_("status"), max_length=STATE_LENGTH)
    links = models.IntegerField(_("links"), default=0)

    objects = SumManager("links")

    class Meta:
        verbose_name = _("link total")
        verbose_name_plural = _("link totals")
        constraints = [models.UniqueConstraint(fields=["integration", "state"], name="one_link_total_per_state")]

    def __str__(self) -> str:
        return f"{self.state}: {self.links}"


class LinkCount(Grain):
    """Links at one institution."""

    id = models.BigAutoField(primary_key=True)
    state = models.CharField(_("status"), max_length=STATE_LENGTH)
    links = models.IntegerField(_("links"), default=0)

    objects = SumManager("links")

    class Meta:
        verbose_name = _("link count")
        verbose_name_plural = _("link counts")
        constraints = [
            models.UniqueConstraint(fields=["institution", "state", "integration"], name="one_link_count_per_state")
        ]

    def __str__(self) -> str:
        return f"{self.state}: {self.links}"


class DailyTotal(models.Model):
    """How many links entered and left a state on a day (UTC).

    Totals at the end of a day follow from the current ones and the days since.
    """

    id = models.BigAutoField(primary_key=True)
    environment = models.CharField(**ENVIRONMENT)
    day = models.DateField(_("day"))
    state = models.CharField(_("status"), max_length=STATE_LENGTH)
    entered = models.PositiveIntegerField(_("added"), default=0)
    left = models.PositiveIntegerField(_("removed"), default=0)

    objects = SumManager("entered", "left")

    class Meta:
        verbose_name = _("daily total")
        verbose_name_plural = _("daily totals")
        constraints = [
            models.UniqueConstraint(fields=["environment", "day", "state"], name="one_daily_total_per_state")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.state}: +{self.entered} -{self.left}"


class DailyCount(Grain):
    """The same at one institution."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"))
    state = models.CharField(_("status"), max_length=STATE_LENGTH)
    entered = models.PositiveIntegerField(_("added"), default=0)
    left = models.PositiveIntegerField(_("removed"), default=0)

    objects = SumManager("entered", "left")

    class Meta:
        verbose_name = _("daily count")
        verbose_name_plural = _("daily counts")
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "day", "state", "integration"], name="one_daily_count_per_state"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.state}: +{self.entered} -{self.left}"


class StaffGrain(models.Model):
    """Links of a person in a state of an environment."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    environment = models.CharField(**ENVIRONMENT)
    state = models.CharField(max_length=STATE_LENGTH)
    assigned = models.IntegerField(default=0)
    mine = models.IntegerField(default=0)  # assigned, or of a customer whose account manager they are

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.state}: {self.assigned}, {self.mine}"


class StaffMove(StaffGrain):
    """A pending change to a person's counts."""


class StaffCount(StaffGrain):
    objects = SumManager("assigned", "mine")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "environment", "state"], name="one_staff_count_per_state")
        ]


class Recount(models.Model):
    """A comparison of the counts with the links. Its number is unique, so of two at once only one corrects them."""

    id = models.PositiveIntegerField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    corrected = models.PositiveIntegerField()  # counts that were wrong
    of_staff = models.BooleanField(db_default=False)  # whether it counted the links of each person, too

    def __str__(self) -> str:
        return str(self.id)
