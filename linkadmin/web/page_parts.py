"""Parts of all pages, and those that packages add to pages of packages below them.

A page names the slot, not what fills it.
"""

from collections.abc import Callable
from typing import Any

from django import template
from django.template import Context, Engine
from django.utils.html import format_html_join

register = template.Library()

ContextOf = Callable[[Context], dict[str, Any]]
ADDED: dict[str, list[tuple[str, ContextOf]]] = {}  # by slot


def add_part(place: str, template_name: str, context_of: ContextOf = lambda _page: {}) -> None:
    ADDED.setdefault(place, []).append((template_name, context_of))


@register.simple_tag(takes_context=True)
def parts(context: Context, place: str) -> str:
    return format_html_join("", "{}", ((_drawn(context, *added),) for added in ADDED.get(place, ())))


@register.simple_block_tag
def markup(content: str) -> str:
    """Pass the block's content to another part: `{% markup as lead %}`."""
    return content


@register.simple_block_tag(takes_context=True)
def crumbs(context: Context, content: str, here: str) -> str:
    return _around(content, context, "partials/_crumbs.html", here=here)


@register.simple_block_tag(takes_context=True)
def page_head(context: Context, content: str, title: str, **more: Any) -> str:
    return _around(content, context, "partials/_page_head.html", title=title, **more)


@register.simple_block_tag(takes_context=True)
def panel_head(context: Context, content: str, title: str, anchor: str = "") -> str:
    return _around(content, context, "partials/_panel_head.html", title=title, anchor=anchor)


@register.simple_block_tag(takes_context=True)
def alert(context: Context, content: str, tone: str, **more: Any) -> str:
    return _around(content, context, "partials/_alert.html", tone=tone, **more)


def _around(content: str, page: Context, template_name: str, **more: Any) -> str:
    part = page.new({"content": content, **more})
    return Engine.get_default().get_template(template_name).render(part)


def _drawn(page: Context, template_name: str, context_of: ContextOf) -> str:
    with page.push(**context_of(page)):
        return Engine.get_default().get_template(template_name).render(page)
