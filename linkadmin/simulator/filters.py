"""How the lists of Belvo are filtered: a parameter names a field and a way to compare."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .clock import seconds

Rules = Mapping[str, tuple[str, str]]  # parameter: field, way to compare

COMPARE: Mapping[str, Callable[[Any, str], bool]] = {
    "": lambda value, text: str(value) == text,
    "in": lambda value, text: str(value) in text.split(","),
    "not_in": lambda value, text: str(value) not in text.split(","),
    "allin": lambda value, text: set(text.split(",")) <= set(value),
    "has": lambda value, text: text.lower() in str(value).lower(),
    "day": lambda value, text: str(value)[: len(text)] == text,
    "gt": lambda value, text: seconds(value) > seconds(text),
    "gte": lambda value, text: seconds(value) >= seconds(text),
    "lt": lambda value, text: seconds(value) < seconds(text),
    "lte": lambda value, text: seconds(value) <= seconds(text),
    "range": lambda value, text: seconds(text.split(",")[0]) <= seconds(value) <= seconds(text.split(",")[-1]),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a call. Asking it raises ValueError for a moment that is none."""

    field: str
    how: str
    text: str

    def passes(self, value: object) -> bool:
        return COMPARE[self.how](value, self.text)


def chosen(query: Mapping[str, str], rules: Rules) -> tuple[Filter, ...]:
    """Return the filters that a query names; what the rules do not know is ignored."""
    return tuple(Filter(*rules[name], text) for name, text in query.items() if name in rules)


def passes(record: Any, filters: Iterable[Filter]) -> bool:
    is_dict = isinstance(record, dict)
    return all(each.passes(record[each.field] if is_dict else getattr(record, each.field)) for each in filters)
