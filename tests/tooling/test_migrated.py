"""The migrated database that tests copy is made again whenever something that its migrations use has changed."""

import re
from pathlib import Path

import pytest

from tests.migrated import ROOT, SOURCES

IMPORTED = re.compile(r"^(?:from|import) (linkadmin\.[\w.]+)", re.M)
MIGRATIONS = sorted(ROOT.glob("linkadmin/*/migrations/0*.py"))


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_what_a_migration_imports_is_a_source(file: Path) -> None:
    sources = {each for pattern in SOURCES for each in ROOT.glob(pattern)}

    names = IMPORTED.findall(file.read_text())

    # From models, migrations only take defaults, which change no schema.
    used = {ROOT / f"{name.replace('.', '/')}.py" for name in names if ".models" not in name}
    assert used <= sources
