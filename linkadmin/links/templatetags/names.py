"""What customers and links are called by who reads the page, and names where no markup can stand around them."""

from typing import Any

from django.template import Context, Library

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
def customer_name(context: Context, customer: EndUser) -> str:
    """Say who a customer is, by initials to a reader who may not see names."""
    return isolated(customer.called(see_names=_sees_names(context)))


@register.simple_tag(takes_context=True)
def link_title(context: Context, link: Any) -> str:
    """Say what a link is called, or an operation that may have none yet."""
    return title_of(link.end_user, link.institution or link.integration, see_names=_sees_names(context))


def _sees_names(context: Context) -> bool:
    request: Any = getattr(context, "request", None)  # a part included by itself has no rights in its context
    return request is not None and may(request.user, Right.SEE_NAMES)
