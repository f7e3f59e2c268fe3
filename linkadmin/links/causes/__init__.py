"""What each cause means to staff: status, who it's waiting on, whether a retry helps, and what to do.

A provider's module finds the cause. Nothing here knows a provider's own values.
"""

from .groups import VERDICTS, VERIFYING_LOOK, Group, Judgment, group_of, judge, ranks_of
from .vocabulary import ESCALATED_RANK, RENEWAL_RANK, STATES, Remedy, RepairKind, Retry, StateLook, Turn, Verdict

__all__ = [
    "ESCALATED_RANK",
    "RENEWAL_RANK",
    "STATES",
    "VERDICTS",
    "VERIFYING_LOOK",
    "Group",
    "Judgment",
    "Remedy",
    "RepairKind",
    "Retry",
    "StateLook",
    "Turn",
    "Verdict",
    "group_of",
    "judge",
    "ranks_of",
]
