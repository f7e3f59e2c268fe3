"""Every pair of states: which moves exist, who makes them, and that nothing else moves an operation."""

import ast
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.operations.models import OPEN_STATES, Operation, State
from linkadmin.operations.states import MOVES, By, IllegalMove, locked, move
from tests.environment import Environment

LEGAL = sorted((by, before, to) for by, moves in MOVES.items() for before, states in moves.items() for to in states)
ILLEGAL = [(by, before, to) for by in By for before in State for to in State if (by, before, to) not in LEGAL]
PACKAGE = Path(settings.BASE_DIR) / "linkadmin"


@pytest.fixture
def operation(env: Environment) -> Operation:
    return Operation.objects.create(
        kind="refresh_data", integration=env.belvo, actor=env.people["ana"], operation_key=uuid.uuid4()
    )


def in_state(operation: Operation, state: State) -> Operation:
    Operation.objects.filter(pk=operation.pk).update(state=state)
    operation.refresh_from_db()
    return operation


@pytest.mark.django_db
@pytest.mark.parametrize(("by", "before", "to"), LEGAL, ids=str)
def test_legal_move_is_applied_and_recorded(operation: Operation, by: By, before: State, to: State) -> None:
    read = in_state(operation, before)
    read.words = "set on the way"
    events, now = AuditEvent.objects.count(), timezone.now()

    assert move(read, to, by=by, at=now)

    operation.refresh_from_db()
    assert (read.state, operation.state, operation.words) == (to, to, "set on the way")
    assert operation.version == read.version == 2
    assert operation.finished_at == (None if to in OPEN_STATES else now)
    assert AuditEvent.objects.count() - events == (0 if by in (By.START, By.CODE) else 1)


@pytest.mark.django_db
def test_every_other_move_is_refused(operation: Operation) -> None:
    assert len(ILLEGAL) + len(LEGAL) == len(By) * len(State) ** 2
    for by, before, to in ILLEGAL:
        operation.state = before
        with pytest.raises(IllegalMove), transaction.atomic():
            move(operation, to, by=by, at=timezone.now())

    operation.refresh_from_db()
    assert (operation.state, operation.version) == (State.PREPARED, 1)
    assert not AuditEvent.objects.filter(action__startswith="operation.").exists()


def test_every_state_is_reached_and_only_open_ones_are_left() -> None:
    assert {to for _by, _before, to in LEGAL} == set(State) - {State.PREPARED}
    assert {before for _by, before, _to in LEGAL} == set(OPEN_STATES)


@pytest.mark.django_db
def test_second_mover_changes_nothing(operation: Operation) -> None:
    first, second = in_state(operation, State.UNKNOWN), Operation.objects.get(pk=operation.pk)
    second.words = "too late"

    assert move(first, State.CONFIRMED_DONE, by=By.RECONCILIATION, at=timezone.now())
    assert not move(second, State.NEEDS_DECISION, by=By.EXPIRY, at=timezone.now())

    operation.refresh_from_db()
    assert (operation.state, operation.words, second.state) == (State.CONFIRMED_DONE, "", State.UNKNOWN)
    assert AuditEvent.objects.filter(action="operation.refresh_data").count() == 1


@pytest.mark.django_db(transaction=True)
def test_move_that_cannot_be_recorded_is_not_applied(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise RuntimeError

    read = in_state(operation, State.UNKNOWN)
    monkeypatch.setattr("linkadmin.operations.states.record", fail)
    with pytest.raises(RuntimeError):
        move(read, State.NEEDS_DECISION, by=By.EXPIRY, at=timezone.now())

    operation.refresh_from_db()
    assert operation.state == State.UNKNOWN


@pytest.mark.django_db
def test_row_that_was_moved_meanwhile_is_not_locked(operation: Operation) -> None:
    read = in_state(operation, State.UNKNOWN)
    Operation.objects.filter(pk=operation.pk).update(version=7)

    assert locked(read, State.UNKNOWN) is None
    assert locked(Operation.objects.get(pk=operation.pk), State.SENDING) is None


def test_nothing_else_moves_an_operation() -> None:
    found = [f"{path.relative_to(PACKAGE)}:{line}" for path in _about_operations() for line in _moves_in(path)]

    assert found == []


def _about_operations() -> Iterator[Path]:
    """Modules that may handle operations."""
    for path in sorted(PACKAGE.rglob("*.py")):
        is_ours = path.is_relative_to(PACKAGE / "operations") and path.name != "states.py"
        if "migrations" not in path.parts and (is_ours or "operations.models import" in path.read_text()):
            yield path


def _moves_in(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr == "state" and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            writes = name in ("update", "setattr", "bulk_update")
            if writes and any(keyword.arg == "state" for keyword in node.keywords):
                yield node.lineno
            if writes and any(isinstance(each, ast.Constant) and each.value == "state" for each in ast.walk(node)):
                yield node.lineno
