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

from linkadmin.links.models import Link
from linkadmin.links.presentation import standing_of
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations import decisions, encrypted, refusals, services
from linkadmin.operations.budget import budget_of
from linkadmin.operations.forms.provider import CodeForm, ReasonForm
from linkadmin.operations.models import Operation, OperationKind, PendingChallenge, State
from linkadmin.operations.presentation.buttons import start_of
from linkadmin.operations.presentation.pictures import picture_of
from linkadmin.providers.types import ChallengeKind
from linkadmin.web.pages import draw, go, no_compression, reader, wants_part

from .live import link_page_version
from .repair import code_step, late_step, new_form
from .sending import is_within, next_page, not_sent, outcome_of, page_of, reopens, why_paused


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
    return _page(request, link, challenge, new_form(challenge))


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
        return go(request, link.get_absolute_url() if is_within(request, link) else request.path)
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
    return go(request, next_page(request, outcome_of(operation)))


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
    step = late_step(link, operation, user=reader(request), budget=budget_of(link))
    context = step | {"link": link, "standing": standing_of(link)}
    return draw(request, "operations/code_over.html", "step", context, status=status)


def _page(
    request: HttpRequest, link: Link, challenge: PendingChallenge, form: CodeForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    step = code_step(
        challenge,
        form,
        user=reader(request),
        standing=standing_of(link),
        budget=budget_of(link),
        paused=why_paused(link.integration, OperationKind.SUBMIT_CODE),
    )
    context = more | step | {"link": link, "page_version": link_page_version(link.pk)}
    return draw(request, "operations/code.html", "step", context, status=status)
