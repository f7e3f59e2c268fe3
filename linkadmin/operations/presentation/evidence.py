"""What suggests that a problem isn't the customer's: other links at the same bank that broke at about the same time."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.compiled_query import CompiledQuery, Sql, as_sql, time_of
from linkadmin.links import counts
from linkadmin.links.causes import ESCALATED_RANK, STATES, Group
from linkadmin.links.models import Link
from linkadmin.providers.types import HealthState
from linkadmin.timestamps import day_words

AT_THE_SAME_TIME = timedelta(hours=2)
FEWEST, MOST = 3, 50  # broken links that are shown, and that are read
IN_DOUBT = 0.25  # of a bank's links: if that many broke, it may not be the customer
CODE_WAITING_RANK = 0
BROKEN = {*Group.CUSTOMER.states, HealthState.WAITING}
RANKS = sorted({STATES[state].rank for state in BROKEN} | {CODE_WAITING_RANK, ESCALATED_RANK})


def evidence_for(link: Link) -> str:
    """Empty unless several links broke when this one did."""
    if link.institution_id is None or link.is_verifying or HealthState(link.health) not in BROKEN:
        return ""
    rows = _AT_BANK.rows(link.institution_id, link.health_since - AT_THE_SAME_TIME)
    times = [time for *_rest, at in rows if (time := time_of(at))]
    if len(times) < FEWEST:
        return ""
    standing = sum(links for state, links, at in rows if at is None and state != HealthState.DISCONNECTED)
    return _in_words(len(times), max(standing, len(times)), min(times), link)


def _in_words(broke: int, links: int, since: datetime, link: Link) -> str:
    local = timezone.localtime(since)
    when = f"{local:%H:%M}" if local.date() == timezone.localdate() else day_words(local.date())
    words = _("%(broke)d of %(links)d links at this bank broke since %(when)s")
    if broke == MOST:
        words = _("At least %(broke)d of %(links)d links at this bank broke since %(when)s")
    shown = words % {"broke": broke, "links": links, "when": when}
    if link.judgment.group is Group.CUSTOMER and broke >= IN_DOUBT * links:
        return _("%(evidence)s, so it may not be the customer") % {"evidence": shown}
    return shown


def _at_bank(institution: UUID, since: datetime) -> Sql:
    # By rank, so that one index has the times as well.
    broken = Link.objects.filter(institution=institution, urgency__in=RANKS, health_since__gte=since)
    found, keys = as_sql(broken.order_by().values_list("health_since")[:MOST])
    counted, more_keys = as_sql(counts.stood_at(institution))
    sql = f"""
        SELECT '' AS state, 1 AS links, health_since FROM ({found}) AS broken
        UNION ALL SELECT state, links, NULL FROM ({counted}) AS counted
    """  # noqa: S608 - our own SQL
    return sql, (*keys, *more_keys)


_AT_BANK = CompiledQuery(_at_bank, types=(UUID, datetime))
