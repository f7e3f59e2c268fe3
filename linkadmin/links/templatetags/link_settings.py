"""What a provider keeps of a link and how often it fetches it, in words. What has no words is shown as it came."""

import re

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()

SPAN = re.compile(r"([1-9]\d*)([hd])")  # such as 6h or 365d


@register.filter
def access_in_words(mode: str) -> str:
    """Say whether a link is fetched again and again."""
    return {"recurrent": _("kept up to date"), "single": _("read once")}.get(mode, mode)


@register.filter
def storage_in_words(storage: str) -> str:
    """Say how long the provider keeps the login."""
    if SPAN.fullmatch(storage):
        return _("kept for %(span)s") % {"span": span_in_words(storage)}
    return {"store": _("kept"), "nostore": _("not kept")}.get(storage, storage)


@register.filter
def span_in_words(text: str) -> str:
    """Say a number of hours or days."""
    span = SPAN.fullmatch(text)
    if span is None:
        return text
    count = int(span[1])
    if span[2] == "h":
        return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
