"""The page of one operation, in progress or finished, with checks, manual resolution and one more attempt."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links import queries
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link
from linkadmin.links.presentation import standing_of
from linkadmin.links.views.access import link_for, opened, seen
from linkadmin.operations import decisions, reconcile, refusals
from linkadmin.operations.activity import visible_to
from linkadmin.operations.budget import Budget, allow_attempt, budget_of
from linkadmin.operations.forms.provider import DecisionForm, ReasonForm
from linkadmin.operations.models import FAILED_STATES, Operation, State
from linkadmin.operations.presentation.buttons import start_of, ways_on
from linkadmin.operations.presentation.explanations import subject_of
from linkadmin.operations.presentation.steps import steps_of
from linkadmin.providers.types import Cause, HealthState
from linkadmin.web.pages import go, reader

from .live import operation_page_version
from .repair import progress_of
from .sending import page_of


@never_cache
@require_safe
def operation_detail(request: HttpRequest, pk: UUID, *, has_customer: bool) -> HttpResponse:
    # Operations without a customer have their own URL, for staff who manage integrations.
    operation = _operation(request, pk, end_user__isnull=not has_customer)
    if operation.state == State.NEEDS_CODE:
        return go(request, page_of(operation))
    seen(request, operation.link, operation.end_user, page="operation")
    return _page(request, operation, DecisionForm())


@require_POST
def operation_check(request: HttpRequest, pk: UUID) -> HttpResponse:
    operation = _operation(request, pk)
    try:
        reconcile.check(actor=reader(request), operation=operation, seconds=settings.OPERATION_ANSWER_SECONDS)
    except refusals.Refusal as refusal:
        messages.warning(request, str(refusal.words))
    return go(request, page_of(_operation(request, pk)))


@require_POST
def operation_decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    operation = _operation(request, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, operation, form, status=422)
    try:
        decisions.resolve_manually(
            actor=reader(request),
            operation=operation,
            done=form.cleaned_data["outcome"] == "done",
            note=form.cleaned_data["note"],
        )
    except refusals.Refusal as refusal:
        return _page(request, operation, form, status=refusal.status, refusal=refusal)
    return go(request, operation.get_absolute_url())


def _page(
    request: HttpRequest, operation: Operation, form: DecisionForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    user = reader(request)
    budget = budget_of(operation) if operation.logs_in and operation.state in FAILED_STATES else Budget(0)
    may_start_again = budget.left > 0 and not _is_at_bank(operation)
    context = more | {
        "operation": operation,
        "page_version": operation_page_version(operation) if operation.is_running else None,
        "steps": steps_of(operation),
        **progress_of(operation),
        "subject": subject_of(operation, see_names=may(user, Right.SEE_NAMES)),
        "standing": standing_of(operation.link) if operation.link else None,
        "failed_reports": _failed_reports(operation, user),
        "form": form,
        "may_decide": operation.state == State.NEEDS_DECISION and may(user, Right.DECIDE_OUTCOME),
        "is_own": operation.actor_id == user.pk,
        "may_check": operation.state == State.UNKNOWN and may(user, Right.REFRESH),
        "may_correct": may_start_again and _may_correct(operation) and may(user, Right.CREATE_LINK),
        "retry_url": _retry_url(operation, user) if may_start_again else "",
        "budget": budget,
        "ways": ways_on(operation, budget, user=user),
    }
    return render(request, "operations/operation.html", context, status=status)


def _is_at_bank(operation: Operation) -> bool:
    return bool(operation.cause) and VERDICTS[Cause(operation.cause)].state is HealthState.CUSTOMER_BANK


def _may_correct(operation: Operation) -> bool:
    return operation.creates_link and operation.link_id is None and not operation.is_open and not operation.is_done


def _retry_url(operation: Operation, user: User) -> str:
    if operation.link is None or operation.link.is_disconnected or operation.state not in FAILED_STATES:
        return ""
    url, right = start_of(operation.link, operation)
    return url if may(user, right) else ""


def _operation(request: HttpRequest, pk: UUID, **scope: bool) -> Operation:
    operation = get_object_or_404(visible_to(reader(request)).with_names(), pk=pk, **scope)
    if operation.end_user_id:
        opened(request, operation.end_user_id)
    return operation


def _failed_reports(operation: Operation, user: User) -> list[tuple[str, Link | None]]:
    failed = operation.result.get("failed", [])
    links = queries.visible_to(user, operation.integration.links.filter(remote_id__in=failed, disconnected_at=None))
    known = {link.remote_id: link for link in links}
    return [(each, known.get(each)) for each in failed]


@require_http_methods(["GET", "HEAD", "POST"])
def link_attempt(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _attempt(request, link_for(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
def operation_attempt(request: HttpRequest, pk: UUID) -> HttpResponse:
    # For a link that doesn't exist yet.
    return _attempt(request, _operation(request, pk, link__isnull=True, end_user__isnull=False))


def _attempt(request: HttpRequest, subject: Link | Operation) -> HttpResponse:
    budget = budget_of(subject)
    form = ReasonForm(request.POST or None)
    if not budget.manager_may_allow:
        messages.info(request, _("You don't need to allow an attempt: the limit hasn't been reached."))
        return go(request, subject.get_absolute_url())
    if form.is_valid():
        try:
            allow_attempt(actor=reader(request), subject=subject, reason=form.cleaned_data["reason"])
            messages.success(request, _("One more attempt allowed. Support can update the credentials now."))
        except refusals.OwnAttempt as refusal:
            messages.warning(request, refusal.words)
        return go(request, subject.get_absolute_url())
    if not form.is_bound:
        link = subject if isinstance(subject, Link) else None
        seen(request, link, subject.end_user, page="attempt")
    status = 422 if form.is_bound else 200
    context = {"subject": subject, "form": form, "budget": budget}
    return render(request, "operations/attempt.html", context, status=status)
