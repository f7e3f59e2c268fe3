"""What each cause means to staff: the state of the link, whose turn it is, whether trying again helps, what to do.

A provider's module finds the cause; nothing here knows a provider's own words.
"""

from collections.abc import Mapping
from types import MappingProxyType

from linkadmin.providers.types import Cause

from .customer import CUSTOMER_VERDICTS
from .others import OTHER_VERDICTS
from .vocabulary import ESCALATED_RANK, RENEWAL_RANK, STATES, Retry, StateLook, Turn, Verdict

__all__ = ["ESCALATED_RANK", "RENEWAL_RANK", "STATES", "VERDICTS", "Retry", "StateLook", "Turn", "Verdict"]

VERDICTS: Mapping[Cause, Verdict] = MappingProxyType({**CUSTOMER_VERDICTS, **OTHER_VERDICTS})
