"""Groups links by who they're waiting on, and turns a cause into what every page says."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.providers.types import Cause, HealthState

from .customer import CUSTOMER_VERDICTS
from .others import OTHER_VERDICTS
from .ours import OUR_VERDICTS
from .vocabulary import ESCALATED_RANK, RENEWAL_RANK, STATES, Remedy, RepairKind, StateLook, Turn, Verdict

VERDICTS: Mapping[Cause, Verdict] = MappingProxyType({**CUSTOMER_VERDICTS, **OTHER_VERDICTS, **OUR_VERDICTS})


class Group(models.TextChoices):
    """Who a link is waiting on: the first thing people want to know."""

    CUSTOMER = "customer", _("Waiting on customer")
    WAIT = "wait", _("Waiting on bank or provider")
    US = "us", _("Waiting on us")
    FINE = "fine", _("No action needed")
    ENDED = "ended", _("Disconnected")

    @property
    def states(self) -> tuple[HealthState, ...]:
        """Without links whose repair is being verified."""
        return _GROUP_STATES[self]


@dataclass(frozen=True, slots=True)
class Judgment:
    """What every page says about a link: group, status, reason, who it's waiting on, and advice."""

    group: Group | None  # None: repair being verified, a group of its own
    look: StateLook
    reason: str | Promise
    turn: Turn
    advice: str | Promise
    remedy: Remedy


def judge(cause: Cause, *, is_verifying: bool, kind: RepairKind = RepairKind.TYPED) -> Judgment:
    """`is_verifying`: a repair was accepted but isn't verified yet."""
    verdict = VERDICTS[cause]
    # A disconnected link isn't repaired, whatever was sent before.
    if is_verifying and verdict.state is not HealthState.DISCONNECTED:
        return _BEING_VERIFIED
    reason, advice = _words_for(verdict, kind)
    return Judgment(
        group=group_of(verdict.state),
        look=STATES[verdict.state],
        reason=reason,
        turn=verdict.turn,
        advice=advice,
        remedy=verdict.remedy,
    )


def _words_for(verdict: Verdict, kind: RepairKind) -> tuple[str | Promise, str | Promise]:
    # Advice about stored credentials doesn't fit links without any.
    words = _WITHOUT_LOGIN.get((verdict.remedy, kind))
    if words is None:
        return verdict.reason, verdict.advice
    has_no_login = kind is RepairKind.CONSENT and verdict.state is HealthState.CUSTOMER_LOGIN
    return _("The consent is no longer valid") if has_no_login else verdict.reason, words


def ranks_of(state: HealthState) -> set[int]:
    """All ranks that links in a state may have in the work list, unless their repair is being verified."""
    beside = {
        0: VERDICTS[Cause.CODE_WAITING].state,
        RENEWAL_RANK: VERDICTS[Cause.RENEW_SOON].state,
        ESCALATED_RANK: HealthState.WAITING,
    }
    return {STATES[state].rank, *(rank for rank, its_state in beside.items() if its_state is state)}


def group_of(state: HealthState) -> Group:
    return next(group for group in Group if state in group.states)


_GROUP_STATES: Mapping[Group, tuple[HealthState, ...]] = MappingProxyType(
    {
        Group.CUSTOMER: (
            HealthState.CUSTOMER_CODE,
            HealthState.CUSTOMER_LOGIN,
            HealthState.CUSTOMER_CONSENT,
            HealthState.CUSTOMER_BANK,
        ),
        Group.WAIT: (HealthState.WAITING,),
        Group.US: (HealthState.OUR_SETUP, HealthState.STALE, HealthState.UNKNOWN),
        Group.FINE: (HealthState.HEALTHY, HealthState.SETTING_UP),
        Group.ENDED: (HealthState.DISCONNECTED,),
    }
)
_WITHOUT_LOGIN: Mapping[tuple[Remedy, RepairKind], str | Promise] = MappingProxyType(
    {
        (Remedy.SIGN_IN, RepairKind.CONSENT): _(
            "Ask the customer to renew the consent in the consent portal. A password won't help."
        ),
        (Remedy.SIGN_IN, RepairKind.PAGE): _(
            "The customer has to sign in on the provider's page, not here. Send a repair request."
        ),
        (Remedy.AFTER_BANK, RepairKind.CONSENT): _(
            "Ask the customer to resolve this with the bank first, then renew the consent in the consent portal."
        ),
        (Remedy.AFTER_BANK, RepairKind.PAGE): _(
            "Ask the customer to resolve this with the bank first, then sign in on the provider's page."
        ),
    }
)
VERIFYING_LOOK = StateLook(_("Verifying repair"), "quiet", "shield-check", STATES[HealthState.SETTING_UP].rank)
_BEING_VERIFIED = Judgment(
    group=None,
    look=VERIFYING_LOOK,
    reason=_("Waiting for a status check to confirm it"),
    turn=Turn.NOBODY,
    advice=_("The bank accepted the new credentials. We're checking that the link works. No action needed."),
    remedy=Remedy.NONE,
)
