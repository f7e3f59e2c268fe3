"""What we read: whole lists in sweeps, and single links that somebody or something wants to know about."""

from .reads import LinkRead, Reason
from .sweeps import CustomerPrint, Sweep, SweepPart, SweepState

__all__ = ["CustomerPrint", "LinkRead", "Reason", "Sweep", "SweepPart", "SweepState"]
