"""Names in places that can hold no markup: titles, attributes, sentences made of parts."""

from django.template import Library

from linkadmin.providers.names import isolated

register = Library()


@register.filter(name="isolated")
def isolated_text(name: object) -> str:
    """Put a name between marks that keep its direction to itself."""
    return isolated(str(name))
