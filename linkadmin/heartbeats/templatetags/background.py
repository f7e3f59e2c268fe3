"""Template tag for what background work does or will do."""

from django import template

from linkadmin.heartbeats import watch

register = template.Library()


@register.simple_block_tag
def ongoing(content: str) -> str:
    return watch.ongoing(content)
