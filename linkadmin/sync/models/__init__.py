"""What we read: whole lists in full checks, and single links that somebody or something wants to know about."""

from .full_checks import CustomerPrint, FullCheck, FullCheckBatch, FullCheckState
from .left_out import LeftOut
from .unknown_links import UnknownLinkRead

__all__ = [
    "CustomerPrint",
    "FullCheck",
    "FullCheckBatch",
    "FullCheckState",
    "LeftOut",
    "UnknownLinkRead",
]
