"""Stores new deliveries. On SQLite, those that arrive while others are being committed share the next statement.

`store` returns only after the commit, so an acknowledged delivery is never lost.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, connection

from linkadmin.database import driver_rows, on_live_connection
from linkadmin.providers.records import WebhookHint

from . import hosted_sessions
from .models import DeliveryOutcome, DeliveryState, WebhookDelivery

# In this order in a row; all other columns have their defaults.
COLUMNS = (
    *("integration_id", "key", "id", "secret_id", "size", "payload", "state", "outcome", "kind", "topic"),
    *("remote_link_id", "end_user_id", "consent_id", "request_id", "session_digest", "remote_created_at"),
    *("received_at", "wanted_at", "due_at", "processed_at", "copies"),
)
Row = list[Any]  # as the database takes it


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery to store. One with an outcome is already done."""

    id: UUID
    integration_id: UUID
    key: str  # equal for copies of the same delivery
    secret_id: UUID
    received_at: datetime
    size: int
    hint: WebhookHint
    payload: str  # JSON
    outcome: DeliveryOutcome | None


@dataclass(slots=True)
class _Ticket:
    row: Row
    is_new: bool | None = None  # None: not stored yet
    error: BaseException | None = None

    @property
    def identity(self) -> tuple[Any, ...]:
        return tuple(self.row[:2])


_waiting: deque[_Ticket] = deque()
_turn = threading.Lock()  # threads of one process would also keep each other waiting for SQLite's lock, which sleeps


def store(arrival: Arrival) -> bool:
    """Store a delivery and return True, or count it as a copy of one that's stored."""
    ticket = _Ticket(_row(arrival))
    if connection.vendor == "sqlite":
        _store_in_turn(ticket)
    else:
        _store_all([ticket])  # PostgreSQL commits those of all connections together
    if ticket.is_new is None:
        raise ticket.error or RuntimeError("the thread that was to store it has ended")
    return ticket.is_new


def _store_in_turn(ticket: _Ticket) -> None:
    _waiting.append(ticket)
    with _turn:
        if ticket.is_new is None and ticket.error is None:  # not stored by a thread before us
            _store_all([_waiting.popleft() for _ in range(len(_waiting))])


def _store_all(tickets: Sequence[_Ticket]) -> None:
    try:
        is_new = _insert(tickets)
        for ticket in tickets:
            ticket.is_new = is_new[ticket.identity]
    except BaseException as error:
        if len(tickets) > 1 and isinstance(error, DataError | IntegrityError):  # perhaps because of one of them
            for ticket in tickets:
                _store_all([ticket])
            return
        for ticket in tickets:
            ticket.error = error
        if not isinstance(error, Exception):
            raise


def _insert(tickets: Sequence[_Ticket]) -> dict[tuple[Any, ...], bool]:
    rows: dict[tuple[Any, ...], Row] = {}
    # In one order, so that two processes never wait for each other's rows.
    for ticket in sorted(tickets, key=lambda each: each.identity):
        row = rows.setdefault(ticket.identity, [*ticket.row, 0])
        row[-1] += 1
    sql, params = _statement(connection.vendor, len(rows)), [value for row in rows.values() for value in row]
    found = on_live_connection(partial(driver_rows, sql, params))
    return {tuple(identity): copies == rows[tuple(identity)][-1] for *identity, copies in found}


def _row(arrival: Arrival) -> Row:
    """Return the values of COLUMNS without the last."""
    hint, ops = arrival.hint, connection.ops
    at = ops.adapt_datetimefield_value(arrival.received_at)
    state = DeliveryState.DONE if arrival.outcome else DeliveryState.PENDING
    return [
        _uuid(arrival.integration_id),
        arrival.key,
        _uuid(arrival.id),
        _uuid(arrival.secret_id),
        arrival.size,
        arrival.payload,
        state.value,
        arrival.outcome.value if arrival.outcome else "",
        hint.kind.value,
        hint.topic,
        hint.remote_link_id,
        hint.end_user_id,
        hint.consent_id,
        hint.request_id,
        hosted_sessions.digest_of(hint.session) if hint.session else "",
        ops.adapt_datetimefield_value(hint.created_at) if hint.created_at else None,
        at,
        at,
        at,
        at if arrival.outcome else None,
    ]


def _uuid(value: UUID) -> UUID | str:
    return value if connection.features.has_native_uuid_field else value.hex


@cache
def _statement(vendor: str, rows: int) -> str:
    """Return an INSERT of several rows that counts copies instead of failing.

    One statement: on a conflict, the ORM can ignore or overwrite, but not add.
    """
    quote = connection.ops.quote_name
    fields = {field.attname: field for field in WebhookDelivery._meta.concrete_fields}
    others = [name for name in fields if name not in COLUMNS]
    names = ", ".join(quote(str(fields[name].column)) for name in (*COLUMNS, *others))
    values = ", ".join([*["%s"] * len(COLUMNS), *(_literal(fields[name].get_default()) for name in others)])
    table, copies = quote(WebhookDelivery._meta.db_table), quote("copies")
    return (
        f"INSERT INTO {table} ({names}) VALUES {', '.join([f'({values})'] * rows)} "  # noqa: S608 - our own columns
        f"ON CONFLICT (integration_id, {quote('key')}) DO UPDATE SET {copies} = {table}.{copies} + excluded.{copies} "
        f"RETURNING integration_id, {quote('key')}, {copies}"
    )


def _literal(default: str | int | None) -> str:
    return "NULL" if default is None else str(default) if isinstance(default, int) else f"'{default}'"
