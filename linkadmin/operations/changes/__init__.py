"""Every kind of change is one row, and no other module compares kinds.

`row.py` defines a row. To add a kind: its name in `OperationKind`, its row in the module of its subject, and a
capability with the provider's method if no provider has it yet.
"""

from collections.abc import Mapping
from typing import Any

from linkadmin.operations.models import Operation

from . import account, links, removal, sign_ins
from .row import NOTHING, Change, ChangePage, Explanation, Finding

__all__ = [
    "CHANGES",
    "NOTHING",
    "PAGES",
    "Change",
    "ChangePage",
    "Explanation",
    "Finding",
    "change_of",
]

CHANGES: Mapping[str, Change[Any]] = {
    row.kind: row for row in (*sign_ins.ROWS, *links.ROWS, *removal.ROWS, *account.ROWS)
}
PAGES: Mapping[str, Change[Any]] = {row.page.slug: row for row in CHANGES.values() if row.page}


def change_of(operation: Operation) -> Change[Any]:
    """The row of the change a person started. A code belongs to the sign-in it completes."""
    return CHANGES[operation.origin.kind]
