"""What we read: whole lists in full checks, and single links that somebody or something wants to know about."""

from .full_checks import CustomerPrint, FullCheck, FullCheckBatch, FullCheckState
from .left_out import LeftOut
from .reads import READ_EVERY, LinkRead, Reason, UnknownLinkRead

__all__ = [
    "READ_EVERY",
    "CustomerPrint",
    "FullCheck",
    "FullCheckBatch",
    "FullCheckState",
    "LeftOut",
    "LinkRead",
    "Reason",
    "UnknownLinkRead",
]
