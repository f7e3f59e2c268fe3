"""One more log-in at a bank that refused two: an account manager's word, with a reason."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from linkadmin.links.models import Link
from linkadmin.links.views.access import link_for, seen
from linkadmin.operations.budget import allow_attempt, budget_of
from linkadmin.operations.forms.provider import ReasonForm
from linkadmin.operations.models import Operation
from linkadmin.web.pages import go, reader


@require_http_methods(["GET", "HEAD", "POST"])
def link_attempt(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _attempt(request, link_for(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
def operation_attempt(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Allow one more attempt to create a link, where there is no link yet."""
    creations = Operation.objects.with_names().filter(link=None, end_user__isnull=False)
    return _attempt(request, get_object_or_404(creations, pk=pk))


def _attempt(request: HttpRequest, subject: Link | Operation) -> HttpResponse:
    budget = budget_of(subject)
    form = ReasonForm(request.POST or None)
    if not budget.manager_may_allow:
        messages.info(request, _("There is nothing to allow: the count of refused attempts does not call for it."))
        return go(request, subject.get_absolute_url())
    if form.is_valid():
        allow_attempt(actor=reader(request), subject=subject, reason=form.cleaned_data["reason"])
        messages.success(request, _("One more attempt is allowed. Support can update the credentials now."))
        return go(request, subject.get_absolute_url())
    if not form.is_bound:
        link = subject if isinstance(subject, Link) else None
        seen(request, link, subject.end_user, page="attempt")
    status = 422 if form.is_bound else 200
    context = {"subject": subject, "form": form, "budget": budget}
    return render(request, "operations/attempt.html", context, status=status)
