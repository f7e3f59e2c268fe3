"""How IDs become parts of a path."""

from urllib.parse import quote


def fill_path(template: str, *parts: str) -> str:
    """Fill IDs into a path, each encoded once, as one segment. Raises ValueError if one is missing."""
    if not all(parts):
        raise ValueError("an ID is missing")
    return template.format(*map(_segment, parts))


def _segment(part: str) -> str:
    """Return an ID as one segment of a path. Dots alone would lead elsewhere, so they are encoded like the rest."""
    return part.replace(".", "%2E") if part in {".", ".."} else quote(part, safe="")
