"""Validation of body fields, and list filters.

Each provider words the errors on its own.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .clock import seconds


@dataclass(frozen=True, slots=True)
class Field:
    """A rule for one field: a string unless `kind` says otherwise."""

    kind: type = str
    required: bool = False
    nullable: bool = False
    blank: bool = False
    choices: tuple[str, ...] = ()
    pattern: str = ""
    shortest: int = 0
    longest: int | None = None
    fits: Callable[[Any], bool] | None = None

    def broken_by(self, value: Any) -> str:
        """Return the broken rule, or the expected kind; empty if valid."""
        if value is None and self.nullable:
            return ""
        if self.fits and not self.fits(value):
            return "fits"
        if value is None:
            return "nullable"
        if not issubclass(type(value), self.kind):
            return self.kind.__name__
        if value == "":
            return "" if self.blank else "blank"
        broken = {
            "choices": self.choices and value not in self.choices,
            "pattern": self.pattern and not re.fullmatch(self.pattern, value),
            "shortest": self.shortest and len(value) < self.shortest,
            "longest": self.longest and len(value) > self.longest,
        }
        return next(filter(broken.get, broken), "")


Rules = Mapping[str, Field]


def broken(body: Mapping[str, Any], rules: Rules) -> Iterator[tuple[str, str]]:
    for name, rule in rules.items():
        fault = rule.broken_by(body[name]) if name in body else "required" if rule.required else ""
        if fault:
            yield name, fault


Filters = Mapping[str, tuple[str, str]]  # parameter: field, comparison

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
    """One filter of a request. Raises ValueError for an invalid date."""

    field: str
    how: str
    text: str

    def passes(self, value: object) -> bool:
        return COMPARE[self.how](value, self.text)


def chosen(query: Mapping[str, str], rules: Filters) -> tuple[Filter, ...]:
    return tuple(Filter(*rules[name], text) for name, text in query.items() if name in rules)


def passes(record: Any, filters: Iterable[Filter]) -> bool:
    is_dict = isinstance(record, dict)
    return all(each.passes(record[each.field] if is_dict else getattr(record, each.field)) for each in filters)
