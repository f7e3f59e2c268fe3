"""Names of customers and links, masked for readers who may not see them, and words for a link's settings.

Without markup, names are put between direction marks. Settings without a text are shown as received.
"""

import re
from collections.abc import Iterable
from typing import Any

from django.template import Context, Library
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.accounts.roles import Right, may
from linkadmin.links.listing.marks import sandbox_mark
from linkadmin.links.models import EndUser
from linkadmin.links.presentation import title_of
from linkadmin.providers.names import isolated, term_in_words

register = Library()

LONGEST_ID_SHOWN = 16  # characters

SPAN = re.compile(r"([1-9]\d*)([hd])")  # such as 6h or 365d


@register.filter(name="isolated")
def isolated_text(name: object) -> str:
    return isolated(str(name))


@register.simple_tag(takes_context=True)
def customer_name(context: Context, customer: EndUser, *, as_text: bool = False) -> str:
    name = customer.called(see_names=_sees_names(context))
    return isolated(name) if as_text else format_html("<bdi>{}</bdi>", name)


@register.simple_tag(takes_context=True)
def link_title(context: Context, link: Any, *, as_text: bool = False, marked: bool = True) -> str:
    """Title of a link, or of an operation that may not have one yet. `marked` if it's in the sandbox."""
    customer, place, see_names = link.end_user, link.institution or link.integration, _sees_names(context)
    if as_text:
        return title_of(customer, place, see_names=see_names)
    mark = sandbox_mark(link.integration) if marked else ""
    return format_html("<bdi>{}</bdi> · <bdi>{}</bdi> {}", customer.called(see_names=see_names), place, mark)


@register.filter
def shortened(identifier: object) -> str:
    """Beginning and end of a long ID."""
    text = str(identifier)
    return text if len(text) <= LONGEST_ID_SHOWN else f"{text[:8]}…{text[-4:]}"


@register.filter
def terms_in_words(terms: Iterable[str]) -> str:
    return ", ".join(map(term_in_words, terms))


@register.filter
def access_in_words(mode: str) -> str:
    return {"recurrent": _("recurring"), "single": _("one-time")}.get(mode, mode)


@register.filter
def storage_in_words(storage: str) -> str:
    if SPAN.fullmatch(storage):
        return _("yes, for %(span)s") % {"span": span_in_words(storage)}
    return {"store": _("yes"), "nostore": _("no")}.get(storage, storage)


@register.filter
def span_in_words(text: str) -> str:
    span = SPAN.fullmatch(text)
    if span is None:
        return text
    count = int(span[1])
    if span[2] == "h":
        return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def _sees_names(context: Context) -> bool:
    request: Any = getattr(context, "request", None)  # parts included with `only` have no rights in their context
    return request is not None and may(request.user, Right.SEE_NAMES)
