"""Views stay thin: what they do is asked of services, and what they show is made ready beside them."""

import ast
from pathlib import Path

from django.conf import settings

MOST_LINES = 30
VIEWS = [
    path
    for path in sorted(Path(settings.BASE_DIR, "linkadmin").rglob("*.py"))
    if path.name.endswith("views.py") or path.parent.name == "views"
]


def test_no_function_of_a_view_is_longer_than_a_screen() -> None:
    found = {
        f"{path.parent.name}/{path.name}: {node.name}": lines
        for path in VIEWS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (lines := node.end_lineno - node.lineno + 1) > MOST_LINES
    }

    assert found == {}
