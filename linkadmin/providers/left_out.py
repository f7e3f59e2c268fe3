"""Names what of a provider's list can't be taken over."""

from collections.abc import Iterable

from .http.answer import Answer
from .names import LONGEST_CUSTOMER_ID
from .reading import OddRecord, mapping
from .records import LeftOut


def named(answer: Answer, odd: Iterable[OddRecord], *fields: str) -> tuple[LeftOut, ...]:
    """Return these records, each with the first of the fields that says anything."""
    return tuple(LeftOut(_name(answer, record.item, fields), record.why) for record in odd)


def _name(answer: Answer, item: object, fields: Iterable[str]) -> str:
    said = (answer.name(mapping(item).get(field), limit=LONGEST_CUSTOMER_ID) for field in fields)
    return next(filter(None, said), "")
