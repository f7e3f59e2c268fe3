"""Our IDs, as people paste them and URLs contain them."""

from uuid import UUID


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
