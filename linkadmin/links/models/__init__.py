"""Customers, institutions, links with their state, counts, and reads that are due."""

from .counts import CountMove, DailyCount, LinkCount
from .institutions import Institution
from .links import (
    ESCALATE_AFTER,
    VERIFYING,
    AssigneeChange,
    EndUser,
    HealthChange,
    InstitutionChange,
    Link,
    LinkQuerySet,
    LinkSearch,
    Note,
    NoteText,
    UnrecognizedValue,
    search_text,
)
from .reads import READ_EVERY, DueRead, LinkRead, Reason

__all__ = [
    "ESCALATE_AFTER",
    "READ_EVERY",
    "VERIFYING",
    "AssigneeChange",
    "CountMove",
    "DailyCount",
    "DueRead",
    "EndUser",
    "HealthChange",
    "Institution",
    "InstitutionChange",
    "Link",
    "LinkCount",
    "LinkQuerySet",
    "LinkRead",
    "LinkSearch",
    "Note",
    "NoteText",
    "Reason",
    "UnrecognizedValue",
    "search_text",
]
