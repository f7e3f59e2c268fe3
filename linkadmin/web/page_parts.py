"""The parts of all pages, and those that packages add to pages of packages below them.

A page names the place of what is added, not what stands there.
"""

from collections.abc import Callable
from typing import Any

from django import template
from django.template import Context, Engine
from django.utils.html import format_html_join

register = template.Library()

ContextOf = Callable[[Context], dict[str, Any]]
ADDED: dict[str, list[tuple[str, ContextOf]]] = {}  # by the name of the place


def add_part(place: str, template_name: str, context_of: ContextOf = lambda _page: {}) -> None:
    """Draw a template at this place, with the page's own context and what `context_of` makes of it."""
    ADDED.setdefault(place, []).append((template_name, context_of))


@register.simple_tag(takes_context=True)
def parts(context: Context, place: str) -> str:
    """Draw what was added at this place of a page."""
    return format_html_join("", "{}", ((_drawn(context, *added),) for added in ADDED.get(place, ())))


@register.simple_block_tag
def markup(content: str) -> str:
    """Keep what is drawn here for another part: `{% markup as lead %}`."""
    return content


@register.simple_block_tag(takes_context=True)
def crumbs(context: Context, content: str, here: str) -> str:
    """Say where a page stands, below the links in the block."""
    return _around(content, context, "partials/_crumbs.html", here=here)


@register.simple_block_tag(takes_context=True)
def page_head(context: Context, content: str, title: str, **more: Any) -> str:
    """Draw the head of a page, with the buttons in the block; what else it takes stands in its template."""
    return _around(content, context, "partials/_page_head.html", title=title, **more)


@register.simple_block_tag(takes_context=True)
def panel_head(context: Context, content: str, title: str, anchor: str = "") -> str:
    """Draw the head of a panel, with the block beside its title."""
    return _around(content, context, "partials/_panel_head.html", title=title, anchor=anchor)


@register.simple_block_tag(takes_context=True)
def alert(context: Context, content: str, tone: str, **more: Any) -> str:
    """Draw an alert around the block; what else it takes stands in its template."""
    return _around(content, context, "partials/_alert.html", tone=tone, **more)


def _around(content: str, page: Context, template_name: str, **more: Any) -> str:
    """Draw a part that knows of its page only what it is given."""
    part = page.new({"content": content, **more})
    return Engine.get_default().get_template(template_name).render(part)


def _drawn(page: Context, template_name: str, context_of: ContextOf) -> str:
    with page.push(**context_of(page)):
        return Engine.get_default().get_template(template_name).render(page)
