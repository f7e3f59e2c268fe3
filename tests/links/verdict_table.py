"""The table of what pages say and offer for each cause, made by the code that pages use."""

from collections.abc import Iterator

from linkadmin.accounts.roles import MATRIX, Right, Role
from linkadmin.integrations.models import Integration
from linkadmin.links.causes import VERDICTS, Remedy, RepairKind, Turn, judge
from linkadmin.links.models import EndUser, Institution, Link
from linkadmin.operations.presentation.buttons import known_steps
from linkadmin.operations.presentation.next_step import FACTS, WITHOUT_CALL, Step, StepChoice, WayOn, way_on
from linkadmin.providers.types import Cause

HEAD = """\
# What pages say and offer for each cause

Made by `WRITE_VERDICTS=1 pytest tests/links/test_verdict_table.py` and read by a person before it is committed.

- The first columns hold on every page. **Typed** is a link whose login staff type (Belvo, by password), **consent** one
  of open finance, **page** one where nothing can be typed here (such as an employer's), **own app** one of Heron's:
  each as support sees it, the main button first, a second one in brackets.
- A bank or provider that is waited for longer than two days is reported to the provider's support.
- The manager and the auditor are shown the typed link. An administrator sees no link.
- **Keys refused** and **paused** are support's buttons at the typed link then, with "off" where they cannot be used.
- **Being proven** is what becomes of all that once a repair was accepted.

"""
COLUMNS = (
    *("Cause", "Group", "Status", "Reason", "Waiting on", "Typed", "Consent", "Page", "Own app"),
    *("Manager", "Auditor", "Keys refused", "Paused", "Being proven"),
)
_BANKS = {
    RepairKind.TYPED: Institution(name="a_bank", form_fields=[{"name": "password", "type": "password"}]),
    RepairKind.CONSENT: Institution(name="a_br_bank", integration_type="openfinance"),
    RepairKind.PAGE: Institution(name="an_employer", form_fields=[{"name": "username", "type": "text"}]),
}


def table() -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (COLUMNS, ("---",) * len(COLUMNS), *map(_row, VERDICTS))]
    return HEAD + "\n".join(lines) + "\n"


def link_of(kind: RepairKind) -> Link:
    """Return a link that can be repaired in a way."""
    provider = "heron" if kind is RepairKind.OWN_APP else "belvo"
    link = Link(integration=Integration(provider=provider), end_user=EndUser(), institution=_BANKS.get(kind))
    assert link.repair_kind is kind
    return link


def _row(cause: Cause) -> tuple[str, ...]:
    said, proven = (judge(cause, is_verifying=verifying) for verifying in (False, True))
    typed = RepairKind.TYPED
    held_back = {step: "off" for step in Step if step not in WITHOUT_CALL}
    return (
        cause.value,
        str(said.group.label) if said.group else "",
        str(said.look.label),
        str(said.reason),
        "–" if said.turn is Turn.NOBODY else str(said.turn.label),
        *(_words(_way(said.remedy, kind, Role.SUPPORT)) for kind in RepairKind),
        _words(_way(said.remedy, typed, Role.MANAGER)),
        _words(_way(said.remedy, typed, Role.AUDITOR)),
        *(_words(_way(said.remedy, typed, Role.SUPPORT, held_back)) for _why in ("keys refused", "paused")),
        " · ".join([str(proven.look.label), "nobody" if proven.turn is Turn.NOBODY else str(proven.turn.label)])
        + ("" if proven.remedy is Remedy.NONE else f" · {_words(_way(proven.remedy, typed, Role.SUPPORT))}"),
    )


def _way(remedy: Remedy, kind: RepairKind, role: Role, why_not: dict[Step, str] | None = None) -> WayOn:
    rights: frozenset[Right] = MATRIX[role]
    return way_on(remedy, known=known_steps(link_of(kind)), rights=rights, why_not=why_not or {})


def _words(way: WayOn) -> str:
    if way.for_support:
        return f"(support: {FACTS[way.for_support].label})"
    return " ".join(_shown(way)) or "–"


def _shown(way: WayOn) -> Iterator[str]:
    if way.main:
        yield _name(way.main)
    if way.second:
        yield f"({_name(way.second)})"


def _name(choice: StepChoice) -> str:
    label = str(FACTS[choice.step].label)
    return " ".join(filter(None, ["Done at the bank:" if choice.after_bank else "", label, choice.why]))
