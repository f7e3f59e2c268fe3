"""What we read: whole lists in sweeps, and single links that somebody or something wants to know about."""

from .reads import READ_EVERY, LinkRead, Reason, StrangerRead
from .sweeps import CustomerPrint, Sweep, SweepPart, SweepState

__all__ = [
    "READ_EVERY",
    "CustomerPrint",
    "LinkRead",
    "Reason",
    "StrangerRead",
    "Sweep",
    "SweepPart",
    "SweepState",
]
