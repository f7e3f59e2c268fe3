"""The code step: the challenge, a countdown, one input. Everybody who opens it sees the same."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link
from linkadmin.links.presentation import standing_of
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations import decisions, encrypted, refusals, services
from linkadmin.operations.budget import budget_of
from linkadmin.operations.challenges import AskedAgain
from linkadmin.operations.forms.provider import CodeForm, ReasonForm
from linkadmin.operations.models import Operation, OperationKind, PendingChallenge, State
from linkadmin.operations.presentation.buttons import start_of, ways_on
from linkadmin.operations.presentation.pictures import picture_of
from linkadmin.operations.presentation.steps import CODE, steps_at
from linkadmin.providers.pictures import is_unreadable_picture, picture
from linkadmin.providers.types import Cause, ChallengeKind
from linkadmin.web.pages import draw, go, no_compression, reader, wants_part

from .live import link_page_version
from .sending import not_sent, outcome_of, page_of, reopens, why_paused


@never_cache
@no_compression
@sensitive_post_parameters()
@sensitive_variables("form", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def link_code(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    challenge = _waiting(link)
    if request.method == "POST" and not reopens(request):
        return _submit(request, link, challenge)
    if challenge is None:
        late = _run_out(link)
        return _expired_step(request, late) if late else go(request, link.get_absolute_url())
    if not wants_part(request):
        seen(request, link, link.end_user, page="code")
    if challenge.has_expired(timezone.now()):
        return _expired_step(request, challenge.operation)
    # One key per challenge and reader: two clicks or two tabs are one operation.
    form = CodeForm(asked=challenge, initial={"operation_key": challenge.pk, "challenge": challenge.pk})
    return _page(request, link, challenge, form)


@never_cache
@no_compression
@require_safe
def link_code_picture(request: HttpRequest, pk: UUID, challenge: UUID) -> HttpResponse:
    waiting = _waiting(link_for(request, pk))
    if waiting is None or waiting.pk != challenge or waiting.has_expired(timezone.now()):
        raise Http404
    shown = encrypted.shown_challenge(waiting)
    drawn = picture_of(ChallengeKind(waiting.kind), shown.value) if shown else None
    if drawn is None:
        raise Http404
    return HttpResponse(drawn.data, content_type=drawn.content_type)


@require_POST
def link_code_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    challenge = _waiting(link)
    back = f"{link.get_absolute_url()}credentials/"
    if challenge is not None:
        back, _right = start_of(link, challenge.operation)
        try:
            decisions.cancel_attempt(actor=reader(request), operation=challenge.operation)
        except refusals.Refusal as refusal:
            messages.info(request, str(refusal.words))
            back = request.path.removesuffix("withdraw/") if isinstance(refusal, refusals.NotYoursToCancel) else ""
            return go(request, back or link.get_absolute_url())
    return go(request, back)


@require_http_methods(["GET", "HEAD", "POST"])
def link_code_cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    challenge = _waiting(link)
    if challenge is None:
        return go(request, link.get_absolute_url())
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            decisions.cancel_attempt(
                actor=reader(request), operation=challenge.operation, reason=form.cleaned_data["reason"]
            )
            messages.success(request, _("Attempt canceled. Support can start a new one."))
        except refusals.Refusal as refusal:
            messages.info(request, str(refusal.words))
        return go(request, link.get_absolute_url())
    if not form.is_bound:
        seen(request, link, link.end_user, page="code")
    context = {
        "link": link,
        "started_by": challenge.operation.actor.display_name,
        "form": form,
    }
    return render(request, "operations/code_cancel.html", context, status=422 if form.is_bound else 200)


@sensitive_variables("form", "code")
def _submit(request: HttpRequest, link: Link, challenge: PendingChallenge | None) -> HttpResponse:
    if challenge is None:
        return _sent_again(request, link)
    form = CodeForm(request.POST, asked=challenge)
    if not form.is_valid():
        return _page(request, link, challenge, form, status=422)
    if form.cleaned_data["challenge"] != challenge.pk:
        messages.warning(request, _("The bank has asked again. This is its latest request. Nothing was sent."))
        return go(request, request.path)
    try:
        operation = services.submit_code(
            actor=reader(request),
            challenge=challenge,
            code=form.cleaned_data.get("code"),
            operation_key=form.cleaned_data["operation_key"],
        )
    except refusals.Refusal as refusal:
        if challenge.has_expired(timezone.now()):
            return _expired_step(request, challenge.operation, status=409)
        if isinstance(refusal, refusals.BusyRefusal):
            return not_sent(request, refusal, link=link)
        return _page(request, link, challenge, form, status=refusal.status, refusal=refusal)
    return go(request, page_of(outcome_of(operation)))


def _sent_again(request: HttpRequest, link: Link) -> HttpResponse:
    # The second click of an accepted form.
    made = link.operations.with_names().order_by("-created_at").first()
    return go(request, page_of(outcome_of(made)) if made else link.get_absolute_url())


def _waiting(link: Link) -> PendingChallenge | None:
    waiting = PendingChallenge.objects.select_related(
        "operation__integration", "operation__end_user", "operation__institution", "operation__actor"
    )
    return waiting.filter(operation__link=link, operation__state=State.NEEDS_CODE).first()


def _run_out(link: Link) -> Operation | None:
    last = Operation.objects.latest_of(link)
    is_late = last is not None and last.state == State.EXPIRED and last.outcome == "code_too_late"
    return last if is_late else None


def _expired_step(request: HttpRequest, operation: Operation, *, status: int = 200) -> HttpResponse:
    link = operation.link
    assert link is not None  # noqa: S101 - a bank that asks has a link
    budget = budget_of(link)
    context = {
        "link": link,
        "standing": standing_of(link),
        "steps": steps_at(CODE, link.integration, is_new=operation.creates_link, failed=True),
        "late": VERDICTS[Cause.CODE_TOO_LATE],
        "may_act": may(reader(request), Right.UPDATE_CREDENTIALS),
        "budget": budget,
        "ways": ways_on(link, budget, user=reader(request)),
    }
    return draw(request, "operations/code_over.html", "step", context, status=status)


def _page(
    request: HttpRequest, link: Link, challenge: PendingChallenge, form: CodeForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    user, operation = reader(request), challenge.operation
    budget = budget_of(link)
    is_wrong = operation.asked_again == AskedAgain.WRONG_CODE
    paused = why_paused(link.integration, OperationKind.SUBMIT_CODE)
    if paused and "code" in form.fields:
        form.fields["code"].widget.attrs |= {"disabled": True, "aria-describedby": "why-paused"}
    context = more | {
        "link": link,
        "page_version": link_page_version(link.pk),
        "standing": standing_of(link),
        "operation": operation,
        "challenge": challenge,
        "steps": steps_at(CODE, link.integration, is_new=operation.creates_link, failed=is_wrong),
        "form": form,
        "budget": budget,
        "ways": None if budget.codes_left else ways_on(link, budget, user=user),
        "paused": paused,
        "is_mine": operation.actor_id == user.pk,
        "may_act": may(user, Right.UPDATE_CREDENTIALS),
        "may_cancel": may(user, Right.WITHDRAW_CHALLENGE),
        **_clock(challenge),
        **_shown(challenge, user),
    }
    return draw(request, "operations/code.html", "step", context, status=status)


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
