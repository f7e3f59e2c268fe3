"""Everything that happened to a link: what we did, what we were told and saw, what staff wrote down and decided.

Each kind of entry is a table of its own. A page of the timeline takes as many rows of each as a page holds, from one
key on, and keeps those that come first: so it is right whatever is added meanwhile, and nobody counts anything.
"""

from .descriptions import LOOKS
from .narrowing import every_kind, kind_pills, kinds_of, switched
from .paging import OLDEST_FIRST, TimelinePage, latest, page_of
from .sources import SOURCES

__all__ = [
    "LOOKS",
    "OLDEST_FIRST",
    "SOURCES",
    "TimelinePage",
    "every_kind",
    "kind_pills",
    "kinds_of",
    "latest",
    "page_of",
    "switched",
]
