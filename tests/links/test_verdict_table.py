"""One table decides what pages say and offer. A person reviewed it as a file, and it's consistent."""

import os
from pathlib import Path

import pytest

from linkadmin.accounts.roles import MATRIX, Role
from linkadmin.links.causes import VERDICTS, Group, Remedy, RepairKind, Turn, judge
from linkadmin.operations.presentation.buttons import known_steps
from linkadmin.operations.presentation.next_step import FACTS, Step, next_steps
from linkadmin.providers.types import Cause, HealthState

from .verdict_table import link_of, table

REVIEWED = Path(__file__).with_name("verdicts.md")
WAITING_ON = {
    Group.CUSTOMER: {Turn.CUSTOMER, Turn.CUSTOMER_BANK},
    Group.WAIT: {Turn.BANK, Turn.PROVIDER},
    Group.US: {Turn.US, Turn.ADMIN, Turn.DEVELOPER},
    Group.FINE: {Turn.NOBODY},
    Group.ENDED: {Turn.NOBODY},
}


@pytest.fixture(autouse=True)
def _no_companion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkadmin.operations.presentation.buttons.companion_of", lambda _integration: None)


every_cause = pytest.mark.parametrize("cause", list(Cause), ids=str)


def test_table_matches_the_reviewed_file() -> None:
    made = table()
    if os.environ.get("WRITE_VERDICTS"):
        REVIEWED.write_text(made, encoding="utf-8")

    assert made == REVIEWED.read_text(encoding="utf-8")


@every_cause
def test_waiting_on_fits_the_group(cause: Cause) -> None:
    said = judge(cause, is_verifying=False)

    assert said.group is not None
    # A link that is setting up waits on its provider and needs nobody here.
    allowed = {Turn.PROVIDER, Turn.NOBODY} if is_set_up(cause) else WAITING_ON[said.group]
    assert said.turn in allowed


@every_cause
def test_repair_being_verified_waits_on_nobody(cause: Cause) -> None:
    said = judge(cause, is_verifying=True)

    assert said.turn is Turn.NOBODY
    assert "customer" not in str(said.advice).lower() or said.group is Group.ENDED
    assert said.remedy is Remedy.NONE or said.group is Group.ENDED


@every_cause
def test_unrecognized_status_is_reported_and_asks_for_no_credentials(cause: Cause) -> None:
    said = judge(cause, is_verifying=False)
    way = next_steps(said.remedy, known=known_steps(link_of(RepairKind.TYPED)), rights=MATRIX[Role.SUPPORT])

    if VERDICTS[cause].state is HealthState.UNKNOWN:
        assert way.main is not None
        assert way.main.step is Step.TELL_PROVIDER
        assert way.second is None


@every_cause
@pytest.mark.parametrize("kind", list(RepairKind), ids=str)
@pytest.mark.parametrize("role", list(Role), ids=str)
def test_a_button_is_within_the_readers_rights_and_the_kind_of_link(cause: Cause, kind: RepairKind, role: Role) -> None:
    said = judge(cause, is_verifying=False, kind=kind)
    way = next_steps(said.remedy, known=known_steps(link_of(kind)), rights=MATRIX[role])

    steps = [choice.step for choice in (way.main, way.second) if choice]
    assert all(FACTS[step].right in MATRIX[role] for step in steps)
    if kind is not RepairKind.TYPED:
        assert Step.UPDATE_CREDENTIALS not in steps
        assert "pdate the credentials" not in str(said.advice) or kind is RepairKind.OWN_APP
    if role in (Role.AUDITOR, Role.ADMINISTRATOR):
        assert (steps, way.for_support) == ([], None)


def is_set_up(cause: Cause) -> bool:
    return VERDICTS[cause].state is HealthState.SETTING_UP
