"""The only writer of a link's health: what was observed, from whom and when, becomes one state."""

from .clock import (
    ask_to_renew,
    ending_permissions,
    escalate,
    grow_stale,
    grown_stale,
    verification_overdue,
    unverified,
)
from .pages import Observed, observe_page, observe_same, start_links
from .rules import FIRST_DATA_WITHIN, PROOF_LAG, RENEW_WITHIN, Report, Source
from .writer import (
    begin_asking,
    start_verifying,
    fingerprint_of,
    stop_verifying,
    note_missing,
    note_unasked,
    observe,
    observe_remote,
    start_link,
)

__all__ = [
    "FIRST_DATA_WITHIN",
    "PROOF_LAG",
    "RENEW_WITHIN",
    "Observed",
    "Report",
    "Source",
    "ask_to_renew",
    "begin_asking",
    "start_verifying",
    "ending_permissions",
    "escalate",
    "fingerprint_of",
    "stop_verifying",
    "grow_stale",
    "grown_stale",
    "note_missing",
    "note_unasked",
    "observe",
    "observe_page",
    "observe_remote",
    "observe_same",
    "verification_overdue",
    "start_link",
    "start_links",
    "unverified",
]
