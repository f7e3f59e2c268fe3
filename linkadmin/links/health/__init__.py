"""The only writer of a link's health: what was observed, from whom and when, becomes one state."""

from .clock import (
    ask_to_renew,
    ending_permissions,
    escalate,
    grow_stale,
    grown_stale,
    unverified,
    verification_overdue,
)
from .pages import Observed, observe_page, observe_same, start_links
from .rules import FIRST_DATA_WITHIN, PROOF_LAG, RENEW_WITHIN, Report, Source
from .writer import (
    fingerprint_of,
    note_missing,
    note_unasked,
    observe,
    observe_remote,
    start_check,
    start_link,
    start_verifying,
    stop_verifying,
)

__all__ = [
    "FIRST_DATA_WITHIN",
    "PROOF_LAG",
    "RENEW_WITHIN",
    "Observed",
    "Report",
    "Source",
    "ask_to_renew",
    "ending_permissions",
    "escalate",
    "fingerprint_of",
    "grow_stale",
    "grown_stale",
    "note_missing",
    "note_unasked",
    "observe",
    "observe_page",
    "observe_remote",
    "observe_same",
    "start_check",
    "start_link",
    "start_links",
    "start_verifying",
    "stop_verifying",
    "unverified",
    "verification_overdue",
]
