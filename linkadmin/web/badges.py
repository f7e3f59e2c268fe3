"""How pages show a status."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateBadge:
    """Icon, label and reason: never a color alone."""

    tone: str
    icon: str
    label: str
    reason: str = ""
    mark: str = ""  # another thing to see at once
