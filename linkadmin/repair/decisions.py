"""Whether a customer may be sent a repair request now. Nothing else decides it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise

from linkadmin.links.models import Link, RepairRequest
from linkadmin.operations.presentation.repair_requests import way_of

AGAIN_AFTER = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Decision:
    """Why nothing may be sent, and a message so recent that another one needs a reason."""

    why_not: str | Promise = ""
    last_sent_at: datetime | None = None


def decide(link: Link, *, now: datetime) -> Decision:
    way = way_of(link)
    sent = RepairRequest.objects.exclude(end=RepairRequest.End.NOT_SENT)
    recent = sent.filter(link__end_user=link.end_user_id, at__gt=now - AGAIN_AFTER)
    return Decision(way.why_not, recent.order_by("-at").values_list("at", flat=True).first())
