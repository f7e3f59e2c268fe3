"""What customers and links are called by who reads the page, and names where no markup can stand around them."""

from typing import Any

from django.template import Context, Library
from django.utils.html import format_html

from linkadmin.accounts.roles import Right, may
from linkadmin.links.models import EndUser
from linkadmin.links.presentation import title_of
from linkadmin.providers.names import isolated

register = Library()


@register.filter(name="isolated")
def isolated_text(name: object) -> str:
    """Put a name between marks that keep its direction to itself."""
    return isolated(str(name))


@register.simple_tag(takes_context=True)
def customer_name(context: Context, customer: EndUser, *, as_text: bool = False) -> str:
    """Say who a customer is, by initials to a reader who may not see names."""
    name = customer.called(see_names=_sees_names(context))
    return isolated(name) if as_text else format_html("<bdi>{}</bdi>", name)


@register.simple_tag(takes_context=True)
def link_title(context: Context, link: Any, *, as_text: bool = False) -> str:
    """Say what a link is called, or an operation that may have none yet; as text where no markup can stand."""
    customer, place, see_names = link.end_user, link.institution or link.integration, _sees_names(context)
    if as_text:
        return title_of(customer, place, see_names=see_names)
    return format_html("<bdi>{}</bdi> × <bdi>{}</bdi>", customer.called(see_names=see_names), place)


def _sees_names(context: Context) -> bool:
    request: Any = getattr(context, "request", None)  # a part included with `only` has no rights in its context
    return request is not None and may(request.user, Right.SEE_NAMES)
