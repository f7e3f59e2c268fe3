"""Every kind of change is one row, and nothing else asks for a kind.

`row.py` says what a row tells. To add a kind: its name in `OperationKind`, its row in
the module of its subject, and, if no provider can do it yet, a capability and the provider's method.
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
    """Return the row of the change that a person began: a code is given for one, and ends as it does."""
    return CHANGES[operation.origin.kind]
