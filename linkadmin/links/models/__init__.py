"""Customers, institutions, links with their state and history, counts, and reads that are due."""

from .contacts import CustomerContact, Language
from .counts import CountMove, DailyCount, DailyTotal, LinkCount, LinkTotal, Recount, StaffCount, StaffMove
from .history import AssigneeChange, HealthChange, InstitutionChange, Note, NoteText
from .hosted_sessions import SESSIONS_TASK, HostedSession
from .institutions import Institution, values_of
from .links import (
    ESCALATE_AFTER,
    RANKED,
    TROUBLED,
    VERIFYING,
    EndUser,
    Link,
    LinkQuerySet,
    LinkSearch,
    UnrecognizedValue,
    repair_kind_of,
    search_text,
)
from .reads import READ_EVERY, DueRead, LinkRead, Reason
from .repair_requests import RepairRequest, RepairStep, RepairVisit

__all__ = [
    "ESCALATE_AFTER",
    "RANKED",
    "READ_EVERY",
    "SESSIONS_TASK",
    "TROUBLED",
    "VERIFYING",
    "AssigneeChange",
    "CountMove",
    "CustomerContact",
    "DailyCount",
    "DailyTotal",
    "DueRead",
    "EndUser",
    "HealthChange",
    "HostedSession",
    "Institution",
    "InstitutionChange",
    "Language",
    "Link",
    "LinkCount",
    "LinkQuerySet",
    "LinkRead",
    "LinkSearch",
    "LinkTotal",
    "Note",
    "NoteText",
    "Reason",
    "Recount",
    "RepairRequest",
    "RepairStep",
    "RepairVisit",
    "StaffCount",
    "StaffMove",
    "UnrecognizedValue",
    "repair_kind_of",
    "search_text",
    "values_of",
]
