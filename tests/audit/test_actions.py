"""The audit log takes its actions and target types from one list."""

import ast
from collections.abc import Iterator
from pathlib import Path

from linkadmin.audit.actions import Action, ObjectType

ROOT = Path(__file__).parents[2] / "linkadmin"


def ours() -> Iterator[Path]:
    """Yield our modules except the list itself; providers have similar names of their own."""
    for path in ROOT.rglob("*.py"):
        within = path.relative_to(ROOT).parts
        if within != ("audit", "actions.py") and within[0] not in {"providers", "simulator"}:
            yield path


def texts() -> Iterator[tuple[str, str]]:
    """Yield every string in these modules, with its location."""
    for path in ours():
        tree = ast.parse(path.read_text())
        of_log = {
            id(call.args[0]) for call in ast.walk(tree) if isinstance(call, ast.Call) and call.args and says(call)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in of_log:
                yield node.value, f"{path.relative_to(ROOT)}:{node.lineno}"


def says(call: ast.Call) -> bool:
    """Whether a call writes to the program's own log, which names its events itself."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in {"debug", "info", "warning", "error", "exception"}


def given(name: str) -> Iterator[str]:
    """Yield where an argument of this name is a string."""
    for path in ours():
        for call in ast.walk(ast.parse(path.read_text())):
            for argument in call.keywords if isinstance(call, ast.Call) else []:
                if argument.arg == name and isinstance(argument.value, ast.Constant | ast.JoinedStr):
                    yield f"{path.relative_to(ROOT)}:{call.lineno}"


def test_no_other_module_spells_an_action() -> None:
    actions = {action.value for action in Action}

    assert [place for text, place in texts() if text in actions] == []
    assert list(given("object_type")) == []


def test_an_action_is_a_subject_and_what_was_done_to_it() -> None:
    assert all(action.count(".") == 1 and action.replace(".", "_").isidentifier() for action in Action)
    assert all(type_.isidentifier() and len(type_) <= 40 for type_ in ObjectType)
