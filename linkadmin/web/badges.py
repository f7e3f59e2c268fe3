"""How pages show a status."""

from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.translation import get_language


@dataclass(frozen=True, slots=True)
class StateBadge:
    """Icon, label and reason: never a color alone."""

    tone: str
    icon: str
    label: str
    reason: str = ""
    mark: str = ""  # another thing to see at once


def draw_state(badge: StateBadge) -> str:
    """Markup of a badge, for parts that a page repeats often."""
    return _drawn(badge, get_language())


@lru_cache(maxsize=500)
def _drawn(badge: StateBadge, _language: str) -> str:
    return render_to_string("partials/_state.html", {"state": badge})
