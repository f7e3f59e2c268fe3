"""Parts that packages add to pages of packages below them: a page names the place, not what stands there."""

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


def _drawn(page: Context, template_name: str, context_of: ContextOf) -> str:
    with page.push(**context_of(page)):
        return Engine.get_default().get_template(template_name).render(page)
