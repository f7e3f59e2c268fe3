"""What we read: whole lists in full checks, and single links that somebody or something wants to know about."""

from .full_checks import CustomerFingerprint, FullCheck, FullCheckBatch, FullCheckState
from .left_out import SkippedRecord
from .unknown_links import UnknownLinkRead

__all__ = [
    "CustomerFingerprint",
    "FullCheck",
    "FullCheckBatch",
    "FullCheckState",
    "SkippedRecord",
    "UnknownLinkRead",
]
