"""Our IDs, as people paste them and URLs contain them."""

from functools import cache
from uuid import UUID

from django.urls import reverse

ANY = UUID(int=0)  # placeholder in a URL


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def url_of(view: str, pk: UUID) -> str:
    """The page of one thing, as `reverse` finds it. Lists have many of the same view."""
    return _url_around(view).replace(str(ANY), str(pk))


@cache
def _url_around(view: str) -> str:
    return reverse(view, args=[ANY])
