"""A repair, as the link's page and the pages of its steps show it: how far it is, and the code step."""

from typing import Any

from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.heartbeats import watch
from linkadmin.integrations.limits import Limits
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link
from linkadmin.links.presentation import Standing
from linkadmin.operations import encrypted
from linkadmin.operations.budget import Budget
from linkadmin.operations.challenges import AskedAgain
from linkadmin.operations.forms.provider import CodeForm
from linkadmin.operations.models import Operation, OperationKind, PendingChallenge, State
from linkadmin.operations.presentation.buttons import ways_on
from linkadmin.operations.presentation.explanations import Explanation, explain
from linkadmin.operations.presentation.pictures import picture_of
from linkadmin.operations.presentation.steps import CODE, steps_at, steps_of_link
from linkadmin.operations.recent import RecentOperations
from linkadmin.providers.pictures import is_unreadable_picture, picture
from linkadmin.providers.types import Cause, ChallengeKind


def repair_on(
    link: Link, recent: RecentOperations, *, user: User, standing: Standing, limits: Limits
) -> dict[str, Any]:
    """What a link's page shows of a repair. Its `repair_key` changes when another step begins."""
    last, budget = recent.latest, recent.budget
    context: dict[str, Any] = {"repair_key": "", "steps": steps_of_link(link, last)}
    if last is None or not last.is_open:
        return context
    context["repair_key"] = f"{last.pk} {last.state}"
    if last.is_running:
        return context | progress_of(last)
    challenge: PendingChallenge | None = getattr(last, "challenge", None)
    if challenge is None:
        return context
    if challenge.has_expired(timezone.now()):
        return context | late_step(link, last, user=user, budget=budget) | {"standing": standing}
    paused = limits.why_paused(OperationKind.SUBMIT_CODE)
    form = new_form(challenge)
    return context | code_step(challenge, form, user=user, standing=standing, budget=budget, paused=paused)


def progress_of(operation: Operation) -> dict[str, Any]:
    now = timezone.now()
    return {
        "progress": _explained(operation),
        "is_checked": not watch.has_stopped(),
        "now": now,
        "elapsed": int((now - operation.began_at).total_seconds()),
    }


def _explained(operation: Operation) -> Explanation | None:
    is_called = operation.state in (State.PREPARED, State.SENDING) and not operation.is_lost
    return None if is_called else explain(operation)


def new_form(challenge: PendingChallenge) -> CodeForm:
    # One key per challenge and reader: two clicks or two tabs are one operation.
    return CodeForm(asked=challenge, initial={"operation_key": challenge.pk, "challenge": challenge.pk})


def code_step(
    challenge: PendingChallenge, form: CodeForm, *, user: User, standing: Standing, budget: Budget, paused: str
) -> dict[str, Any]:
    operation = challenge.operation
    if paused and "code" in form.fields:
        form.fields["code"].widget.attrs |= {"disabled": True, "aria-describedby": "why-paused"}
    is_wrong = operation.asked_again == AskedAgain.WRONG_CODE
    return {
        "standing": standing,
        "operation": operation,
        "challenge": challenge,
        "steps": steps_at(CODE, operation.integration, is_new=operation.creates_link, failed=is_wrong),
        "form": form,
        "budget": budget,
        "ways": None if budget.codes_left else ways_on(operation, budget, user=user),
        "paused": paused,
        "is_mine": operation.actor_id == user.pk,
        "may_act": may(user, Right.UPDATE_CREDENTIALS),
        "may_cancel": may(user, Right.WITHDRAW_CHALLENGE),
        **_clock(challenge),
        **_shown(challenge, user),
    }


def late_step(link: Link, operation: Operation, *, user: User, budget: Budget) -> dict[str, Any]:
    return {
        "steps": steps_at(CODE, link.integration, is_new=operation.creates_link, failed=True),
        "late": VERDICTS[Cause.CODE_TOO_LATE],
        "may_act": may(user, Right.UPDATE_CREDENTIALS),
        "budget": budget,
        "ways": ways_on(link, budget, user=user),
    }


def _clock(challenge: PendingChallenge) -> dict[str, Any]:
    now = timezone.now()
    return {
        "now": now,
        "total_seconds": int((challenge.expires_at - challenge.received_at).total_seconds()),
        "left_seconds": max(0, int((challenge.expires_at - now).total_seconds())),
    }


def _shown(challenge: PendingChallenge, user: User) -> dict[str, Any]:
    shown = encrypted.shown_challenge(challenge) if may(user, Right.UPDATE_CREDENTIALS) else None
    kind = ChallengeKind(challenge.kind)
    return {
        "instructions": shown.instructions if shown else "",
        "is_lost": shown is None and kind not in (ChallengeKind.CODE, ChallengeKind.APPROVE),
        **_drawn(kind, shown.value if shown else ""),
    }


def _drawn(kind: ChallengeKind, value: str) -> dict[str, Any]:
    if not value:
        return {}
    if picture(value):
        return {"has_picture": True}
    if is_unreadable_picture(value):
        return {"is_unreadable": True}
    if kind is ChallengeKind.NUMERIC:
        return {"number": value}
    return {"has_qr_code": picture_of(kind, value) is not None, "text": value}
