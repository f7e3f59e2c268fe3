"""Parts of pages that are the same for many requests: drawn once for each set of values they depend on, then kept.

    {% kept rights section %} … {% fresh %}{% csrf_token %}{% endfresh %} … {% endkept %}

They also depend on the language. What belongs to one request or person must be fresh.
"""

from collections.abc import Hashable
from typing import TypeAlias

from django import template
from django.template import Context, NodeList
from django.template.base import FilterExpression, Node, Parser, Token
from django.utils.translation import get_language

from .flat_parts import squeezed

register = template.Library()

MOST_KEPT = 500  # of one part: roles and sections in a few languages
FRESH = "fresh nodes of the kept part"
MARK = "\0"  # where something fresh goes: no page has this character

Pieces: TypeAlias = tuple[list[str], list["FreshNode"]]


class KeptNode(Node):
    def __init__(self, nodelist: NodeList, depends_on: list[FilterExpression]) -> None:
        self.nodelist = nodelist
        self._depends_on = depends_on
        self._kept: dict[tuple[Hashable, ...], Pieces] = {}

    def render(self, context: Context) -> str:
        key = (get_language(), *(each.resolve(context) for each in self._depends_on))
        pieces = self._kept.get(key)
        if pieces is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            pieces = self._kept[key] = self._draw(context)
        (first, *rest), fresh = pieces
        return first + "".join(f"{node.nodelist.render(context)}{text}" for node, text in zip(fresh, rest, strict=True))

    def _draw(self, context: Context) -> Pieces:
        fresh: list[FreshNode] = []
        context.render_context[FRESH] = fresh
        try:
            return squeezed(self.nodelist.render(context)).split(MARK), fresh
        finally:
            del context.render_context[FRESH]


class FreshNode(Node):
    """Sees only what surrounds the kept part: no variables that the part sets itself."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        context.render_context[FRESH].append(self)
        return MARK


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    depends_on = [parser.compile_filter(name) for name in token.split_contents()[1:]]
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(nodelist, depends_on)


@register.tag
def fresh(parser: Parser, _token: Token) -> FreshNode:
    nodelist = parser.parse(("endfresh",))
    parser.delete_first_token()
    return FreshNode(nodelist)
