"""Every kind of change is one row, and no other code compares kinds."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

from linkadmin.accounts.roles import MATRIX, URL_RIGHTS, rule_for
from linkadmin.operations.changes import CHANGES, PAGES
from linkadmin.operations.models import Operation, OperationKind
from tests.environment import Environment

from .helpers import url_of

PACKAGE = Path(settings.BASE_DIR) / "linkadmin" / "operations"
ROLES = {"ana": "support", "mia": "manager", "aud": "auditor", "adm": "administrator"}


def test_every_kind_has_one_row() -> None:
    assert list(CHANGES) == [change.kind for change in CHANGES.values()]
    assert set(CHANGES) == set(OperationKind)
    assert [change.page.slug for change in CHANGES.values() if change.page] == list(PAGES)


def test_new_kind_needs_no_migration() -> None:
    migration = PACKAGE / "migrations" / "0001_initial.py"

    assert Operation._meta.get_field("kind").choices == OperationKind.choices
    assert OperationKind.REMOVE_WEBHOOK not in migration.read_text()


def test_nothing_compares_kinds_but_the_rows_and_the_model() -> None:
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "models.py" and "migrations" not in path.parts]
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare) and any(_is_kind(side) for side in [node.left, *node.comparators])
    ]

    assert found == []


def _is_kind(side: ast.expr) -> bool:
    return isinstance(side, ast.Attribute) and isinstance(side.value, ast.Name) and side.value.id in _KINDS


_KINDS = ("Kind", "OperationKind")


@pytest.mark.django_db
@pytest.mark.parametrize("slug", PAGES)
def test_page_of_a_change_is_for_those_with_its_right(env: Environment, slug: str) -> None:
    change, link = PAGES[slug], env.heron_link()

    assert f"link-{slug}" not in URL_RIGHTS
    assert rule_for(f"link-{slug}", "POST", change) is change.right
    for name, role in ROLES.items():
        answer = env.client(name).get(url_of(link, slug))
        assert answer.status_code == (200 if change.right in MATRIX[role] else 403), name
