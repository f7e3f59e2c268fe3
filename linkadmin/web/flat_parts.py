"""Template parts that a page repeats often: texts and plain names only, so that filling one is formatting a string.

Rendering the same nodes row by row costs ten times as much. Values arrive as texts, and are escaped here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from html import escape
from typing import Any, TypeAlias

from django.template import Context, Engine
from django.template.base import FilterExpression, Node, TextNode, VariableNode
from django.template.defaulttags import IfNode, LoadNode
from django.template.smartif import TokenBase
from django.templatetags.i18n import TranslateNode
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

Shape: TypeAlias = tuple[str, tuple[str, ...]]  # a text with %s, and the names of its fields

GAP = "\0"  # placeholder in kept markup for a value that changes; never occurs in a page
_INDENTED = re.compile(r"\s*\n\s*")
_SPECIAL = re.compile(r"""[&<>"']""")


class FlatPart:
    """A template of text, `{{ name }}`, `{% if name %}` and `{% translate "text" %}`. Anything else is a TypeError."""

    def __init__(self, template_name: str) -> None:
        self._template_name = template_name
        self._shapes: dict[tuple[object, ...], Shape] = {}

    def fill(self, rows: Iterable[Mapping[str, object]]) -> str:
        """Return the part once for each row, escaped."""
        language = get_language()
        return mark_safe("".join([self._filled(row, language) for row in rows]))  # noqa: S308 - all values are escaped

    def _filled(self, row: Mapping[str, object], language: str | None) -> str:
        text, names = self._shape_for(row, language)
        return text % tuple([_escaped(row[name]) for name in names])

    def _shape_for(self, row: Mapping[str, object], language: str | None) -> Shape:
        present = (language, *[bool(row[name]) for name in self._conditions])
        if present not in self._shapes:
            pieces = list(_pieces(self._nodes, {name for name in self._conditions if row[name]}))
            names = tuple(piece for piece, is_name in pieces if is_name)
            text = "".join("%s" if is_name else piece for piece, is_name in pieces)
            self._shapes[present] = text.removesuffix("\n"), names  # that ends the file
        return self._shapes[present]

    @cached_property
    def _nodes(self) -> list[Node]:
        return list(Engine.get_default().get_template(self._template_name).nodelist)

    @cached_property
    def _conditions(self) -> list[str]:
        return sorted(set(_conditions(self._nodes)))


def fill_gaps(drawn: str, values: Iterable[object]) -> str:
    """Fill the gaps of a drawn template in their order, escaped."""
    first, *rest = drawn.split(GAP)
    filled = "".join(f"{_escaped(value)}{text}" for value, text in zip(values, rest, strict=True))
    return mark_safe(first + filled)  # noqa: S308 - all values are escaped


def joined(parts: Iterable[str]) -> str:
    """Return filled parts one after another. Escapes what isn't one."""
    return mark_safe("".join([_escaped(part) for part in parts]))  # noqa: S308 - all are escaped


def squeezed(drawn: str) -> str:
    """Return markup without the indentation of its template, a tenth of its bytes. Not for `pre` and `textarea`."""
    return mark_safe(_INDENTED.sub("\n", conditional_escape(drawn)))  # noqa: S308 - it's escaped


def _escaped(value: Any) -> str:
    # As conditional_escape, which takes ten times as long for a text.
    kind = type(value)
    if kind is str:
        return escape(value) if _SPECIAL.search(value) else value
    return value if kind is SafeString else str(value) if kind is int or kind is float else conditional_escape(value)


def _pieces(nodes: Iterable[Node], present: set[str]) -> Iterator[tuple[str, bool]]:
    for node in nodes:
        if isinstance(node, TextNode):
            yield node.s.replace("%", "%%"), False
        elif isinstance(node, TranslateNode) and not node.asvar:
            yield node.render(Context()).replace("%", "%%"), False
        elif isinstance(node, LoadNode):
            continue
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
