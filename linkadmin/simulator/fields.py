"""The rules for the fields of a body, and what breaks them. How that is said, each provider knows for itself."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """The rule for one field: a text unless `kind` says otherwise."""

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
        """Name what a value breaks, or its kind; empty when all is well."""
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
    """Find the fields that break their rules, and what each breaks."""
    for name, rule in rules.items():
        fault = rule.broken_by(body[name]) if name in body else "required" if rule.required else ""
        if fault:
            yield name, fault
