"""What we read: whole lists in sweeps, and single links that somebody or something wants to know about."""

from .left_out import LeftOut
from .reads import READ_EVERY, LinkRead, Reason, UnknownLinkRead
from .sweeps import CustomerPrint, Sweep, SweepPart, SweepState

__all__ = [
    "READ_EVERY",
    "CustomerPrint",
    "LeftOut",
    "LinkRead",
    "Reason",
    "Sweep",
    "SweepPart",
    "SweepState",
    "UnknownLinkRead",
]
