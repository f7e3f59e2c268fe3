"""What pages say that background work does."""

from django import template

from linkadmin.heartbeats import watch

register = template.Library()


@register.simple_block_tag
def ongoing(content: str) -> str:
    """Show what background work does or will do; while it has stopped, that this waits for it."""
    return watch.ongoing(content)
