"""What a repair request says of its link, and how a customer can repair one at all."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.audit.models import Outcome
from linkadmin.integrations.models import Integration
from linkadmin.links.causes import VERDICTS, RepairKind, Turn
from linkadmin.links.listing.known import companion_of
from linkadmin.links.models import Link, RepairRequest
from linkadmin.links.presentation import UnderWay
from linkadmin.providers.types import Capability, HealthState
from linkadmin.timestamps import exact_words
from linkadmin.web.badges import StateBadge

Step = RepairRequest.Step
CHECK_LASTS = timedelta(minutes=2)
SENDING_LASTS = timedelta(minutes=1)
_LOOKS: dict[str, tuple[str, str, str | Promise, str | Promise]] = {
    Step.SENT: (
        *("warn", "send", gettext_lazy("Repair request sent")),
        gettext_lazy("Waiting for the customer to open it. It expires on %(time)s."),
    ),
    Step.OPENED: (
        *("warn", "mail-open", gettext_lazy("Repair request opened")),
        gettext_lazy("The customer is reading what to do. This page updates itself."),
    ),
    Step.AT_PROVIDER: (
        *("warn", "landmark", gettext_lazy("Customer at the provider's page")),
        gettext_lazy("The customer signs in there. This page updates itself."),
    ),
    Step.FINISHED: (
        *("info", "hourglass", gettext_lazy("Customer finished, checking status")),
        gettext_lazy("The customer says it's done. A status check shows whether the link works."),
    ),
    Step.RETURNED: (
        *("info", "hourglass", gettext_lazy("Customer came back, checking status")),
        gettext_lazy("We're asking whether they finished. Then a status check shows whether the link works."),
    ),
    Step.NEW_NEEDED: (
        *("warn", "circle-slash", gettext_lazy("Can't be repaired")),
        gettext_lazy("The customer has to connect again as a new connection."),
    ),
    Step.LEFT: (
        *("warn", "send", gettext_lazy("Customer left the provider's page")),
        gettext_lazy("They can open the request again until %(time)s."),
    ),
}
_BACK = (Step.RETURNED, Step.FINISHED)
_FOR_CUSTOMER = [cause.value for cause, verdict in VERDICTS.items() if verdict.is_for_customer]
_NOT_REPAIRED = (
    *("warn", "send", gettext_lazy("Customer finished, but the link isn't working")),
    gettext_lazy("They can try again until %(time)s."),
)

_MAY_BE_LOST = (
    *("warn", "send", gettext_lazy("Repair request may not have arrived")),
    gettext_lazy(
        "The server that sends it didn't confirm it. Ask the customer, or send another one. It expires on %(time)s."
    ),
)


@dataclass(frozen=True, slots=True)
class CustomerRepair:
    """The provider's page where a customer repairs a link, or why there is none."""

    why_not: str | Promise = ""
    is_consent: bool = False  # they renew a consent and type no password
    companion: Integration | None = None  # whose page it is, if it isn't the link's own provider's
    may_need_new: bool = False  # it may turn out that they have to connect again

    @property
    def needs_token(self) -> bool:
        """Whether staff enter the link's access token with a request."""
        companion = self.companion
        return companion is not None and companion.provider_class.needs_access_token(companion.options)


def way_of(link: Link) -> CustomerRepair:
    if link.is_disconnected:
        return CustomerRepair(_("Disconnected. Reconnect it first."))
    if link.is_verifying or not link.verdict.is_for_customer:
        return CustomerRepair(_("The customer can't do anything about this status."))
    companion = companion_of(link.integration)
    if companion is None and not link.integration.can(Capability.REPAIR_URL):
        return CustomerRepair(
            _("%(provider)s has no page where customers repair links.") % {"provider": link.integration.provider_label}
        )
    if any(not each.is_active or each.keys_rejected for each in (link.integration, companion) if each):
        return CustomerRepair(_("The integration is inactive, or its API keys are rejected."))
    return CustomerRepair(
        is_consent=link.repair_kind is RepairKind.CONSENT,
        companion=companion,
        may_need_new=companion is not None and link.remote_kind in link.integration.provider_class.report_kinds,
    )


def works(link: Link) -> bool:
    """Whether nothing is left for the customer to do: a consent that expires soon still has to be renewed."""
    return link.health == HealthState.HEALTHY and not link.is_verifying and not link.verdict.is_for_customer


def asked_of(links: Collection[UUID]) -> dict[UUID, UnderWay]:
    """What open requests say of those links whose customer still has something to do."""
    found = RepairRequest.objects.filter(link__in=links, ended_at=None, expires_at__gt=timezone.now())
    waiting = found.filter(link__verifying_since=None, link__cause__in=_FOR_CUSTOMER)
    return {request.link_id: _under_way(request) for request in waiting}


def is_waiting(request: RepairRequest, link: Link) -> bool:
    """Whether its customer still has something to do."""
    return request.expires_at > timezone.now() and not link.is_verifying and link.verdict.is_for_customer


def is_checked(request: RepairRequest) -> bool:
    """Whether its customer has just finished, and the link may not have been read since."""
    return request.step in _BACK and timezone.now() - request.step_at < CHECK_LASTS


def may_be_lost(request: RepairRequest) -> bool:
    """Whether its message was never confirmed, also because the process that sent it died."""
    is_sending = request.outcome == Outcome.REQUESTED and timezone.now() - request.at < SENDING_LASTS
    return request.outcome != Outcome.DONE and not is_sending


def under_way_by(request: RepairRequest | None, link: Link) -> UnderWay | None:
    return _under_way(request) if request and is_waiting(request, link) else None


def _under_way(request: RepairRequest) -> UnderWay:
    tone, icon, label, advice = _LOOKS[request.step]
    if request.step in _BACK and not is_checked(request):
        tone, icon, label, advice = _NOT_REPAIRED
    elif request.step == Step.SENT and may_be_lost(request):
        tone, icon, label, advice = _MAY_BE_LOST
    return UnderWay(
        StateBadge(tone, icon, str(label)),
        since=request.step_at,
        turn=Turn.NOBODY if is_checked(request) else Turn.CUSTOMER,
        advice=str(advice) % {"time": exact_words(request.expires_at)},
        keeps_steps=True,
    )
