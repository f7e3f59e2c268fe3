"""One more log-in at a bank that refused two: an account manager's word, with a reason."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from linkadmin.links.access import link_for, seen
from linkadmin.operations.budget import allow_attempt, budget_of
from linkadmin.operations.forms import ReasonForm
from linkadmin.pages import go, reader


@require_http_methods(["GET", "HEAD", "POST"])
def link_attempt(request: HttpRequest, pk: UUID) -> HttpResponse:
    link = link_for(request, pk)
    budget = budget_of(link)
    form = ReasonForm(request.POST or None)
    if not budget.manager_may_allow:
        messages.info(request, _("There is nothing to allow: the count of refused attempts does not call for it."))
        return go(request, link.get_absolute_url())
    if form.is_valid():
        allow_attempt(actor=reader(request), link=link, reason=form.cleaned_data["reason"])
        messages.success(request, _("One more attempt is allowed. Support can update the credentials now."))
        return go(request, link.get_absolute_url())
    if not form.is_bound:
        seen(request, link, link.end_user, page="attempt")
    status = 422 if form.is_bound else 200
    return render(request, "operations/attempt.html", {"link": link, "form": form, "budget": budget}, status=status)
