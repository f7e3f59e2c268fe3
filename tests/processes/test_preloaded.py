"""Web processes forked from one that has loaded everything share no database connection with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import servers

pytestmark = [pytest.mark.processes, pytest.mark.servers]

LOADED = """
import linkadmin.wsgi
from django.db.backends.postgresql.base import DatabaseWrapper
print(len(DatabaseWrapper._connection_pools))
"""


def test_loading_leaves_no_pool_open(tmp_path: Path) -> None:
    with servers.database() as url:
        variables = os.environ | {"LINKADMIN_DATABASE_URL": url, "LINKADMIN_DATA": str(tmp_path), "LINKADMIN_DEMO": "1"}
        loaded = subprocess.run(
            [sys.executable, "-c", LOADED], env=variables, capture_output=True, text=True, check=True
        )

    assert loaded.stdout.split()[-1] == "0"
