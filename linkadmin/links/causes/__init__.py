"""What each cause means to staff: the state of the link, whose turn it is, whether trying again helps, what to do.

A provider's module finds the cause; nothing here knows a provider's own words.
"""

from .groups import VERDICTS, VERIFYING_LOOK, Group, Judgement, group_of, judge
from .vocabulary import ESCALATED_RANK, RENEWAL_RANK, STATES, Remedy, RepairKind, Retry, StateLook, Turn, Verdict

__all__ = [
    "ESCALATED_RANK",
    "RENEWAL_RANK",
    "STATES",
    "VERDICTS",
    "VERIFYING_LOOK",
    "Group",
    "Judgement",
    "Remedy",
    "RepairKind",
    "Retry",
    "StateLook",
    "Turn",
    "Verdict",
    "group_of",
    "judge",
]
