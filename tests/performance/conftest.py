import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import build
from benchmarks.engines import ENGINES, LIMITS, database
from benchmarks.run import run_python
from benchmarks.sizes import Size

FEW_CHANGES = dict.fromkeys(ENGINES, 2)
SIZE = Size("gates", 10_000, FEW_CHANGES, rounds=1)


@pytest.fixture(scope="session", params=[pytest.param(each, marks=pytest.mark.xdist_group(each)) for each in ENGINES])
def pages(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Exact facts about the product's pages over ten thousand links, by name. See benchmarks/gates.py."""
    # Not pytest's folder: PostgreSQL, which doesn't run as root, couldn't enter it.
    folder = Path(tempfile.mkdtemp(prefix="linkadmin-"))
    folder.chmod(0o755)
    try:
        with database(request.param, folder) as rows:
            environment = rows.environment | {"DJANGO_SETTINGS_MODULE": "linkadmin.settings"}
            build(rows, SIZE, with_peers=False)
            run_python(environment, "django", "collectstatic", "--noinput", "--verbosity", "0")
            sessions = run_python(environment, "benchmarks.sign_in")
            limited = environment | dict.fromkeys(LIMITS, "")  # as usual
            yield json.loads(run_python(limited, "benchmarks.gates", sessions))
    finally:
        shutil.rmtree(folder)
