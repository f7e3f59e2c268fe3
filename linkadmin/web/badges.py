"""How pages show a state."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateBadge:
    """A state as icon, word and reason: never a colour alone."""

    tone: str
    icon: str
    label: str
    reason: str = ""
    mark: str = ""  # what else to know at first sight
