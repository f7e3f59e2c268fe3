"""Template parts that a page repeats often: text and plain names only, so that filling one is formatting a string.

Rendering the same nodes row by row costs ten times as much. Values arrive as texts, and are escaped here.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeAlias

from django.template import Engine
from django.template.base import FilterExpression, Node, TextNode, VariableNode
from django.template.defaulttags import IfNode
from django.template.smartif import TokenBase
from django.utils.html import format_html

Shape: TypeAlias = tuple[str, tuple[str, ...]]  # a format string, and the names of its fields


class FlatPart:
    """A template of text, `{{ name }}` and `{% if name %}`. Anything else raises TypeError."""

    def __init__(self, template_name: str) -> None:
        self._template_name = template_name
        self._shapes: dict[tuple[bool, ...], Shape] = {}

    def fill(self, rows: Iterable[Mapping[str, object]]) -> str:
        """Return the part once for each row, escaped."""
        formats: list[str] = []
        values: list[object] = []
        for row in rows:
            text, names = self._shape_for(row)
            formats.append(text)
            values += [row[name] for name in names]
        return format_html("".join(formats), *values) if values else ""

    def _shape_for(self, row: Mapping[str, object]) -> Shape:
        present = tuple([bool(row[name]) for name in self._conditions])
        if present not in self._shapes:
            pieces = list(_pieces(self._nodes, {name for name in self._conditions if row[name]}))
            names = tuple(piece for piece, is_name in pieces if is_name)
            self._shapes[present] = "".join("{}" if is_name else piece for piece, is_name in pieces), names
        return self._shapes[present]

    @cached_property
    def _nodes(self) -> list[Node]:
        return list(Engine.get_default().get_template(self._template_name).nodelist)

    @cached_property
    def _conditions(self) -> list[str]:
        return sorted(set(_conditions(self._nodes)))


def _pieces(nodes: Iterable[Node], present: set[str]) -> Iterator[tuple[str, bool]]:
    for node in nodes:
        if isinstance(node, TextNode):
            yield node.s.replace("{", "{{").replace("}", "}}"), False
        elif isinstance(node, VariableNode):
            yield _name_of(node.filter_expression), True
        elif isinstance(node, IfNode):
            chosen = (inner for condition, inner in node.conditions_nodelists if _holds(condition, present))
            yield from _pieces(next(chosen, []), present)
        else:
            raise TypeError(f"a flat part can't hold {node!r}")


def _conditions(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, IfNode):
            for condition, inner in node.conditions_nodelists:
                if condition is not None:
                    yield _condition_name(condition)
                yield from _conditions(inner)


def _holds(condition: TokenBase | None, present: set[str]) -> bool:
    return condition is None or _condition_name(condition) in present


def _condition_name(condition: TokenBase) -> str:
    if not isinstance(condition.value, FilterExpression):
        raise TypeError("a flat part can't compare")
    return _name_of(condition.value)


def _name_of(expression: FilterExpression) -> str:
    if expression.filters or not expression.is_var or len(expression.var.lookups or ()) != 1:
        raise TypeError(f"a flat part can't look up {expression.token}")
    return str(expression.var.lookups[0])
