"""What texts may be: not translated yet, or an ID of ours."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.functional import Promise

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as StrOrPromise
else:
    StrOrPromise = str | Promise


def as_uuid(text: str) -> UUID | None:
    """Read an ID that somebody pasted, or that an address names; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
