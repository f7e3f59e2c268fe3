"""Template filters and tags for provider records."""

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.accounts.roles import Right
from linkadmin.links.causes import VERDICTS
from linkadmin.links.presentation import badge_of
from linkadmin.providers.names import masked
from linkadmin.providers.records import RemoteAccount, RemoteSource
from linkadmin.providers.types import Cause, Observation
from linkadmin.web.badges import StateBadge

register = template.Library()


@register.filter
def shown_to(name: object, rights: Container[Right]) -> str:
    return str(name) if Right.SEE_NAMES in rights else masked(str(name))


@register.inclusion_tag("sync/records/_observed.html")
def observed(seen: Observation) -> dict[str, StateBadge | str]:
    verdict = VERDICTS[seen.cause]
    if seen.conflict:  # the link's own page decides which is true, by the age of its data
        both = StateBadge("warn", "triangle-alert", _("Provider reports conflicting status"), str(verdict.reason))
        return {"state": both, "word": f"{seen.raw_status} · {seen.raw_code}"}
    return {"state": badge_of(verdict.state, str(verdict.reason)), "word": seen.raw_code or seen.raw_status}


@register.filter
def counted_states(sources: Iterable[RemoteSource]) -> list[StateBadge]:
    counted = Counter(_badge_of_source(source) for source in sources)
    return [
        replace(badge, reason=ngettext("one source", "%(count)d sources", n) % {"count": n})
        for badge, n in counted.items()
    ]


@register.filter
def account_in_words(account: RemoteAccount) -> str:
    span = " – ".join(date_format(each, "DATE_FORMAT") for each in (account.first, account.last) if each)
    counted = account.transactions
    transactions = (
        "" if counted is None else ngettext("one transaction", "%(count)d transactions", counted) % {"count": counted}
    )
    return " · ".join(filter(None, [account.remote_id, transactions, span, "" if account.enabled else _("excluded")]))


@register.filter
def host_only(url: str) -> str:
    # The path is secret.
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return f"https://{host}/…" if host else "…"


def _badge_of_source(source: RemoteSource) -> StateBadge:
    # Customer lists give no reason, so "unrecognized status" would claim a value that nobody sent.
    if source.observation.cause is Cause.ERROR_UNNAMED:
        return StateBadge("warn", "circle-alert", _("Not working"))
    return badge_of(VERDICTS[source.observation.cause].state)
