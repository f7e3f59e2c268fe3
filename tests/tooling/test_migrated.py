"""Tests copy a migrated database. It's built again when something that migrations use has changed.

Migrations of indexes copy no table: on SQLite, that would take minutes for a large one.
"""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.db.migrations import AlterField

from tests.migrated import ROOT, SOURCES

IMPORTED = re.compile(r"^(?:from|import) (linkadmin\.[\w.]+)", re.M)
MIGRATIONS = sorted(ROOT.glob("linkadmin/*/migrations/0*.py"))
OF_INDEXES = [file for file in MIGRATIONS if "index" in file.stem or "recent_operations" in file.stem]


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_what_a_migration_imports_is_a_source(file: Path) -> None:
    sources = {each for pattern in SOURCES for each in ROOT.glob(pattern)}

    names = IMPORTED.findall(file.read_text())

    # From models, migrations only take defaults, which change no schema.
    used = {ROOT / f"{name.replace('.', '/')}.py" for name in names if ".models" not in name}
    assert used <= sources


@pytest.mark.parametrize("file", OF_INDEXES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_no_migration_copies_a_table_to_change_its_indexes(file: Path) -> None:
    migration = import_module(".".join(file.relative_to(ROOT).with_suffix("").parts)).Migration

    assert not [each for each in migration.operations if type(each) is AlterField]
