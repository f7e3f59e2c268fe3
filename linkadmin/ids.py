"""IDs of ours as people paste them and addresses name them."""

from uuid import UUID


def as_uuid(text: str) -> UUID | None:
    """Read an ID; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
