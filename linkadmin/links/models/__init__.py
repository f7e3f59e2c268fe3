"""What we know: customers, the providers we reach them through, and the state of each link."""

from .counts import CountMove, DailyCount, LinkCount
from .integrations import OF_CONSENT, Institution, Integration, IntegrationSecret
from .limits import CallQuota, CallSlot, CircuitBreaker
from .links import (
    ESCALATE_AFTER,
    VERIFYING,
    EndUser,
    HealthChange,
    InstitutionChange,
    Link,
    LinkQuerySet,
    LinkSearch,
    Note,
    NoteText,
    OwnerChange,
    UnknownValue,
    search_text,
)

__all__ = [
    "ESCALATE_AFTER",
    "OF_CONSENT",
    "VERIFYING",
    "CallQuota",
    "CallSlot",
    "CircuitBreaker",
    "CountMove",
    "DailyCount",
    "EndUser",
    "HealthChange",
    "Institution",
    "InstitutionChange",
    "Integration",
    "IntegrationSecret",
    "Link",
    "LinkCount",
    "LinkQuerySet",
    "LinkSearch",
    "Note",
    "NoteText",
    "OwnerChange",
    "UnknownValue",
    "search_text",
]
