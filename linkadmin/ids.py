"""Our IDs, as people paste them and URLs contain them."""

from uuid import UUID


def as_uuid(text: str) -> UUID | None:
    """Parse an ID; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
